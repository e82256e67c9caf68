package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Signals to a real server process: nothing that was answered is lost, and nothing is left. */
@Timeout(180)
final class ShutdownTest {

    private static final String RESERVATIONS = "/v1/sales/ticket/reservations";
    private static final Duration STOP = Duration.ofSeconds(15);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int CLIENTS = Boolean.getBoolean("spike.slow") ? 128 : 24;
    private static final int BEFORE = Boolean.getBoolean("spike.slow") ? 20_000 : 500;
    private static final int NO_ANSWER = 0;

    @TempDir
    Path dir;

    private Child start(String... more) {
        List<String> flags = new ArrayList<>(List.of("--port=0", "--total=1000000"));
        flags.addAll(List.of(more));
        return Child.start(dir, Map.of(), flags.toArray(String[]::new));
    }

    private Path data() {
        return dir.resolve("spike-data");
    }

    private static String reserve(String key) {
        return Wire.post(RESERVATIONS, key, "{\"buyer\":\"alice\"}");
    }

    @Test
    void sigtermTwice_underLoad_everyAnswerIsKeptAndEveryKeyResolves() throws Exception {
        Map<String, Integer> statuses = new ConcurrentHashMap<>();
        try (Child child = start()) {
            long redis = Signals.pid(loaded(child, statuses));
            child.terminate();
            child.terminate();
            assertThat(child.exitCode(STOP)).isZero();
            assertThat(ProcessHandle.of(redis)).isEmpty();
            assertThat(child.err()).isEmpty();
        }
        await().atMost(PATIENCE).until(() -> clients.get() == 0);
        assertThat(statuses.values()).contains(201).isSubsetOf(201, 503, NO_ANSWER);
        try (Child again = start()) {
            try (Wire wire = Wire.open(again.port())) {
                for (Map.Entry<String, Integer> one : statuses.entrySet()) {
                    Wire.Answer repeated = wire.send(reserve(one.getKey())).read();
                    assertThat(repeated.status()).as(one + repeated.body()).isEqualTo(201);
                    if (one.getValue() == 201) {
                        assertThat(repeated.head()).contains("Idempotent-Replayed: true");
                    }
                }
            }
            assertOrderedOnce(again, statuses.size());
        }
    }

    private final AtomicInteger clients = new AtomicInteger();

    /** Clients at full load, each until its connection ends; the data directory, once they sell. */
    private Path loaded(Child child, Map<String, Integer> statuses) {
        int port = child.port();
        for (int i = 0; i < CLIENTS; i++) {
            String name = "client-" + i + "-";
            clients.incrementAndGet();
            new Thread(() -> buy(port, name, statuses)).start();
        }
        await().atMost(PATIENCE).until(() -> statuses.size() >= BEFORE);
        return data();
    }

    private void buy(int port, String name, Map<String, Integer> statuses) {
        String key = "";
        try (Wire wire = Wire.open(port)) {
            for (int n = 0; ; n++) {
                key = name + n;
                wire.send(reserve(key));
                statuses.put(key, wire.read().status());
            }
        } catch (IOException cut) {
            statuses.putIfAbsent(key, NO_ANSWER);
        } finally {
            clients.decrementAndGet();
        }
    }

    private static void assertOrderedOnce(Child child, int reservations) {
        await().atMost(PATIENCE)
                .until(() -> child.admin("/v1/sales/ticket/orders").contains("\"backlog\":0"));
        JsonNode audit = TestServer.json(child.admin("/v1/sales/ticket/audit"));
        assertThat(audit.at("/balanced").booleanValue()).as("%s", audit).isTrue();
        for (String place : new String[] {"reservations", "orders"}) {
            assertThat(audit.at("/sums/" + place + "/reserved/reservations").intValue())
                    .as("%s", audit)
                    .isEqualTo(reservations);
        }
    }

