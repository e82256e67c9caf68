package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Spike;
import dev.spike.redis.RedisStore;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A node that dies at any point of any verb; then a fresh one finds all as it was answered. */
@Timeout(value = 4, unit = TimeUnit.HOURS)
final class NodeCrashTest {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** Those at which a promise hangs, whatever the sample. */
    private static final List<String> ALWAYS = List.of(
            "reserve: RedisSpike.reserve < GateKeeper.ask < Reserving.send: EVALSHA after execution",
            "relay: JdbcOrderBook.writeAll < JdbcOrderBook.write < Delivery.write: before commit",
            "relay: RedisOrderLog.acknowledge < OrderRelay.acknowledge < OrderRelay.deliverHeld: EVALSHA before send",
            "relay: RedisOrderLog.acknowledge < OrderRelay.acknowledge < OrderRelay.deliverHeld: EVALSHA after execution");

    private static final int SHORT = 8;

    @TempDir
    static Path dir;

    private static EmbeddedRedis redis;
    private static CrashRun run;

    @BeforeAll
    static void startRedis() throws Exception {
        redis = EmbeddedRedis.start(dir.resolve("redis"));
        Path woven = Files.createDirectories(dir.resolve("woven"));
        Woven.into(woven, Spike.class, RedisStore.class, SpikeServer.class);
        run = new CrashRun(woven);
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    @Test
    void killedAnywhere_theNextNodeFindsWhatWasAnswered() throws Exception {
        List<String> lived = new ArrayList<>();
        String saleId = newSaleId();
        // Also, Redis knows all scripts from here on, so that each run sends the same.
        new CrashingNode(redis.uri(), saleId, orders(saleId), lived::add).run();
        NodeAftermath.check(redis.uri(), saleId, orders(saleId), new CrashHistory(lived));

        Set<String> points = points();
        CrashingNode.CALLS.forEach((verb, call) -> CrashRun.assertNamed(points, verb, call));
        Set<String> sample = CrashRun.sample(points, SHORT, ALWAYS);
        CrashRun.all(sample, ALWAYS, points.size(), NodeCrashTest::diesAt);
    }

    private static Set<String> points() {
        Child child = start(newSaleId(), Map.of(CrashPoint.NAME_ALL, "true"));
        assertThat(child.exitCode(PATIENCE)).as(child.err()).isZero();
        return CrashRun.points(child);
    }

    private static boolean diesAt(String point) {
        String saleId = newSaleId();
        Child child = start(saleId, Map.of(CrashPoint.DIE_AT, point));
        int exitCode = child.exitCode(PATIENCE);
        assertThat(exitCode).as(child.err()).isIn(0, CrashPoint.DIED);
        CrashHistory history = new CrashHistory(child.out().lines().collect(Collectors.toList()));
        NodeAftermath.check(redis.uri(), saleId, orders(saleId), history);
        return exitCode == CrashPoint.DIED;
    }

    private static Child start(String saleId, Map<String, String> properties) {
        return run.start(
                dir,
                properties,
                CrashingNode.class,
                Stream.of(redis.uri(), saleId, orders(saleId)).toArray(String[]::new));
    }

    private static String orders(String saleId) {
        return "jdbc:h2:file:" + dir.resolve(saleId).toAbsolutePath();
    }

    private static String newSaleId() {
        return "crash-" + UUID.randomUUID();
    }
}
