package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

final class BuyTicketHandlerTest {

    private static final String BOUGHT = "{\"code\":1,\"msg\":\"抢票成功\"}";
    private static final String SOLD_OUT = "{\"code\":-1,\"msg\":\"已售罄\"}";
    private static final String BUSY = "{\"code\":-2,\"msg\":\"系统繁忙\"}";
    private static final String LIMIT_REACHED = "{\"code\":-3,\"msg\":\"超过限购\"}";
    private static final String NOT_OPEN = "{\"code\":-4,\"msg\":\"未开售\"}";

    @RegisterExtension
    final Servers servers = new Servers();

    private static void assertAnswer(HttpResponse<String> answer, int status, String body) {
        assertThat(answer.body()).isEqualTo(body);
        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().allValues("Content-Type")).containsExactly("application/json");
    }

    @Test
    void buy_unitsLeft_boughtAndFoundAtLocation() {
        TestServer server = servers.start("--total=2");
        HttpResponse<String> bought = server.buy("");
        assertAnswer(bought, 200, BOUGHT);
        String location = bought.headers().firstValue("Location").orElseThrow();
        assertThat(location).matches("/v1/sales/ticket/reservations/[A-Za-z0-9_-]{22}");
        assertThat(server.get(location).body())
                .contains("\"status\":\"reserved\"", "\"quantity\":1");
        assertThat(server.levels("ticket")).isEqualTo("1 1 0");
    }

    @Test
    void buy_allTaken_soldOutWithoutLocation() {
        TestServer server = servers.start("--total=1");
        assertAnswer(server.buy(""), 200, BOUGHT);
        HttpResponse<String> refused = server.buy("");
        assertAnswer(refused, 200, SOLD_OUT);
        assertThat(refused.headers().firstValue("Location")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"})
    void buy_anyMethod_bought(String method) {
        assertAnswer(servers.start("--total=1").send(method, "/buy/ticket", null), 200, BOUGHT);
    }

    @Test
    void buy_head_boughtWithoutBody() {
        TestServer server = servers.start("--total=1");
        HttpResponse<String> bought = server.send("HEAD", "/buy/ticket", null);
        assertThat(bought.headers().firstValue("Location")).isPresent();
        assertThat(bought.body()).isEmpty();
        assertThat(server.levels("ticket")).isEqualTo("0 1 0");
    }

    @Test
    void buy_bodyAndUnknownParameters_ignored() {
        TestServer server = servers.start("--total=1");
        assertAnswer(server.send("POST", "/buy/ticket?t=1&x", "whatever"), 200, BOUGHT);
    }

    @Test
    void buy_limitReached_refusedForThatBuyerOnly() {
        TestServer server = servers.start("--total=5", "--per-buyer=1");
        assertAnswer(server.buy("?buyer=alice"), 200, BOUGHT);
        assertAnswer(server.buy("?buyer=alice"), 200, LIMIT_REACHED);
        assertAnswer(server.buy("?buyer=b%C3%B6b+1"), 200, BOUGHT);
        assertAnswer(server.buy("?buyer=b%C3%B6b%201"), 200, LIMIT_REACHED);
        assertAnswer(server.buy(""), 200, BOUGHT);
        assertAnswer(server.buy(""), 200, BOUGHT);
        assertThat(server.levels("ticket")).isEqualTo("1 4 0");
    }

    @Test
    void buy_sameRid_sameReservationAlsoWhenSoldOut() {
        TestServer server = servers.start("--total=1");
        HttpResponse<String> first = server.buy("?rid=request-1");
        HttpResponse<String> again =
                server.send("GET", "/buy/ticket", null, "Idempotency-Key", "\"request-1\"");
        assertAnswer(again, 200, BOUGHT);
        assertThat(again.headers().firstValue("Location"))
                .isEqualTo(first.headers().firstValue("Location"))
                .contains("/v1/sales/ticket/reservations/request-1");
        assertAnswer(server.buy("?rid=request-2"), 200, SOLD_OUT);
        assertThat(server.levels("ticket")).isEqualTo("0 1 0");
    }

    @Test
    void buy_sameRidOfAnotherBuyer_anotherReservation() {
        TestServer server = servers.start("--total=5");
        server.buy("?rid=request-1&buyer=alice");
        server.buy("?rid=request-1&buyer=bob");
        server.buy("?rid=request-1&buyer=bob");
        assertThat(server.levels("ticket")).isEqualTo("3 2 0");
    }

    @Test
    void buy_ridOfAnEndedReservation_saysWhatItsUnitsAre() {
        TestServer server = servers.start("--total=5");
        String confirmed =
                server.buy("?rid=request-1").headers().firstValue("Location").orElseThrow();
        server.send("POST", confirmed + "/confirm", null);
        assertAnswer(server.buy("?rid=request-1"), 200, BOUGHT);
        String cancelled =
                server.buy("?rid=request-2").headers().firstValue("Location").orElseThrow();
        server.send("DELETE", cancelled, null);
        assertAnswer(server.buy("?rid=request-2"), 200, SOLD_OUT);
        assertThat(server.levels("ticket")).isEqualTo("4 0 1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rid=short",
                "rid=",
                "rid=has%20space1",
                "rid=request-1&rid=request-2",
                "rid=a2345678901234567890123456789012345678901234567890123456789012345",
                "buyer=",
                "buyer=a&buyer=b",
                "buyer=%FF",
                "buyer=%00",
                "buyer=a%0Ab"
            })
    void buy_malformedField_badRequestNamesIt(String query) {
        TestServer server = servers.start("--total=5");
        HttpResponse<String> refused = server.buy("?" + query);
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body())
                .contains("urn:spike:problem:bad-request", "\"" + query.replaceFirst("=.*", " "));
        assertThat(server.levels("ticket")).isEqualTo("5 0 0");
    }

    @Test
    void buy_ridAndOtherHeader_badRequest() {
        TestServer server = servers.start("--total=5");
        HttpResponse<String> refused = server.send(
                "GET", "/buy/ticket?rid=request-1", null, "Idempotency-Key", "request-2");
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(server.levels("ticket")).isEqualTo("5 0 0");
    }

    /** As nginx does when a back end goes away: the same bytes, here, there, and again. */
    @Test
    void request_repeatedByAProxy_sellsOnce(@TempDir Path data) throws Exception {
        TestServer first = servers.start("--redis=embedded", "--data=" + data, "--total=500");
        TestServer second = servers.start("--redis=" + first.redis(), "--total=500");
        for (int i = 0; i < 50; i++) {
            for (String request : List.of(
                    Wire.get("/buy/ticket?buyer=alice&rid=proxied-get-" + i),
                    Wire.post(
                            TestServer.reservations("ticket"),
                            "proxied-post-" + i,
                            "{\"buyer\":\"alice\"}"))) {
                Wire.open(first.port()).send(request).close();
                try (Wire here = Wire.open(first.port()).send(request);
                        Wire there = Wire.open(second.port()).send(request)) {
                    assertThat(there.read().head()).contains("\r\nLocation: ");
                    assertThat(here.read().head()).contains("\r\nLocation: ");
                }
            }
        }
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(first.levels("ticket")).isEqualTo("400 100 0"));
    }

    @Test
    void buy_manyAtOnce_exactlyTotalBought() {
        TestServer server = servers.start("--total=300", "--redis=none");
        List<String> answers = IntStream.range(0, 600)
                .parallel()
                .mapToObj(i -> server.buy("").body())
                .toList();
        assertThat(answers).filteredOn(BOUGHT::equals).hasSize(300);
        assertThat(answers).filteredOn(SOLD_OUT::equals).hasSize(300);
        assertThat(server.levels("ticket")).isEqualTo("0 300 0");
    }

    @Test
    void buy_saleOpensLater_notOpen(@TempDir Path data) {
        TestServer first = servers.start("--redis=embedded", "--data=" + data, "--sale=other");
        first.open("later", "{\"total\":7,\"opensAt\":\"2999-01-01T00:00:00Z\"}");
        TestServer second = servers.start("--redis=" + first.redis(), "--sale=later", "--total=7");
        assertThat(second.description()).contains("was open under these rules");
        assertAnswer(second.buy(""), 200, NOT_OPEN);
        assertAnswer(second.buy("?rid=request-1"), 200, NOT_OPEN);
        assertThat(second.levels("later")).isEqualTo("7 0 0");
    }

    @Test
    void buy_serverThatOpensItsSaleLater_notOpen_andSaysWhen() {
        TestServer server = servers.start(
                "--total=7",
                "--opens-at=2999-01-01T08:00:00+08:00",
                "--closes-at=2999-01-02T00:00:00Z");
        assertThat(server.description())
                .contains("opens at 2999-01-01T00:00:00Z, closes at 2999-01-02T00:00:00Z, opened");
        assertAnswer(server.buy(""), 200, NOT_OPEN);
        assertThat(server.levels("ticket")).isEqualTo("7 0 0");
    }

    @Test
    void buy_redisStopped_busyThenRecovers(@TempDir Path data) throws Exception {
        TestServer server = servers.start("--redis=embedded", "--data=" + data, "--total=50");
        assertAnswer(server.buy(""), 200, BOUGHT);
        Signals.stop(data);
        try {
            HttpResponse<String> busy = server.buy("?rid=request-1");
            assertAnswer(busy, 503, BUSY);
            assertThat(busy.headers().firstValueAsLong("Retry-After").orElseThrow())
                    .isPositive();
            HttpResponse<String> unknown =
                    server.reserve("ticket", "request-2", "{\"buyer\":\"a\"}");
            assertThat(unknown.statusCode()).isEqualTo(503);
            assertThat(unknown.body())
                    .containsPattern(
                            "urn:spike:problem:(unknown|unavailable).*\"retryAfterMillis\":\\d+");
            assertThat(unknown.headers().firstValue("Retry-After")).isPresent();
            assertThat(server.get("/readyz").statusCode()).isEqualTo(503);
            assertThat(server.get("/healthz").statusCode()).isEqualTo(200);
        } finally {
            Signals.resume(data);
        }
        await().atMost(Duration.ofSeconds(10))
                .until(() -> server.get("/readyz").statusCode() == 200);
        await().atMost(Duration.ofSeconds(10))
                .until(() -> server.buy("?rid=request-1").body().equals(BOUGHT));
    }
}