    /** While Redis is paused, what is under way holds up the end, so that it can be watched. */
    @Test
    void sigterm_requestsUnderWay_notReadyFirstAndTheseAreAnswered() throws Exception {
        try (Child child = start("--orders=none")) {
            int port = child.port();
            List<Wire> wires = new ArrayList<>();
            for (int i = 0; i < 121; i++) {
                wires.add(Wire.open(port).send(Wire.get("/healthz")));
                assertThat(wires.get(i).read().body()).isEqualTo("ok");
            }
            Signals.stop(data());
            try {
                wires.get(0).send(reserve("under-way-0"));
                // It is under way once later ones are answered.
                for (int i = 119; i < 121; i++) {
                    assertThat(wires.get(i).send(Wire.get("/healthz")).read().body())
                            .isEqualTo("ok");
                }
                child.terminate();
                String ready = "";
                for (int i = 1; i < 119 && !ready.equals("stopping"); i += 2) {
                    wires.get(i).send(reserve("under-way-" + i));
                    Wire.Answer answer =
                            wires.get(i + 1).send(Wire.get("/readyz")).read();
                    assertThat(answer.status()).isIn(200, 503);
                    ready = answer.body();
                }
                assertThat(ready).isEqualTo("stopping");
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThatThrownBy(() -> Wire.open(port))
                                .isInstanceOf(ConnectException.class));
            } finally {
                Signals.resume(data());
            }
            Wire.Answer first = wires.get(0).read();
            assertThat(first.status()).isIn(201, 503);
            assertThat(child.exitCode(STOP)).isZero();
            assertThat(child.err()).doesNotContain("ERROR", "\tat ");
            for (Wire late : wires.subList(1, 119)) {
                // Those that came too late were cut, or told so; none met an error.
                assertThat(late.readToEnd()).doesNotContain(" 500 ");
            }
        }
    }

    @Test
    void sigterm_duringTheStart_exits0AndLeavesNoRedis() throws Exception {
        assertStartTakenBack("redis/redis.port");
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(strings = {"lock", "redis/redis-server", "redis/redis.pid"})
    void sigterm_atOtherPointsOfTheStart_exits0AndLeavesNoRedis(String begun) throws Exception {
        assertStartTakenBack(begun);
    }

    private void assertStartTakenBack(String begun) throws Exception {
        try (Child child = start("--orders=none")) {
            await().pollInterval(Duration.ofMillis(1))
                    .atMost(PATIENCE)
                    .until(() -> Files.exists(data().resolve(begun)));
            child.terminate();
            assertThat(child.exitCode(STOP)).isZero();
        }
        Path pid = data().resolve("redis/redis.pid");
        if (Files.exists(pid)) {
            assertThat(ProcessHandle.of(Signals.pid(data()))).isEmpty();
        }
        assertThat(data().resolve("redis/redis.port")).doesNotExist();
    }

    /**
     * Where this build itself ignores SIGINT, as in the background of a shell, so does the child.
     */
    @Test
    void sigint_exits0UnlessIgnored() throws Exception {
        boolean ignored =
                new ProcessBuilder("sh", "-c", "kill -INT $$; exit 7").start().waitFor() == 7;
        try (Child child = start("--orders=none")) {
            child.port();
            long redis = Signals.pid(data());
            child.interrupt();
            if (ignored) {
                assertThat(child.get("/readyz")).isEqualTo("ok");
                child.terminate();
            }
            assertThat(child.exitCode(STOP)).isZero();
            assertThat(ProcessHandle.of(redis)).isEmpty();
        }
    }

    @Tag("slow")
    @Test
    void sigterm_redisPaused_exits0InTimeAndLeavesNone() throws Exception {
        try (Child child = start()) {
            assertThat(child.get("/buy/ticket")).contains("\"code\":1");
            long redis = Signals.pid(data());
            Signals.stop(data());
            child.terminate();
            assertThat(child.exitCode(STOP)).isZero();
            await().atMost(PATIENCE).until(() -> ProcessHandle.of(redis).isEmpty());
        }
        try (Child again = start()) {
            assertThat(again.get("/v1/sales/ticket")).contains("\"reserved\":1");
        }
    }
}
