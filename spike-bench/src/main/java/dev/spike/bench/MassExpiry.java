package dev.spike.bench;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
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
    private static final long PAUSE_NANOS = Duration.ofMillis(2).toNanos();
    private static final int BATCH = 500;

    private record Sample(long atNanos, long tookNanos) {}

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
    protected Result measure() throws InterruptedException {
        Result result = new Result("when");
        try (BenchRedis redis = BenchRedis.at(uri)) {
            for (int round = 0; round < rounds; round++) {
                round(redis, result);
            }
        }
        return result;
    }

    private void round(BenchRedis redis, Result result) throws InterruptedException {
        String saleId = "expiry-" + UUID.randomUUID();
        List<Spike> spikes = new ArrayList<>();
        List<Thread> buyers = new ArrayList<>();
        AtomicBoolean done = new AtomicBoolean();
        Collection<Sample> samples = new ConcurrentLinkedQueue<>();
        try (RedisStore store = RedisStore.connect(redis.uri())) {
            RedisSpike sale = store.sale(saleId);
            Duration hold = QUIET.plusSeconds(2).plusMillis(holds / 50);
            sale.open(Sale.of(saleId, holds + 1_000_000L).withHold(hold));
            long firstNanos = System.nanoTime() + hold.toNanos();
            makeHolds(sale, holds);
            long lastNanos = System.nanoTime() + hold.toNanos();
            for (int node = 0; node < nodes; node++) {
                Spike spike = Spike.builder(sale).nodes(nodes).start();
                spikes.add(spike);
                Thread buyer = new Thread(() -> buy(spike, done, samples));
                buyer.start();
                buyers.add(buyer);
            }
            long backNanos = awaitExpiry(sale, "buyer" + (holds - 1));
            done.set(true);
            for (Thread buyer : buyers) {
                buyer.join();
            }
            String during = "while they expire";
            tell(result, "before", samples, firstNanos - QUIET.toNanos(), firstNanos);
            tell(result, during, samples, firstNanos, backNanos);
            long lateNanos = Math.max(0, backNanos - lastNanos);
            result.add(List.of(during), "last unit back after, ms", lateNanos / 1e6);
        } finally {
            done.set(true);
            spikes.forEach(Spike::close);
            redis.deleteSale(saleId);
        }
    }

    private static void makeHolds(RedisSpike sale, int holds) {
        for (int from = 0; from < holds; from += BATCH) {
            sale.reserve(
                    IntStream.range(from, Math.min(from + BATCH, holds))
                            .mapToObj(
                                    i -> new Request(new ReservationId("buyer" + i, "key" + i), 1))
                            .toList(),
                    Long.MAX_VALUE);
        }
    }

    private static void buy(Spike spike, AtomicBoolean done, Collection<Sample> samples) {
        while (!done.get()) {
            long start = System.nanoTime();
            Outcome outcome = spike.reserve(1).outcome();
            if (outcome != Outcome.RESERVED) {
                throw new IllegalStateException("not reserved: " + outcome);
            }
            samples.add(new Sample(start, System.nanoTime() - start));
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** The moment at which the store says that the buyer's hold has ended; the last of all. */
    private static long awaitExpiry(RedisSpike sale, String buyer) {
        while (sale.reservationsOf(buyer, null)
                        .reservations()
                        .get(0)
                        .reservation()
                        .state()
                != Outcome.EXPIRED) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return System.nanoTime();
    }

    private static void tell(
            Result result, String when, Collection<Sample> samples, long from, long to) {
        long[] took = samples.stream()
                .filter(sample -> sample.atNanos() >= from && sample.atNanos() < to)
                .mapToLong(Sample::tookNanos)
                .sorted()
                .toArray();
        if (took.length == 0) {
            throw new IllegalStateException("nothing was reserved " + when);
        }
        List<String> row = List.of(when);
        result.add(row, "reserves", took.length);
        result.add(row, "p50, ms", quantile(took, 0.5) / 1e6);
        result.add(row, "p99, ms", quantile(took, 0.99) / 1e6);
        result.add(row, "p99.9, ms", quantile(took, 0.999) / 1e6);
        result.add(row, "max, ms", took[took.length - 1] / 1e6);
    }

    private static long quantile(long[] sorted, double q) {
        return sorted[(int) Math.min(sorted.length - 1, Math.ceil(sorted.length * q))];
    }
}
