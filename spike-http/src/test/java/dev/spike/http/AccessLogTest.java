package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;

@Timeout(60)
final class AccessLogTest {

    @RegisterExtension
    final Servers servers = new Servers();

    @TempDir
    Path dir;

    private Path log;

    @BeforeEach
    void nameTheLog() {
        log = dir.resolve("access.log");
    }

    private TestServer start(String... flags) {
        String[] all = new String[flags.length + 1];
        all[0] = "--access-log=" + log;
        System.arraycopy(flags, 0, all, 1, flags.length);
        return servers.start(all);
    }

    private static List<String> lines(Path file, int count) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> Files.exists(file) && Files.readAllLines(file).size() >= count);
        try {
            List<String> lines = Files.readAllLines(file);
            assertThat(lines).hasSize(count);
            return lines;
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Test
    void line_isExactly() {
        Instant before = Instant.now().minusMillis(1);
        TestServer server = start("--total=1");
        server.buy("?buyer=alice&rid=request-1");
        String line = lines(log, 1).get(0);
        assertThat(line)
                .matches("\\{\"time\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\","
                        + "\"listener\":\"buyers\",\"method\":\"GET\",\"path\":\"/buy/ticket\","
                        + "\"status\":200,\"bytes\":31,\"micros\":\\d+,\"remote\":\"127.0.0.1\"}");
        JsonNode read = TestServer.json(line);
        assertThat(Instant.parse(read.get("time").textValue())).isBetween(before, Instant.now());
        assertThat(read.get("micros").longValue()).isBetween(1L, 60_000_000L);
    }

    @Test
    void lines_ofBothListeners_withoutQueriesBuyersAndIds() {
        TestServer server = start("--total=9");
        String id = server.reserve("ticket", "request-1", "{\"buyer\":\"alice\"}")
                .headers()
                .firstValue("Location")
                .orElseThrow();
        server.get(id);
        server.send("POST", id + "/confirm", "");
        server.send("DELETE", id, null);
        server.get("/v1/buyers/al%C3%AFce/reservations?sale=ticket");
        server.get("/nothing?secret=1");
        server.get("/a/../b");
        server.admin("HEAD", "/v1/sales/ticket", null);
        server.admin("GET", "/metrics", null);
        List<String> shown = lines(log, 9).stream()
                .map(TestServer::json)
                .map(line -> line.get("listener").textValue() + " "
                        + line.get("method").textValue() + " "
                        + line.get("path").textValue() + " " + line.get("status"))
                .toList();
        assertThat(shown)
                .containsExactly(
                        "buyers POST /v1/sales/ticket/reservations 201",
                        "buyers GET /v1/sales/ticket/reservations/{id} 200",
                        "buyers POST /v1/sales/ticket/reservations/{id}/confirm 200",
                        "buyers DELETE /v1/sales/ticket/reservations/{id} 409",
                        "buyers GET /v1/buyers/{buyer}/reservations 200",
                        "buyers GET /nothing 404",
                        "buyers GET /a/../b 400",
                        "admin HEAD /v1/sales/ticket 200",
                        "admin GET /metrics 200");
    }

    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/buy/ticket, /buy/ticket",
        "/v1/sales/ticket/reservations, /v1/sales/ticket/reservations",
        "/v1/sales/ticket/reservations/abc.def, /v1/sales/ticket/reservations/{id}",
        "/v1/sales/ticket/reservations/abc.def/extend, /v1/sales/ticket/reservations/{id}/extend",
        "/v1/sales/ticket/reservations/abc.def/x/y, /v1/sales/ticket/reservations/{id}",
        "/v1/sales/ticket/reservations//abc.def, /v1/sales/ticket/reservations/{id}",
        "/v1/buyers/alice/reservations, /v1/buyers/{buyer}/reservations",
        "/v1/buyers/alice, /v1/buyers/{buyer}",
        "/v1/buyers/al/ice/reservations, /v1/buyers/{buyer}/reservations",
        "//v1/buyers/alice/reservations/abc, …",
        "/v1/sales/ticket/Reservations/abc.def, /v1/sales/ticket/Reservations/{id}",
        "/v1/sales/ticket/reservations%2Fabc.def, /v1/sales/ticket/reservations…",
        "/v1/sales/ticket/reservations;x=/abc.def, /v1/sales/ticket/reservations…",
        "/v1/buyers%2Falice/reservations, /v1/buyers…",
        "/buy/ticket;buyer=alice, /buy/ticket…",
        "//user:pass@host/x, …"
    })
    void path_isShownWithoutWhatNamesSomebody(String path, String shown) {
        assertThat(AccessLog.shown(path)).isEqualTo(shown);
    }

    @Test
    void path_thatIsLong_isCut() {
        assertThat(AccessLog.shown("/" + "x".repeat(8_000))).hasSize(512);
    }

    @Test
    void request_thatNeverComesWhole_isLoggedWhenItsConnectionEnds() throws Exception {
        TestServer server = start();
        try (Wire wire = Wire.open(server.port())) {
            wire.send("POST /v1/sales/ticket/reservations HTTP/1.1\r\nHost: x\r\n"
                    + "Idempotency-Key: request-1\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 50\r\n\r\n{");
            wire.readToEnd();
        }
        JsonNode line = TestServer.json(lines(log, 1).get(0));
        assertThat(line.get("path").textValue()).isEqualTo("/v1/sales/ticket/reservations");
        assertThat(line.get("bytes").longValue()).isZero();
        assertThat(line.get("micros").longValue()).isGreaterThan(1_000_000);
    }

    @Test
    void manyAtOnce_eachHasALine() throws Exception {
        TestServer server = start("--total=5");
        IntStream.range(0, 400).parallel().forEach(i -> server.buy(""));
        assertThat(lines(log, 400)).allMatch(line -> line.contains("\"path\":\"/buy/ticket\""));
    }

    @Test
    void movedAway_goesOnInANewFile_andNothingIsLost() throws Exception {
        TestServer server = start();
        server.get("/first");
        lines(log, 1);
        Path old = Files.move(log, dir.resolve("access.log.1"));
        server.get("/second");
        assertThat(lines(log, 1).get(0)).contains("/second");
        assertThat(lines(old, 1).get(0)).contains("/first");
        assertThat(Scrape.of(server).value("spike_http_log_lost_lines_total", "log", "access"))
                .isZero();
    }
}
