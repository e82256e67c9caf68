package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;

import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;

/**
 * A real server says what its OpenAPI document says, and all of it: every operation, status,
 * problem, header, parameter, property and value is brought about, and nothing else occurs.
 */
@Timeout(300)
final class OpenApiTest {

    private static final String TOKEN = "0123456789-0123456789-0123456789";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SALES = "/v1/sales/";
    private static final String TICKET = SALES + "ticket";
    private static final List<String> BUY = List.of("GET", "POST");

    @TempDir
    Path dir;

    private ApiClient api;

    @Test
    void whatTheServerSays_isWhatTheDocumentSays() throws Exception {
        Path data = dir.resolve("data");
        Path token = Files.writeString(dir.resolve("token"), TOKEN);
        try (TestServer server = TestServer.start(
                "--redis=embedded",
                "--data=" + data,
                "--admin-token-file=" + token,
                "--total=10",
                "--per-buyer=2")) {
            api = new ApiClient(ApiDocument.read(), server, TOKEN);
            server();
            openingSales();
            tickets();
            reserving();
            ending();
            lookingUp();
            operating();
            damage(server.redis());
            ApiRefusals refusals = new ApiRefusals(api);
            refusals.strangersAndTypos();
            Signals.stop(data);
            try {
                refusals.withoutRedis("unknown");
            } finally {
                Signals.resume(data);
            }
            await().atMost(PATIENCE)
                    .until(() -> api.buyers("GET", "/readyz", null).statusCode() == 200);
            Signals.kill(data);
            refusals.withoutRedis("unavailable");
        }
        assertThat(api.seen()).containsExactlyInAnyOrderElementsOf(api.documented());
    }

    private static void expect(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    }

    private static void expect(HttpResponse<String> answer, String type) {
        assertThat(answer.body()).contains("\"urn:spike:problem:" + type + "\"");
    }

    private static void expectCode(HttpResponse<String> answer, int code) {
        assertThat(answer.body()).startsWith("{\"code\":" + code + ",");
    }

    private static String newKey() {
        return UUID.randomUUID().toString();
    }

    private static void awaitTrue(Callable<Boolean> condition) {
        await().atMost(PATIENCE).until(condition);
    }

    private HttpResponse<String> reserve(String sale, String key, String buyer, int quantity) {
        return api.buyers(
                "POST",
                SALES + sale + "/reservations",
                "{\"buyer\":\"" + buyer + "\",\"quantity\":" + quantity + "}",
                "Idempotency-Key",
                key);
    }

    /** The path of a new reservation. */
    private String reserved(String sale, String key, String buyer, int quantity) {
        HttpResponse<String> made = reserve(sale, key, buyer, quantity);
        expect(made, 201);
        return made.headers().firstValue("Location").orElseThrow();
    }

    private HttpResponse<String> post(String path) {
        return api.buyers("POST", path, null);
    }

    private HttpResponse<String> delete(String path) {
        return api.buyers("DELETE", path, null);
    }

    private String status(String path) {
        return TestServer.json(api.buyers("GET", path, null).body())
                .get("status")
                .textValue();
    }

    private void server() {
        for (String path : List.of("/healthz", "/readyz", "/openapi.json")) {
            expect(api.buyers("GET", path, null), 200);
            expect(api.admin("GET", path, null), 200);
        }
        assertThat(TestServer.json(api.buyers("GET", "/openapi.json", null).body()))
                .isEqualTo(ApiDocument.read().root);
        expect(api.stranger("GET", "/healthz"), 200);
        expect(api.stranger("GET", "/readyz"), 200);
        expect(api.stranger("GET", "/openapi.json"), 401);
        expect(api.admin("GET", "/metrics", null), 200);
        expect(api.stranger("GET", "/metrics"), 401);
        expect(api.buyers("GET", TICKET + "/events", null), 200);
    }

