package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What Prometheus is told; the names have {@link OperationsDocumentTest}. */
@Timeout(60)
final class MetricsHandlerTest {

    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    @RegisterExtension
    final Servers servers = new Servers();

    @TempDir
    Path dir;

    @Test
    void counts_afterKnownRequests_areExact() {
        TestServer server = servers.start("--total=5", "--per-buyer=2");
        server.buy("?buyer=alice&rid=request-1");
        server.buy("?buyer=alice&rid=request-1");
        server.buy("?buyer=alice");
        server.buy("?buyer=alice");
        server.reserve("ticket", "request-1", "{\"buyer\":\"alice\",\"quantity\":2}");
        HttpResponse<String> bobs =
                server.reserve("ticket", "request-2", "{\"buyer\":\"bob\",\"quantity\":2}");
        String bob = bobs.headers().firstValue("Location").orElseThrow();
        server.buy("");
        IntStream.range(0, 7).forEach(i -> server.buy(""));
        server.adminPost("/v1/sales/ticket/close", "");
        server.buy("");
        server.adminPost("/v1/sales/ticket/reopen", "");
        server.send("POST", bob + "/confirm", "");
        server.send("POST", bob + "/confirm", "");
        server.send("DELETE", bob, null);
        server.send("DELETE", TestServer.reservations("ticket") + "/Ym9i.request-9", null);

        Scrape scrape = Scrape.of(server);
        assertThat(scrape.nonZero("spike_requests_total", "sale", "local", "outcome"))
                .isEqualTo(Map.of(
                        "ticket false reserved", 5.0,
                        "ticket false limit_reached", 1.0,
                        "ticket false mismatch", 1.0,
                        "ticket true all_reserved", 7.0,
                        "ticket true closed", 1.0));
        assertThat(scrape.nonZero("spike_settlements_total", "wish", "outcome"))
                .isEqualTo(Map.of(
                        "confirm confirmed", 2.0,
                        "cancel confirmed", 1.0,
                        "cancel not_found", 1.0));
        assertThat(scrape.value("spike_reserved_units_total")).isEqualTo(5);
        assertThat(scrape.nonZero("spike_level_units", "level"))
                .isEqualTo(Map.of("reserved", 3.0, "sold", 2.0));
        assertThat(scrape.value("spike_total_units")).isEqualTo(5);
        assertThat(scrape.value("spike_conservation_error_units")).isZero();
        assertThat(scrape.value("spike_halted")).isZero();
        assertThat(scrape.value("spike_batch_requests_sum", "call", "reserve")).isEqualTo(7);
        assertThat(scrape.value("spike_batch_requests_sum", "call", "settle")).isEqualTo(4);
        assertThat(scrape.value(
                        "spike_remote_seconds_count", "call", "settle", "result", "answered"))
                .isEqualTo(4);
        assertThat(scrape.value("spike_remote_seconds_bucket", "call", "settle", "le", "+Inf"))
                .isEqualTo(4);
        assertThat(scrape.nonZero("spike_retries_total", "call")).isEmpty();
        assertThat(scrape.value("spike_http_connections", "listener", "buyers")).isPositive();
        assertThat(scrape.value("spike_http_connections", "listener", "admin")).isPositive();
        assertThat(scrape.value("spike_http_connections_limit")).isEqualTo(10_000);
        assertThat(scrape.value("spike_http_underway_requests")).isZero();
        assertThat(scrape.value("spike_http_watchers")).isZero();
        assertThat(scrape.value("spike_http_watchers_limit")).isEqualTo(1000);
    }

    @Test
    void watchers_areCounted_upToTheirLimit() throws Exception {
        TestServer server = servers.start("--connections=7");
        try (EventStream first = new EventStream(server.port(), "ticket");
                EventStream second = new EventStream(server.port(), "ticket")) {
            assertThat(List.of(first.status(), second.status())).containsOnly(200);
            Scrape scrape = Scrape.of(server);
            assertThat(scrape.value("spike_http_watchers")).isEqualTo(2);
            assertThat(scrape.value("spike_http_watchers_limit")).isEqualTo(3);
        }
    }

