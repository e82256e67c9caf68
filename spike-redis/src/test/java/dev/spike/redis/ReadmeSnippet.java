package dev.spike.redis;

import dev.spike.core.Answer;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

class ReadmeSnippet {
    public static void main(String... args) {
        try (RedisStore redis = RedisStore.connect(args[0]); // redis://127.0.0.1:6379
                Spike spike = Spike.start(redis.sale("ticket"))) {
            spike.open(Sale.of("ticket", 10_000).withPerBuyer(2)); // never resets an open sale

            Answer answer = spike.reserve("alice", "order-4711", 2); // a repeat is told the same
            System.out.println(answer.outcome()); // or SOLD_OUT, LIMIT_REACHED, UNAVAILABLE, ...
            System.out.println(spike.reserve("alice", "order-4712", 1).outcome());
            System.out.println(spike.confirm(answer.reservation().id()).outcome()); // paid
            System.out.println(spike.levels().orElseThrow().sold());
        }
    }
}
