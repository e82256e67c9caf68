package dev.spike.bench;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
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
import dev.spike.redis.RedisSpike;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

import java.time.Duration;
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
import java.util.stream.IntStream;

/**
 * What a reservation, a confirmation and a refusal cost Redis, by how it appends its changes to a
 * file and by the size of the batch that they come in. Each round has a fresh sale with a per-buyer
 * limit: it sells all its units to as many buyers, one unit each, confirms them all, and refuses as
 * many other buyers.
 *
 * <p>Script time is elapsed: on a busy machine it includes the time in which Redis did not have the
 * core. The CPU is that of Redis' main thread, in scripts and between them.
 */
@Command(name = "RedisCpu", description = "What a reservation costs Redis.")
public final class RedisCpu extends BenchCommand {

    private static final int[] BATCHES = {1, 10, 100, 500};
    private static final int PER_BUYER = 4;

    /** What leaves nothing in the store. */
    private static final String REFUSE = "refuse";

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "a running Redis; if absent, one is started for each way to append:"
                    + " none, everysec, always")
    private @Nullable String redis;

    @Option(
            names = "--reservations",
            paramLabel = "N",
            description = "units that each round sells, of each batch size")
    int reservations = 25_000;

    @Option(names = "--callers", paramLabel = "N", description = "threads that call")
    int callers = 4;

    /** Measures and prints. */
    public static void main(String[] args) {
        runAndExit(new RedisCpu(), args);
    }

    @Override
    protected Result measure() {
        int largest = BATCHES[BATCHES.length - 1];
        if (reservations < largest || reservations % largest != 0) {
            throw new IllegalArgumentException("must be a multiple of the largest batch, " + largest
                    + ": reservations=" + reservations);
        }
        Result result = new Result("AOF", "what", "batch");
        Map<String, BenchRedis> servers = new LinkedHashMap<>();
        try {
            if (redis != null) {
                servers.put("as it is", BenchRedis.at(redis));
            } else {
                servers.put("none", BenchRedis.child("--appendonly", "no"));
                for (String policy : List.of("everysec", "always")) {
                    servers.put(
                            policy,
                            BenchRedis.child("--appendonly", "yes", "--appendfsync", policy));
                }
            }
            // The first round loads the scripts and warms this JVM; it is not counted.
            for (int round = 0; round <= rounds; round++) {
                Result counted = round == 0 ? new Result("AOF", "what", "batch") : result;
                servers.forEach((policy, server) -> measure(server, policy, counted));
            }
        } finally {
            servers.values().forEach(BenchRedis::close);
        }
        result.about(String.format(
                Locale.ROOT,
                "%,d reservations in each round, %d callers, per-buyer limit on.",
                reservations,
                callers));
        return result;
    }

    private void measure(BenchRedis server, String policy, Result result) {
        ExecutorService threads = Executors.newFixedThreadPool(callers);
        try (RedisClient client = server.client(callers);
                Jedis jedis = server.jedis()) {
            RedisMeter meter = new RedisMeter(jedis);
            result.about(meter.server() + ".");
            for (int batch : BATCHES) {
                round(server, client, new Calls(meter, threads), batch).forEach((what, used) -> {
                    List<String> row = List.of(policy, what, Integer.toString(batch));
                    result.add(
                            row, "script, µs a call", (double) used.scriptMicros() / used.calls());
                    result.add(row, "script, µs each", (double) used.scriptMicros() / reservations);
                    result.add(
                            row,
                            "main thread CPU, µs each",
                            (double) used.cpuMicros() / reservations);
                    if (!what.equals(REFUSE)) {
                        result.add(row, "memory, bytes each", (double) used.bytes() / reservations);
                    }
                });
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private Map<String, Used> round(BenchRedis server, RedisClient client, Calls calls, int batch) {
        String saleId = "cpu-" + UUID.randomUUID();
        RemoteSpike sale = new RedisSpike(client, saleId, null);
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
        Map<String, Used> used = new LinkedHashMap<>();
        used.put(
                "reserve",
                calls.run(
                        buyers,
                        Outcome.RESERVED,
                        b -> sale.reserve(b, Long.MAX_VALUE).answers()));
        used.put(
                "confirm",
                calls.run(
                        ends,
                        Outcome.CONFIRMED,
                        b -> sale.settle(b, Long.MAX_VALUE).answers()));
        used.put(
                REFUSE,
                calls.run(
                        others,
                        Outcome.SOLD_OUT,
                        b -> sale.reserve(b, Long.MAX_VALUE).answers()));
        server.deleteSale(saleId);
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
}