    private void openingSales() {
        String rules = "{\"total\":4,\"perBuyer\":3,\"holdSeconds\":600,\"maxHoldSeconds\":3600,"
                + "\"opensAt\":\"2020-01-31T10:00:00+08:00\",\"closesAt\":\"2999-01-01T00:00:00Z\"}";
        expect(api.admin("PUT", SALES + "tour", rules), 201);
        expect(api.admin("PUT", SALES + "tour", rules), 200);
        expect(api.admin("PUT", SALES + "tour", "{\"total\":5}"), "other-rules");
        expect(api.admin("PUT", SALES + "short", "{\"total\":2,\"holdSeconds\":1}"), 201);
        expect(
                api.admin(
                        "PUT",
                        SALES + "rigid",
                        "{\"total\":2,\"holdSeconds\":600,\"maxHoldSeconds\":600}"),
                201);
        expect(
                api.admin(
                        "PUT",
                        SALES + "later",
                        "{\"total\":1,\"opensAt\":\"2999-01-01T00:00:00Z\",\"closesAt\":null}"),
                201);
        expect(api.admin("PUT", SALES + "many", "{\"total\":1000}"), 201);
        expect(api.admin("PUT", SALES + "broken", "{\"total\":1000}"), 201);
        expect(api.buyers("GET", SALES + "later", null), 200);
        expect(api.admin("GET", SALES + "later", null), 200);
    }

    private void tickets() {
        for (String method : BUY) {
            expect(api.admin("POST", TICKET + "/close", null), 200);
            expectCode(api.buyers(method, "/buy/ticket", null), -4);
            expect(api.admin("POST", TICKET + "/reopen", null), 200);
            expectCode(
                    api.buyers(method, "/buy/ticket?buyer=al&rid=" + method + "-first", null), 1);
            expectCode(
                    api.buyers(
                            method,
                            "/buy/ticket?buyer=al",
                            null,
                            "Idempotency-Key",
                            method + "-first"),
                    1);
            expect(api.buyers(method, "/buy/ticket?rid=short", null), 400);
        }
        reserved("ticket", "order-0001", "bo", 2);
        for (String method : BUY) {
            expectCode(api.buyers(method, "/buy/ticket?buyer=al", null), -3);
            expect(api.buyers(method, "/buy/ticket?buyer=bo&rid=order-0001", null), "key-reused");
        }
        for (String buyer : List.of("ce", "di", "ed")) {
            reserved("ticket", "order-0001", buyer, 2);
        }
        for (String method : BUY) {
            expectCode(api.buyers(method, "/buy/ticket", null), -1);
        }
    }

    private void reserving() {
        String path = SALES + "tour/reservations";
        reserved("tour", "order-0001", "al", 2);
        assertThat(reserve("tour", "order-0001", "al", 2).headers().map())
                .containsKey("Idempotent-Replayed");
        expect(reserve("tour", "order-0001", "al", 1), "key-reused");
        expect(reserve("tour", "order-0002", "al", 2), "limit-reached");
        expect(reserve("tour", "order-0001", "bo", 3), "sold-out");
        reserved("tour", "order-0001", "ce", 2);
        expect(reserve("tour", "order-0001", "bo", 1), "all-reserved");
        expect(reserve("absent", "order-0001", "al", 1), "not-open");
        expect(reserve("a.b", "order-0001", "al", 1), 404);
        expect(reserve("many", "order-0001", "al", 0), "bad-request");
        expect(api.buyers("POST", path, "{\"buyer\":\"al\"}"), "key-missing");
        expect(reserve("many", "order-0001", "a".repeat(5_000), 1), 413);
        expect(
                api.buyers(
                        "POST",
                        path,
                        "buyer=al",
                        "Content-Type",
                        "text/plain",
                        "Idempotency-Key",
                        "order-0001"),
                415);
        expect(api.admin("POST", SALES + "tour/close", null), 200);
        expect(reserve("tour", "order-0002", "bo", 1), "closed");
        expect(api.admin("POST", SALES + "tour/reopen", null), 200);
    }

