package dev.spike.http;

import dev.spike.core.Outcome;
import dev.spike.core.Spike;
import dev.spike.redis.RedisStore;

import java.time.Duration;

/**
 * A node in a child that reserves what it is told to, a line of its standard input each, with the
 * key and the point at which to stand still meanwhile.
 */
final class PausingNode {

    /** Longer than a busy machine needs to come to any point. */
    static final Duration TIMEOUT = Duration.ofSeconds(2);

    private PausingNode() {}

    public static void main(String[] args) {
        try (RedisStore store = RedisStore.connect(args[0]);
                Spike node = Spike.builder(store.sale(args[1])).timeout(TIMEOUT).start()) {
            node.sync();
            for (String line = CrashPoint.hear(); !line.isEmpty(); line = CrashPoint.hear()) {
                String[] keyAndPoint = line.split(" ", 2);
                String key = keyAndPoint[0];
                CrashPoint.pauseAt("reserve: " + keyAndPoint[1]);
                CrashPoint.begin("reserve");
                Outcome outcome = node.reserve(key, key, 1).outcome();
                CrashPoint.begin("");
                CrashPoint.say("answered " + key + " " + outcome);
            }
        }
    }
}
