package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** More requests at once than a paused Redis can serve: told so with a delay, and it recovers. */
@Timeout(120)
final class OverloadTest {

    private static final String RESERVATIONS = "/v1/sales/ticket/reservations";
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MANY = Boolean.getBoolean("spike.slow") ? 5_000 : 1_000;

    @RegisterExtension
    final Servers servers = new Servers();

    @TempDir
    Path data;

    private TestServer start() {
        return servers.start(
                "--redis=embedded", "--data=" + data, "--orders=none", "--total=1000000");
    }

    private static String request(int i) {
        return Wire.post(RESERVATIONS, "request-" + i, "{\"buyer\":\"a\"}");
    }

    private static void assertBusy(Wire.Answer answer) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(503);
        assertThat(answer.head()).containsPattern("\r\nRetry-After: [1-9]\\d*\r\n");
        assertThat(answer.body())
                .containsPattern("urn:spike:problem:(unavailable|unknown)")
                .containsPattern("\"retryAfterMillis\":[1-9]");
    }

    @Test
    void reservations_redisPaused_eachToldLater_andEachKeySellsOnceAfterwards() throws Exception {
        TestServer server = start();
        List<Wire> wires = new ArrayList<>();
        Signals.stop(data);
        try {
            for (int i = 0; i < MANY; i++) {
                wires.add(Wire.open(server.port()).send(request(i)));
            }
            for (Wire wire : wires) {
                assertBusy(wire.read());
            }
        } finally {
            Signals.resume(data);
        }
        await().atMost(PATIENCE).until(() -> server.get("/readyz").statusCode() == 200);
        try (Wire wire = Wire.open(server.port())) {
            for (int i = 0; i < MANY; i++) {
                assertThat(wire.send(request(i)).read().status()).isEqualTo(201);
            }
        }
        assertThat(server.levels("ticket")).isEqualTo(1_000_000 - MANY + " " + MANY + " 0");
        wires.forEach(Wire::close);
        await().atMost(PATIENCE).until(() -> server.underWay() == 0);
    }

    /**
     * 4 are made and 256 wait, for a second at most: with Redis paused all would take half a
     * minute.
     */
    @Test
    void lookUps_redisPaused_noneWaitsLong_andThoseThatDoNotFitAreToldAtOnce() throws Exception {
        TestServer server = start();
        List<Wire> wires = new ArrayList<>();
        Signals.stop(data);
        try {
            for (int i = 0; i < 400; i++) {
                wires.add(Wire.open(server.port()).send(Wire.get(RESERVATIONS + "/request-1")));
            }
            await().atMost(PATIENCE).until(() -> server.underWay() <= 260);
            long start = System.nanoTime();
            for (Wire wire : wires) {
                assertBusy(wire.read());
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isLessThan(Duration.ofSeconds(10));
        } finally {
            Signals.resume(data);
        }
        await().atMost(PATIENCE)
                .until(() -> server.get(RESERVATIONS + "/request-1").statusCode() == 404);
        wires.forEach(Wire::close);
    }
}
