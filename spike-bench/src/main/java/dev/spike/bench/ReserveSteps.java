package dev.spike.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * What each step of the reserve script costs Redis, in batches of 100 fresh buyers: the script is
 * run cut short after each step, and the differences are told, each the median of the rounds.
 */
@Command(name = "ReserveSteps", description = "What each step of the reserve script costs.")
public final class ReserveSteps extends BenchCommand {

    private static final int BATCH = 100;
    private static final int CALLS = 600;

    /** Each step, and the start of the line after it. */
    private static final Map<String, String> STEPS = new LinkedHashMap<>();

    static {
        STEPS.put("entering the script, reading and checking the stock, TIME", "local per_buyer =");
        STEPS.put("unpacking the batch", "local read = ");
        STEPS.put("one HMGET for all buyers", "-- Further reservations");
        STEPS.put("the loop: checks, records, codes", "if made > 0 then");
        STEPS.put("one XADD", "  redis.call('HSET', KEYS[2], unpack(writes))");
        STEPS.put("one HSET for all records", "  reservations = reservations + made");
        STEPS.put("one HSET for the levels, the reply", "");
    }

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "a running Redis; if absent, one is started")
    private @Nullable String uri;

    /** Measures and prints. */
    public static void main(String[] args) {
        runAndExit(new ReserveSteps(), args);
    }

    @Override
    protected Result measure() {
        Result result = new Result("step");
        try (BenchRedis redis = BenchRedis.at(uri);
                RedisStore store = RedisStore.connect(redis.uri());
                Jedis jedis = redis.jedis()) {
            result.about(new RedisMeter(jedis).server() + ".");
            List<byte[]> batches = batches(store, redis, jedis);
            for (int round = 0; round < rounds; round++) {
                double before = 0;
                for (String step : STEPS.keySet()) {
                    double upToHere = run(store, redis, jedis, cutAfter(step), batches);
                    result.add(List.of(step), "script, µs each", upToHere - before);
                    result.add(List.of(step), "up to here, µs each", upToHere);
                    before = upToHere;
                }
            }
        }
        return result;
    }

    /** Microseconds of script time for each reservation. */
    private static double run(
            RedisStore store, BenchRedis redis, Jedis jedis, String script, List<byte[]> batches) {
        String saleId = newSale(store);
        byte[] sha1 = jedis.scriptLoad(script).getBytes(UTF_8);
        RedisMeter meter = new RedisMeter(jedis);
        meter.restart();
        for (int from = 0; from < CALLS; from += 50) {
            Pipeline pipeline = jedis.pipelined();
            List<Response<Object>> replies = batches.subList(from, from + 50).stream()
                    .map(batch -> pipeline.evalsha(
                            sha1,
                            keys(saleId),
                            List.of(("" + Long.MAX_VALUE).getBytes(UTF_8), batch)))
                    .toList();
            pipeline.sync();
            // An error of the script is thrown here.
            replies.forEach(Response::get);
        }
        double micros = (double) meter.read().scriptMicros() / (CALLS * BATCH);
        redis.deleteSale(saleId);
        return micros;
    }

    /** Batches as they are sent, taken from the log of a sale that got them. */
    private static List<byte[]> batches(RedisStore store, BenchRedis redis, Jedis jedis) {
        String saleId = newSale(store);
        RedisSpike sale = store.sale(saleId);
        for (int call = 0; call < CALLS; call++) {
            int from = call * BATCH;
            sale.reserve(
                    IntStream.range(from, from + BATCH)
                            .mapToObj(i -> new ReservationId(
                                    "buyer-" + (1_000_000 + i), "k".repeat(14) + (1_000_000 + i)))
                            .map(id -> new Request(id, 1))
                            .toList(),
                    Long.MAX_VALUE);
        }
        List<byte[]> batches = new ArrayList<>();
        for (Object entry :
                jedis.xrange(keys(saleId).get(2), "2".getBytes(UTF_8), "+".getBytes(UTF_8))) {
            List<?> fields = (List<?>) ((List<?>) entry).get(1);
            batches.add((byte[]) fields.get(fields.size() - 5));
        }
        redis.deleteSale(saleId);
        return batches;
    }

    private static String newSale(RedisStore store) {
        String saleId = "steps-" + UUID.randomUUID();
        store.sale(saleId).open(Sale.of(saleId, CALLS * BATCH).withPerBuyer(4));
        return saleId;
    }

    private static List<byte[]> keys(String saleId) {
        return List.of("stock", "reservations", "log").stream()
                .map(part -> ("spike:{" + saleId + "}:" + part).getBytes(UTF_8))
                .toList();
    }

    private static String cutAfter(String step) {
        String script = read("reserve.lua")
                .replace("--:include stock.lua", read("stock.lua"))
                .replace("--:include change.lua", read("change.lua"))
                .replace("--:include permission.lua", read("permission.lua"));
        String next = Objects.requireNonNull(STEPS.get(step));
        if (next.isEmpty()) {
            return script;
        }
        int at = script.indexOf("\n" + next) + 1;
        if (at == 0) {
            throw new IllegalStateException("reserve.lua has no line " + next);
        }
        // Else the next entry of the log would have the same id: a cost for each batch, not
        // request.
        String keep = script.indexOf("\n  log(made") < at
                ? "redis.call('HSET', KEYS[1], 'sequence', sequence) "
                : "";
        return script.substring(0, at) + keep + "do return 1 end\n" + script.substring(at);
    }

    private static String read(String file) {
        try (InputStream in = RedisSpike.class.getResourceAsStream(file)) {
            return new String(Objects.requireNonNull(in, file).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
