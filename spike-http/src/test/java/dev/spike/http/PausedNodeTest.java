package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import redis.clients.jedis.UnifiedJedis;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A node that stands still (SIGSTOP) in the midst of a reserve for longer than every timeout. */
@Timeout(180)
final class PausedNodeTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration PAUSE = PausingNode.TIMEOUT.plus(RedisStore.TIMEOUT);
    private static final String CALL =
            "RedisSpike.reserve < GateKeeper.ask < Reserving.send: EVALSHA ";

    /** The call comes too late, and changes nothing. */
    private static final List<String> BEFORE = List.of(
            "GroupCommit$Group.send begins",
            "Reserving.send begins",
            "RedisSpike.reserve begins",
            CALL + "before send");

    /** The call has been made, or is not yet to be made in haste. */
    private static final List<String> AFTER =
            List.of(CALL + "after send", CALL + "after execution", CALL + "after reply");

    private static final ReservationId KEY = new ReservationId("key", "key");
    private static final String ANSWERED = "answered key ";

    @TempDir
    Path dir;

    @Test
    void pausedInAReserve_lateCallsChangeNothing_andRepeatsAreHarmless() throws Exception {
        Path woven = Files.createDirectories(dir.resolve("woven"));
        Woven.into(woven, Spike.class, RedisStore.class);
        CrashRun run = new CrashRun(woven);
        EmbeddedRedis redis = EmbeddedRedis.start(dir.resolve("redis"));
        // Side by side, since most of it is waiting.
        ExecutorService threads = Executors.newCachedThreadPool();
        try (UnifiedJedis client = CrashRun.client(redis.uri())) {
            // Redis knows the script from here on; else the call that is paused would not run it.
            new RedisSpike(client, "warm", null)
                    .reserve(List.of(new Request(KEY, 1)), Long.MAX_VALUE);
            List<Future<?>> pauses = new ArrayList<>();
            for (String point : BEFORE) {
                pauses.add(threads.submit(() -> pause(run, redis, client, point, true)));
            }
            for (String point : AFTER) {
                pauses.add(threads.submit(() -> pause(run, redis, client, point, false)));
            }
            for (Future<?> one : pauses) {
                one.get();
            }
        } finally {
            threads.shutdown();
            redis.close();
        }
    }

    private Object pause(
            CrashRun run, EmbeddedRedis redis, UnifiedJedis client, String point, boolean isLate)
            throws Exception {
        String saleId = "paused-" + UUID.randomUUID();
        RedisSpike stock = new RedisSpike(client, saleId, null);
        stock.open(Sale.of(saleId, 10));
        Levels before = stock.levels();
        try (Child child = run.start(dir, Map.of(), PausingNode.class, redis.uri(), saleId)) {
            Outcome late = reserve(child, stock, point, true);
            if (isLate) {
                assertThat(late).as(point).isIn(Outcome.UNKNOWN, Outcome.UNAVAILABLE);
                assertThat(stock.find(KEY)).as(point).isNull();
                assertThat(stock.levels().sequence()).as(point).isEqualTo(before.sequence());
            } else {
                assertThat(late).as(point).isIn(Outcome.RESERVED, Outcome.UNKNOWN);
            }
            Answer again = stock.reserve(List.of(new Request(KEY, 1)), Long.MAX_VALUE)
                    .answers()
                    .get(0);
            assertThat(again.outcome()).isEqualTo(Outcome.RESERVED);
            assertThat(again.repeated()).as(point).isEqualTo(!isLate);
            assertThat(reserve(child, stock, "nowhere", false)).isEqualTo(Outcome.RESERVED);
        }
        assertThat(Conservation.reservations(stock)).containsOnlyKeys(KEY);
        Conservation.check(stock);
        Conservation.drain(stock);
        return point;
    }

    /** Has the child reserve, and pauses it at the point; what it was answered then. */
    private static Outcome reserve(Child child, RedisSpike stock, String point, boolean pauses)
            throws Exception {
        int before = answers(child).size();
        child.say("key " + point);
        if (pauses) {
            await().atMost(PATIENCE).until(() -> child.out().contains("paused\n"));
            Signals.stop(child.pid());
            try {
                child.say("go on");
                Instant end = stock.levels().asOf().plus(PAUSE);
                await().atMost(PATIENCE).until(() -> stock.levels().asOf().isAfter(end));
            } finally {
                Signals.resume(child.pid());
            }
        }
        await().atMost(PATIENCE).until(() -> !child.isAlive() || answers(child).size() > before);
        assertThat(answers(child)).as(child.err()).hasSize(before + 1);
        return Outcome.valueOf(answers(child).get(before).substring(ANSWERED.length()));
    }

    private static List<String> answers(Child child) {
        return child.out().lines().filter(line -> line.startsWith(ANSWERED)).toList();
    }
}
