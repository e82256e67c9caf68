package dev.spike.bench.scenario;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.Parallel;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.rig.RedisMeter.Used;
import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisStore;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How does the cost grow with the nodes that sell, while units and load stay the same? The more
 * nodes share the load, the fewer requests wait at each, and the smaller are the batches of its
 * group commit.
 *
 * <p>Each node is a {@link Spike} with a {@link RedisStore} of its own, as an application has it;
 * but all of them, and Redis, share this machine. The callers send each request to the next node in
 * turn, as a load balancer would. All units are reserved, one for each buyer; nobody is refused,
 * confirms or cancels, and no relay reads the log.
 *
 * <p>Calls are all those of scripts, from the first request until the last answer: also the nodes'
 * looks for a new quota, and their sweeps, one a second. Script time is elapsed: on a busy machine
 * it includes the time in which Redis did not have the core. The CPU is that of Redis' main thread,
 * in scripts and between them.
 */
@Command(name = "growth-by-nodes", description = "How the cost grows with the nodes that sell.")
public final class GrowthByNodes extends BenchCommand {

    /** A node of the sale. */
    private record Node(RedisStore store, Spike spike) implements AutoCloseable {

        static Node start(BenchRedis redis, String saleId, int nodes) {
            RedisStore store = RedisStore.connect(redis.uri());
            // Who is answered UNAVAILABLE would have to ask again: wait for the machine instead.
            Spike spike = Spike.builder(store.sale(saleId))
                    .nodes(nodes)
                    .timeout(Duration.ofSeconds(10))
                    .start();
            return new Node(store, spike);
        }

        @Override
        public void close() {
            spike.close();
            store.close();
        }
    }

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "a running Redis; if absent, one is started, without persistence")
    private @Nullable String uri;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            split = ",",
            description = "how many nodes share the sale")
    private List<Integer> nodes = List.of(1, 10, 100);

    @Option(names = "--units", paramLabel = "N", description = "of each sale")
    private int units = 200_000;

    @Option(names = "--callers", paramLabel = "N", description = "threads that reserve")
    private int callers = 32;

    @Option(
            names = "--in-flight",
            paramLabel = "N",
            description = "requests that each caller sends, before it waits for all of them")
    private int inFlight = 32;

    /** With the default flags. */
    public GrowthByNodes() {}

    /** See {@code --help}. */
    public static void main(String... args) {
        runAndExit(new GrowthByNodes(), args);
    }

    @Override
    protected Result measure() {
        Growth growth = new Growth("nodes", nodes);
        if (inFlight < 1) {
            throw new IllegalArgumentException("must be >= 1: in-flight=" + inFlight);
        }
        Result result = growth.newRound();
        try (BenchRedis redis = BenchRedis.at(uri);
                Jedis jedis = redis.jedis()) {
            RedisMeter meter = new RedisMeter(jedis);
            result.about(meter.server() + ".");
            result.about(units + " units, reserved by " + callers + " threads, each with "
                    + inFlight + " requests in flight.");
            result.about(growth.about());
            // Loads the scripts and warms this JVM; not counted.
            round(redis, meter, growth, Math.min(units, 20_000));
            for (int i = 0; i < rounds; i++) {
                result.addAll(round(redis, meter, growth, units));
            }
        }
        return result;
    }

    private Result round(BenchRedis redis, RedisMeter meter, Growth growth, int size) {
        Result round = growth.newRound();
        for (int count : nodes) {
            sell(redis, meter, count, size, growth.row(count), round);
        }
        growth.addOrders(round);
        return round;
    }

    private void sell(
            BenchRedis redis,
            RedisMeter meter,
            int count,
            int size,
            List<String> row,
            Result round) {
        String saleId = "growth-" + UUID.randomUUID();
        List<Node> started = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                started.add(Node.start(redis, saleId, count));
            }
            Sale sale = Sale.of(saleId, size).withHold(Duration.ofHours(1));
            started.get(0).spike().open(sale);
            started.forEach(node -> requireLevels(node, size, 0));

            meter.restart();
            long start = System.nanoTime();
            reserveAll(started, size);
            double seconds = (System.nanoTime() - start) / 1e9;
            Used used = meter.read();
            requireLevels(started.get(0), 0, size);
            round.add(row, "calls per unit", (double) used.calls() / size);
            round.add(row, "script, µs a call", (double) used.scriptMicros() / used.calls());
            round.add(row, "script, µs per unit", (double) used.scriptMicros() / size);
            round.add(row, "main thread CPU, µs per unit", (double) used.cpuMicros() / size);
            round.add(row, "units/s", size / seconds);
        } finally {
            started.forEach(Node::close);
            redis.deleteSale(saleId);
        }
    }

    private void reserveAll(List<Node> started, int size) {
        AtomicInteger next = new AtomicInteger();
        Parallel.run(callers, () -> {
            List<CompletableFuture<Answer>> sent = new ArrayList<>(inFlight);
            for (int from = next.getAndAdd(inFlight);
                    from < size;
                    from = next.getAndAdd(inFlight)) {
                for (int i = from; i < Math.min(from + inFlight, size); i++) {
                    Spike spike = started.get(i % started.size()).spike();
                    sent.add(spike.reserveAsync("buyer-" + (1_000_000 + i), 1)
                            .toCompletableFuture());
                }
                sent.forEach(answer -> requireReserved(answer.join()));
                sent.clear();
            }
        });
    }

    private static void requireReserved(Answer answer) {
        if (answer.outcome() != Outcome.RESERVED) {
            throw new IllegalStateException("must be reserved: " + answer);
        }
    }

    /** Looks at them now; so the node knows them too. */
    private static void requireLevels(Node node, long available, long reserved) {
        Levels levels = node.spike().sync().orElseThrow();
        if (levels.available() != available || levels.reserved() != reserved) {
            throw new IllegalStateException(
                    "must be available=" + available + " reserved=" + reserved + ": " + levels);
        }
    }
}
