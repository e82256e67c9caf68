package dev.spike.bench;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.rig.Wait;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * What buyers notice when very many holds end at once: the latency of {@code reserve} while they
 * are swept, beside its latency before, in the same run; and how long after the last deadline the
 * last unit is back.
 *
 * <p>The holds are made as fast as one connection can. Several nodes sweep; one buyer at each
 * reserves a unit every two milliseconds.
 */
@Command(name = "MassExpiry", description = "What buyers notice when very many holds end at once.")
public final class MassExpiry extends BenchCommand {

    private static final Duration QUIET = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long EVERY_NANOS = Duration.ofMillis(2).toNanos();
    private static final int BATCH = 500;

    private record Sample(long dueNanos, long tookNanos) {}

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "a running Redis; if absent, one is started")
    private @Nullable String uri;

    @Option(names = "--holds", paramLabel = "N", description = "that end at once")
    int holds = 100_000;

    @Option(names = "--nodes", paramLabel = "N", description = "that sweep, each with a buyer")
    int nodes = 4;

    /** Measures and prints. */
    public static void main(String[] args) {
        runAndExit(new MassExpiry(), args);
    }

    @Override
    protected Result measure() {
        requirePositive("--holds", holds);
        requirePositive("--nodes", nodes);
        Result result = new Result("when");
        try (BenchRedis redis = BenchRedis.at(uri)) {
            try (Jedis jedis = redis.jedis()) {
                result.about(new RedisMeter(jedis).server() + ".");
            }
            result.about(String.format(
                    Locale.ROOT,
                    "%,d holds, %d nodes; a buyer at each asks every %d ms, and latency counts from"
                            + " when a request was due.",
                    holds,
                    nodes,
                    EVERY_NANOS / 1_000_000));
            // Loads the scripts and warms this JVM; not counted.
            round(redis, new Result("when"), Math.min(holds, 20_000));
            for (int round = 0; round < rounds; round++) {
                round(redis, result, holds);
            }
        }
        return result;
    }

    private void round(BenchRedis redis, Result result, int many) {
        String saleId = "expiry-" + UUID.randomUUID();
        List<Spike> spikes = new ArrayList<>();
        AtomicBoolean done = new AtomicBoolean();
        Collection<Sample> samples = new ConcurrentLinkedQueue<>();
        ExecutorService threads = Executors.newFixedThreadPool(nodes);
        try (RedisStore store = RedisStore.connect(redis.uri())) {
            RedisSpike sale = store.sale(saleId);
            Duration hold = QUIET.plusSeconds(2).plusMillis(many / 50);
            sale.open(Sale.of(saleId, many + 1_000_000L).withHold(hold));
            long firstNanos = System.nanoTime() + hold.toNanos();
            makeHolds(sale, many);
            long lastNanos = System.nanoTime() + hold.toNanos();
            List<CompletableFuture<Void>> buyers = new ArrayList<>();
            for (int node = 0; node < nodes; node++) {
                // Who is answered UNAVAILABLE would be no sample: wait for the store instead.
                Spike spike = Spike.builder(sale).nodes(nodes).timeout(PATIENCE).start();
                spikes.add(spike);
                buyers.add(CompletableFuture.runAsync(() -> buy(spike, done, samples), threads));
            }
            long backNanos = awaitExpiry(sale, "buyer" + (many - 1));
            done.set(true);
            buyers.forEach(CompletableFuture::join);
            String during = "while they expire";
            tell(result, "before", samples, firstNanos - QUIET.toNanos(), firstNanos);
            tell(result, during, samples, firstNanos, backNanos);
            long lateNanos = Math.max(0, backNanos - lastNanos);
            result.add(List.of(during), "last unit back after, ms", lateNanos / 1e6);
        } finally {
            done.set(true);
            threads.shutdownNow();
            spikes.forEach(Spike::close);
            redis.deleteSale(saleId);
        }
    }

    private static void makeHolds(RedisSpike sale, int holds) {
        for (int from = 0; from < holds; from += BATCH) {
            List<Request> requests = IntStream.range(from, Math.min(from + BATCH, holds))
                    .mapToObj(i -> new Request(new ReservationId("buyer" + i, "key" + i), 1))
                    .toList();
            sale.reserve(requests, Long.MAX_VALUE).answers().forEach(MassExpiry::requireReserved);
        }
    }

    private static void buy(Spike spike, AtomicBoolean done, Collection<Sample> samples) {
        List<CompletableFuture<Void>> answers = new ArrayList<>();
        for (long due = System.nanoTime(); !done.get(); due += EVERY_NANOS) {
            LockSupport.parkNanos(due - System.nanoTime());
            long asked = due;
            answers.add(spike.reserveAsync(1).toCompletableFuture().thenAccept(answer -> {
                requireReserved(answer);
                samples.add(new Sample(asked, System.nanoTime() - asked));
            }));
        }
        answers.forEach(CompletableFuture::join);
    }

    private static void requireReserved(Answer answer) {
        if (answer.outcome() != Outcome.RESERVED) {
            throw new IllegalStateException("must be reserved: " + answer);
        }
    }

    /** The moment at which the store says that the buyer's hold has ended; the last of all. */
    private static long awaitExpiry(RedisSpike sale, String buyer) {
        Wait.until(
                "the last hold has ended",
                () -> sale.reservationsOf(buyer, null)
                                .reservations()
                                .get(0)
                                .reservation()
                                .state()
                        == Outcome.EXPIRED);
        return System.nanoTime();
    }

    private static void tell(
            Result result, String when, Collection<Sample> samples, long from, long to) {
        Histogram took = new Histogram(3);
        samples.stream()
                .filter(sample -> sample.dueNanos() >= from && sample.dueNanos() < to)
                .forEach(sample -> took.recordValue(sample.tookNanos()));
        if (took.getTotalCount() == 0) {
            throw new IllegalStateException("nothing was reserved " + when);
        }
        List<String> row = List.of(when);
        result.add(row, "reserves", took.getTotalCount());
        result.add(row, "p50, ms", took.getValueAtPercentile(50) / 1e6);
        result.add(row, "p99, ms", took.getValueAtPercentile(99) / 1e6);
        result.add(row, "p99.9, ms", took.getValueAtPercentile(99.9) / 1e6);
        result.add(row, "max, ms", took.getMaxValue() / 1e6);
    }
}
