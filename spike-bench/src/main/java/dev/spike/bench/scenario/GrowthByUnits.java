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
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Sweep;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.redis.RedisSpike;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * How do memory and time grow with the units of a sale? Each sale is reserved whole, one unit for
 * each buyer, in batches that a few threads hand to the {@link RemoteSpike} itself; then its holds,
 * which are due by then, are all ended by one sweeper.
 *
 * <p>There is no {@code Spike} before it, nobody is refused, confirms or cancels, and no relay
 * reads the log. Buyers are of 13 bytes, keys of 36, and there is a per-buyer limit. A hold lasts
 * one millisecond, so that nobody need wait for its end; while a sale is reserved nobody sweeps,
 * and so none is ended.
 *
 * <p>Memory is that of Redis, by which it grew while the sale was reserved. Script time is what
 * Redis says of its scripts; it is elapsed, so on a busy machine it includes the time in which
 * Redis did not have the core. The other seconds are those of the caller's clock; the sweeper's
 * include the rests that the store gives to buyers.
 */
@Command(name = "growth-by-units", description = "How the cost grows with the units of a sale.")
public final class GrowthByUnits extends BenchCommand {

    private static final int PER_BUYER = 4;
    private static final int WARM_UP = 100_000;

    /** The store keeps sweepers away for 0.8 ms; the rest is for the way there. */
    private static final long SWEEP_EVERY_NANOS = 900_000;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "a running Redis; if absent, one is started, without persistence")
    private @Nullable String uri;

    @Option(names = "--units", paramLabel = "N", split = ",", description = "of each sale")
    private List<Integer> units = List.of(10_000, 100_000, 1_000_000, 5_000_000);

    @Option(names = "--batch", paramLabel = "N", description = "reservations in one call")
    private int batch = 500;

    @Option(names = "--callers", paramLabel = "N", description = "threads that reserve")
    private int callers = 4;

    /** With the default flags. */
    public GrowthByUnits() {}

    /** See {@code --help}. */
    public static void main(String... args) {
        runAndExit(new GrowthByUnits(), args);
    }

    @Override
    protected Result measure() {
        requirePositive("--batch", batch);
        requirePositive("--callers", callers);
        Growth growth = new Growth("units", units);
        Result result = growth.newRound();
        try (BenchRedis redis = BenchRedis.at(uri);
                Jedis jedis = redis.jedis()) {
            RedisMeter meter = new RedisMeter(jedis);
            result.about(meter.server() + ".");
            result.about("Reserved in batches of " + batch + " by " + callers
                    + " threads; swept by one.");
            result.about(growth.about());
            // Loads the scripts and warms this JVM; not counted.
            int warmUp = Math.min(WARM_UP, Collections.max(units));
            sell(redis, meter, warmUp, growth.row(warmUp), growth.newRound());
            for (int i = 0; i < rounds; i++) {
                Result round = growth.newRound();
                for (int size : units) {
                    sell(redis, meter, size, growth.row(size), round);
                }
                growth.addOrders(round);
                result.addAll(round);
            }
        }
        return result;
    }

    private void sell(
            BenchRedis redis, RedisMeter meter, int size, List<String> row, Result round) {
        String saleId = "growth-" + UUID.randomUUID();
        // A call that got no answer could not be repeated: its holds would be due by then.
        try (RedisClient client = redis.client(callers)) {
            RemoteSpike sale = new RedisSpike(client, saleId, null);
            sale.open(Sale.of(saleId, size).withPerBuyer(PER_BUYER).withHold(Duration.ofMillis(1)));
            meter.restart();
            double seconds = reserveAll(sale, size);
            Used used = meter.read();
            round.add(row, "memory, MiB", used.bytes() / 1048576.0);
            round.add(row, "memory, bytes each", (double) used.bytes() / size);
            round.add(row, "all reserved after, s", seconds);
            round.add(row, "reserve script, s", used.scriptMicros() / 1e6);
            round.add(row, "reserve script, µs each", (double) used.scriptMicros() / size);

            meter.restart();
            seconds = endAll(sale, size);
            used = meter.read();
            round.add(row, "all holds ended after, s", seconds);
            round.add(row, "sweep script, s", used.scriptMicros() / 1e6);
            round.add(row, "sweep script, µs a hold", (double) used.scriptMicros() / size);
        } finally {
            redis.deleteSale(saleId);
        }
    }

    private double reserveAll(RemoteSpike sale, int size) {
        AtomicInteger next = new AtomicInteger();
        long start = System.nanoTime();
        Parallel.run(callers, () -> {
            for (int from = next.getAndAdd(batch); from < size; from = next.getAndAdd(batch)) {
                List<Request> requests = requests(from, Math.min(from + batch, size));
                requireReserved(sale.reserve(requests, Long.MAX_VALUE).answers());
            }
        });
        double seconds = (System.nanoTime() - start) / 1e9;
        require(sale.levels(), 0, size);
        return seconds;
    }

    private static List<Request> requests(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> new ReservationId("buyer-" + (1_000_000 + i), key(i)))
                .map(id -> new Request(id, 1))
                .toList();
    }

    /** As if it were random, and other for each buyer. */
    private static String key(long buyer) {
        long mixed = (buyer + 1) * 0x9e3779b97f4a7c15L;
        return new UUID(mixed, Long.reverse(mixed)).toString();
    }

    private static void requireReserved(List<Answer> answers) {
        for (Answer answer : answers) {
            if (answer.outcome() != Outcome.RESERVED || answer.repeated()) {
                throw new IllegalStateException("must be reserved now: " + answer);
            }
        }
    }

    /** Sweeps as often as the store lets it, until there is no hold any more. */
    private static double endAll(RemoteSpike sale, int size) {
        long start = System.nanoTime();
        long lastNanos = start;
        int ended = 0;
        while (ended < size) {
            long sentNanos = System.nanoTime();
            Sweep sweep = sale.expire();
            ended += sweep.expired();
            if (sweep.expired() > 0) {
                lastNanos = sentNanos;
            } else if (sentNanos - lastNanos > PATIENCE_NANOS) {
                throw new IllegalStateException("no hold ends any more: ended=" + ended);
            }
            if (ended < size) {
                LockSupport.parkNanos(SWEEP_EVERY_NANOS - (System.nanoTime() - sentNanos));
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        require(sale.levels(), size, 0);
        return seconds;
    }

    private static void require(Levels levels, long available, long reserved) {
        if (levels.available() != available || levels.reserved() != reserved) {
            throw new IllegalStateException(
                    "must be available=" + available + " reserved=" + reserved + ": " + levels);
        }
    }
}