    private void ending() {
        String confirmed = reserved("many", "order-0001", "al", 1);
        String cancelled = reserved("many", "order-0002", "al", 1);
        String expired = reserved("short", "order-0001", "al", 1);
        expect(post(confirmed + "/extend"), 200);
        expect(post(confirmed + "/confirm"), 200);
        expect(delete(cancelled), 200);
        awaitTrue(() -> status(expired).equals("expired"));
        assertThat(status(confirmed) + status(cancelled)).isEqualTo("confirmedcancelled");
        expect(reserve("many", "order-0002", "al", 1), "already-cancelled");
        expect(reserve("short", "order-0001", "al", 1), "already-expired");
        expect(delete(confirmed), "already-confirmed");
        expect(delete(expired), "already-expired");
        for (String verb : List.of("/confirm", "/extend")) {
            expect(post(cancelled + verb), "already-cancelled");
            expect(post(expired + verb), "already-expired");
        }
        expect(post(confirmed + "/extend"), "already-confirmed");
        String rigid = reserved("rigid", "order-0001", "al", 1);
        awaitTrue(() -> post(rigid + "/extend").body().contains("hold-too-long"));
    }

    private void lookingUp() {
        for (int i = 0; i < 101; i++) {
            reserved("many", "bulk-" + (1000 + i), "bulk", 1);
        }
        String list = "/v1/buyers/bulk/reservations?sale=many";
        JsonNode page = TestServer.json(api.buyers("GET", list, null).body());
        expect(api.admin("GET", list + "&cursor=" + page.get("next").textValue(), null), 200);
        expect(api.buyers("GET", "/v1/buyers/bulk/reservations", null), 400);
        expect(api.buyers("GET", "/v1/buyers/bulk/reservations?sale=absent", null), 404);

        String made = reserved("many", "order-0001", "order", 1);
        awaitTrue(() -> api.admin("GET", made, null).body().contains("written"));
        awaitTrue(() -> api.buyers("GET", reserved("many", newKey(), "order", 1), null)
                .body()
                .contains("pending"));
    }

    private void operating() {
        String total = "{\"opId\":\"more\",\"delta\":5}";
        expect(api.admin("POST", TICKET + "/total", total), 200);
        assertThat(api.admin("POST", TICKET + "/total", total).body())
                .contains("\"repeated\":true");
        expect(
                api.admin("POST", TICKET + "/total", "{\"opId\":\"more\",\"delta\":-5}"),
                "operation-reused");
        assertThat(api.admin("POST", SALES + "later/total", total).body()).contains("not_yet_open");
        expect(api.admin("GET", TICKET + "/orders", null), 200);
        expect(api.admin("POST", SALES + "short/repair", "{\"dryRun\":false}"), 200);
        for (String sale : List.of("many", "short")) {
            awaitTrue(() -> api.admin("GET", SALES + sale + "/audit", null)
                    .body()
                    .contains("\"differences\":[]"));
        }
        awaitTrue(() -> {
            reserved("many", newKey(), "order", 1);
            return api.admin("GET", SALES + "many/audit", null).body().contains("in_flight");
        });
    }

    /**
     * A record, an entry of the log and the levels are damaged, and then what no repair can read.
     */
    private void damage(String redis) {
        String first = reserved("broken", "order-0001", "al", 1);
        String further = reserved("broken", "order-0002", "al", 1);
        for (String path : List.of(first, further)) {
            awaitTrue(() -> api.buyers("GET", path, null).body().contains("written"));
        }
        try (Jedis jedis = new Jedis(URI.create(redis))) {
            jedis.hdel("spike:{broken}:reservations", "al\norder-0002");
            jedis.xdel("spike:{broken}:log", new StreamEntryID(2, 0));
            jedis.hset("spike:{broken}:stock", "reserved", "-1");
            assertThat(api.admin("GET", SALES + "broken/audit", null).body())
                    .contains("\"balanced\":false");
            expect(api.admin("POST", SALES + "broken/repair", "{\"dryRun\":true}"), 200);
            jedis.hset("spike:{broken}:stock", "adopted_sold", "-5");
            expect(api.admin("POST", SALES + "broken/repair", "{\"dryRun\":true}"), "internal");
        }
    }
}