    @Test
    void scrapesAtOnce_areAllAnswered() throws Exception {
        TestServer server = servers.start();
        List<Wire> wires = new ArrayList<>();
        try {
            for (int i = 0; i < 50; i++) {
                wires.add(Wire.open(server.adminPort()));
            }
            for (Wire wire : wires) {
                wire.send(Wire.get("/metrics"));
            }
            for (Wire wire : wires) {
                assertThat(wire.read().status()).isEqualTo(200);
            }
        } finally {
            for (Wire wire : wires) {
                wire.close();
            }
        }
    }

    @Test
    void sales_eachOpenedOne_underItsOwnName() {
        TestServer server = servers.start("--total=5");
        server.open("tour", "{\"total\":7}");
        server.buy("");
        Scrape scrape = Scrape.of(server);
        assertThat(scrape.value("spike_total_units", "sale", "ticket")).isEqualTo(5);
        assertThat(scrape.value("spike_total_units", "sale", "tour")).isEqualTo(7);
        assertThat(scrape.nonZero("spike_requests_total", "sale", "outcome"))
                .isEqualTo(Map.of("ticket reserved", 1.0));
        server.restock("tour", "more", 3);
        assertThat(Scrape.of(server).value("spike_total_units", "sale", "tour")).isEqualTo(10);
    }

    @Test
    void storeThatDoesNotAnswer_isTold_withoutAskingIt() throws Exception {
        TestServer server = servers.start("--redis=embedded", "--data=" + dir, "--total=5");
        server.buy("");
        // The relay's first look and what it took.
        await().until(() -> Scrape.of(server).value("spike_relay_backlog_events") == 0);
        Signals.stop(dir);
        try {
            assertThat(server.buy("?rid=request-1").statusCode()).isEqualTo(503);
            assertThat(server.send(
                                    "POST",
                                    "/v1/sales/ticket/reservations/Ym9i.request-9/confirm",
                                    "")
                            .statusCode())
                    .isEqualTo(503);
            Scrape scrape = Scrape.of(server);
            assertThat(scrape.nonZero("spike_requests_total", "outcome"))
                    .isEqualTo(Map.of("reserved", 1.0, "unknown", 1.0));
            assertThat(scrape.nonZero("spike_settlements_total", "outcome"))
                    .isEqualTo(Map.of("unknown", 1.0));
            assertThat(scrape.value("spike_retries_total", "call", "reserve")).isPositive();
            assertThat(scrape.value(
                            "spike_remote_seconds_count", "call", "reserve", "result", "unknown"))
                    .isGreaterThanOrEqualTo(2);
            assertThat(scrape.value("spike_levels_age_seconds")).isGreaterThan(1.5);
            assertThat(scrape.value("spike_relay_seen_age_seconds")).isGreaterThan(1.5);
        } finally {
            Signals.resume(dir);
        }
        assertThat(server.buy("?rid=request-1").statusCode()).isIn(200, 503);
        await().atMost(Duration.ofSeconds(20))
                .until(() -> Scrape.of(server).value("spike_levels_age_seconds") < 1.2);
        await().atMost(Duration.ofSeconds(20))
                .until(() -> server.buy("?rid=request-1").statusCode() == 200);
    }

    @Test
    void token_isRequired() throws Exception {
        Path token = Files.writeString(dir.resolve("token"), TOKEN);
        TestServer server = servers.start("--admin-token-file=" + token);
        assertThat(server.admin("GET", "/metrics", null).statusCode()).isEqualTo(401);
        HttpResponse<String> scrape =
                server.admin("GET", "/metrics", null, "Authorization", "Bearer " + TOKEN);
        assertThat(scrape.statusCode()).isEqualTo(200);
        assertThat(scrape.headers().firstValue("Content-Type"))
                .contains("text/plain; version=0.0.4; charset=utf-8");
        assertThat(Scrape.parse(scrape.body()).named("spike_total_units")).hasSize(1);
    }

    @Test
    void route_isOnTheAdminListenerAlone_andRead() {
        TestServer server = servers.start();
        assertThat(server.get("/metrics").statusCode()).isEqualTo(404);
        assertThat(server.admin("POST", "/metrics", "").statusCode()).isEqualTo(405);
        HttpResponse<String> head = server.admin("HEAD", "/metrics", null);
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
    }

    @Test
    void labels_neverHoldABuyerOrAKey() {
        TestServer server = servers.start("--total=5");
        server.buy("?buyer=zoe-the-buyer&rid=zoes-request-1");
        String text = server.admin("GET", "/metrics", null).body();
        assertThat(text).contains("spike_requests_total").doesNotContain("zoe");
    }
}
