package dev.spike.bench;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
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
 * reserves a unit every two milliseconds. Prints a table of Markdown. Properties:
 * {@code spike.redis} (see {@link BenchRedis}), {@code spike.holds} (100000), {@code spike.nodes}
 * (4), {@code spike.rounds} (3).
 */
public final class MassExpiry {

    private static final Duration QUIET = Duration.ofSeconds(3);
    private static final long PAUSE_NANOS = Duration.ofMillis(2).toNanos();
    private static final int BATCH = 500;

    private record Sample(long atNanos, long tookNanos) {}

    private MassExpiry() {}

    /** Measures and prints. */
    public static void main(String[] args) throws InterruptedException {
        try (BenchRedis redis = BenchRedis.start()) {
            System.out.print(report(
                    redis,
                    Integer.getInteger("spike.holds", 100_000),
                    Integer.getInteger("spike.nodes", 4),
                    Integer.getInteger("spike.rounds", 3)));
        }
    }

    static String report(BenchRedis redis, int holds, int nodes, int rounds)
            throws InterruptedException {
        StringBuilder table = new StringBuilder("| | reserves | p50, ms | p99, ms | p99.9, ms |"
                + " max, ms | last unit back after, ms |\n|---|---:|---:|---:|---:|---:|---:|\n");
        for (int round = 0; round < rounds; round++) {
            table.append(round(redis, holds, nodes));
        }
        return table.toString();
    }

    private static String round(BenchRedis redis, int holds, int nodes)
            throws InterruptedException {
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
            return row("before", samples, firstNanos - QUIET.toNanos(), firstNanos, "")
                    + row(
                            "while they expire",
                            samples,
                            firstNanos,
                            backNanos,
                            millis(Math.max(0, backNanos - lastNanos)));
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

    private static String row(
            String name, Collection<Sample> samples, long from, long to, String back) {
        long[] took = samples.stream()
                .filter(sample -> sample.atNanos() >= from && sample.atNanos() < to)
                .mapToLong(Sample::tookNanos)
                .toArray();
        if (took.length == 0) {
            throw new IllegalStateException("nothing was reserved " + name);
        }
        Arrays.sort(took);
        return "| " + name + " | " + took.length + " | " + millis(quantile(took, 0.5)) + " | "
                + millis(quantile(took, 0.99)) + " | " + millis(quantile(took, 0.999)) + " | "
                + millis(took[took.length - 1]) + " | " + back + " |\n";
    }

    private static long quantile(long[] sorted, double q) {
        return sorted[(int) Math.min(sorted.length - 1, Math.ceil(sorted.length * q))];
    }

    private static String millis(long nanos) {
        return String.format(Locale.ROOT, "%.2f", nanos / 1e6);
    }
}
