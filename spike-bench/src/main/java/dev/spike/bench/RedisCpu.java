package dev.spike.bench;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.rig.RedisMeter.Used;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.redis.RedisStore;

import redis.clients.jedis.Jedis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a reservation, a confirmation and a refusal cost Redis, by the size of the batch that they
 * come in. Each round has a fresh sale with a per-buyer limit: it sells all its units to as many
 * buyers, one unit each, confirms them all, and refuses as many other buyers.
 *
 * <p>Prints tables of Markdown. Properties: {@code spike.redis} (see {@link BenchRedis}),
 * {@code spike.rounds} (3), {@code spike.reservations} in each round (100000),
 * {@code spike.callers}, the threads that call (4).
 */
public final class RedisCpu {

    private static final int[] BATCHES = {1, 10, 100, 500};
    private static final int PER_BUYER = 4;

    private final BenchRedis redis;
    private final int rounds;
    private final int reservations;
    private final int callers;

    RedisCpu(BenchRedis redis, int rounds, int reservations, int callers) {
        this.redis = redis;
        this.rounds = rounds;
        this.reservations = reservations;
        this.callers = callers;
    }

    /** Measures and prints. */
    public static void main(String[] args) {
        try (BenchRedis redis = BenchRedis.start()) {
            System.out.print(new RedisCpu(
                            redis,
                            Integer.getInteger("spike.rounds", 3),
                            Integer.getInteger("spike.reservations", 100_000),
                            Integer.getInteger("spike.callers", 4))
                    .report());
        }
    }

    String report() {
        Map<String, List<Used>> measured = new LinkedHashMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(callers);
        try (RedisStore store = RedisStore.connect(redis.uri());
                Jedis jedis = redis.jedis()) {
            RedisMeter meter = new RedisMeter(jedis);
            // The first round loads the scripts and warms this JVM; it is not counted.
            for (int round = 0; round <= rounds; round++) {
                for (int batch : BATCHES) {
                    Map<String, Used> costs = round(store, meter, threads, batch);
                    if (round > 0) {
                        costs.forEach((path, used) -> measured.computeIfAbsent(
                                        path, first -> new ArrayList<>())
                                .add(used));
                    }
                }
            }
            return meter.server() + "\n\n" + rounds + " rounds of " + reservations
                    + " reservations, " + callers
                    + " callers, per-buyer limit on; each cell: min / median / max\n\n"
                    + table(measured);
        } finally {
            threads.shutdownNow();
        }
    }

    private Map<String, Used> round(
            RedisStore store, RedisMeter meter, ExecutorService threads, int batch) {
        String saleId = "cpu-" + UUID.randomUUID();
        RemoteSpike sale = store.sale(saleId);
        sale.open(Sale.of(saleId, reservations)
                .withPerBuyer(PER_BUYER)
                .withHold(Duration.ofHours(2)));
        List<List<Request>> buyers = requests("buyer-", batch);
        List<List<Request>> others = requests("other-", batch);
        List<List<Settlement>> ends = buyers.stream()
                .map(requests -> requests.stream()
                        .map(request -> new Settlement(request.id(), Outcome.CONFIRMED))
                        .toList())
                .toList();
        Calls calls = new Calls(meter, threads);
        String ofBatch = " | " + batch + " | ";
        Map<String, Used> used = new LinkedHashMap<>();
        used.put(
                "reserve" + ofBatch,
                calls.run(
                        buyers,
                        Outcome.RESERVED,
                        b -> sale.reserve(b, Long.MAX_VALUE).answers()));
        used.put(
                "confirm" + ofBatch,
                calls.run(
                        ends,
                        Outcome.CONFIRMED,
                        b -> sale.settle(b, Long.MAX_VALUE).answers()));
        used.put(
                "refuse" + ofBatch,
                calls.run(
                        others,
                        Outcome.SOLD_OUT,
                        b -> sale.reserve(b, Long.MAX_VALUE).answers()));
        redis.deleteSale(saleId);
        return used;
    }

    /** Buyers of 13 bytes, keys of 36. */
    private List<List<Request>> requests(String prefix, int batch) {
        Random keys = new Random(prefix.hashCode());
        return IntStream.range(0, reservations / batch)
                .mapToObj(call -> IntStream.range(call * batch, (call + 1) * batch)
                        .mapToObj(i -> new ReservationId(
                                prefix + (1_000_000 + i),
                                new UUID(keys.nextLong(), keys.nextLong()).toString()))
                        .map(id -> new Request(id, 1))
                        .toList())
                .toList();
    }

    /** Calls made by several threads, so that Redis need not wait for one of them. */
    private record Calls(RedisMeter meter, ExecutorService threads) {
        <T> Used run(
                List<List<T>> batches, Outcome expected, Function<List<T>, List<Answer>> call) {
            meter.restart();
            CompletableFuture.allOf(batches.stream()
                            .map(batch -> CompletableFuture.runAsync(
                                    () -> require(expected, call.apply(batch)), threads))
                            .toArray(CompletableFuture<?>[]::new))
                    .join();
            return meter.read();
        }

        private static void require(Outcome expected, List<Answer> answers) {
            for (Answer answer : answers) {
                if (answer.outcome() != expected) {
                    throw new IllegalStateException("must be " + expected + ": " + answer);
                }
            }
        }
    }

    private String table(Map<String, List<Used>> measured) {
        StringBuilder table = new StringBuilder("""
                | what | batch | calls | script µs per call | script µs each | main thread CPU µs each | bytes each |
                |---|---:|---:|---:|---:|---:|---:|
                """);
        measured.forEach((path, used) -> table.append("| ")
                .append(path)
                .append(used.get(0).calls())
                .append(spread(used, u -> (double) u.scriptMicros() / u.calls()))
                .append(spread(used, u -> (double) u.scriptMicros() / reservations))
                .append(spread(used, u -> (double) u.cpuMicros() / reservations))
                .append(spread(used, u -> (double) u.bytes() / reservations))
                .append(" |\n"));
        return table.toString();
    }

    private static String spread(List<Used> rounds, ToDoubleFunction<Used> of) {
        List<Double> sorted = rounds.stream().mapToDouble(of).sorted().boxed().toList();
        return IntStream.of(0, sorted.size() / 2, sorted.size() - 1)
                .mapToObj(i -> String.format(Locale.ROOT, "%.1f", sorted.get(i)))
                .collect(Collectors.joining(" / ", " | ", ""));
    }
}
