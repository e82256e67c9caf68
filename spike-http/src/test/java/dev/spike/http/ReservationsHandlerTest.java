package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.http.HttpResponse;
import java.nio.file.Path;

final class ReservationsHandlerTest {

    private static final String ALICE = "{\"buyer\":\"alice\",\"quantity\":2}";

    @RegisterExtension
    final Servers servers = new Servers();

    private static void assertProblem(HttpResponse<String> answer, int status, String type) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type"))
                .contains("application/problem+json");
        JsonNode problem = TestServer.json(answer.body());
        assertThat(problem.get("type").textValue()).isEqualTo("urn:spike:problem:" + type);
        assertThat(problem.get("status").intValue()).isEqualTo(status);
        assertThat(problem.get("title").textValue()).isNotEmpty();
        assertThat(problem.get("detail").textValue()).isNotEmpty();
    }

    private static String location(HttpResponse<String> created) {
        return created.headers().firstValue("Location").orElseThrow();
    }

    @Test
    void reserve_unitsLeft_createdWithExactlyTheseFields() {
        TestServer server = servers.start("--total=5");
        HttpResponse<String> created = server.reserve("ticket", "request-1", ALICE);
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(created.headers().firstValue("Content-Type")).contains("application/json");
        assertThat(created.headers().firstValue("Idempotent-Replayed")).isEmpty();
        String id = location(created).substring("/v1/sales/ticket/reservations/".length());
        assertThat(created.body())
                .matches("\\{\"id\":\"" + id.replace(".", "\\.")
                        + "\",\"sale\":\"ticket\",\"buyer\":\"alice\",\"quantity\":2,\"status\":\"reserved\","
                        + "\"expiresAt\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\"}");
        assertThat(server.get(location(created)).body()).isEqualTo(created.body());
        assertThat(server.levels("ticket")).isEqualTo("3 2 0");
    }

    @Test
    void reserve_repeat_sameBodyMarkedAsReplayed() {
        TestServer server = servers.start("--total=2");
        HttpResponse<String> first = server.reserve("ticket", "request-1", ALICE);
        HttpResponse<String> again = server.reserve("ticket", "\"request-1\"", ALICE);
        assertThat(again.statusCode()).isEqualTo(201);
        assertThat(again.body()).isEqualTo(first.body());
        assertThat(location(again)).isEqualTo(location(first));
        assertThat(again.headers().firstValue("Idempotent-Replayed")).contains("true");
        assertThat(server.levels("ticket")).isEqualTo("0 2 0");
    }

    @Test
    void reserve_quantityAbsent_one() {
        TestServer server = servers.start("--total=2");
        assertThat(server.reserve("ticket", "request-1", "{\"buyer\":\"a\"}").body())
                .contains("\"quantity\":1");
    }

    @Test
    void confirm_reserved_confirmedForGood() {
        TestServer server = servers.start("--total=5");
        String location = location(server.reserve("ticket", "request-1", ALICE));
        HttpResponse<String> confirmed = server.send("POST", location + "/confirm", null);
        assertThat(confirmed.statusCode()).isEqualTo(200);
        assertThat(confirmed.body()).contains("\"status\":\"confirmed\"");
        assertThat(server.send("POST", location + "/confirm", null).body())
                .isEqualTo(confirmed.body());
        assertThat(server.get(location).body()).isEqualTo(confirmed.body());
        assertProblem(server.send("DELETE", location, null), 409, "already-confirmed");
        HttpResponse<String> repeat = server.reserve("ticket", "request-1", ALICE);
        assertThat(repeat.statusCode()).isEqualTo(201);
        assertThat(repeat.headers().firstValue("Idempotent-Replayed")).contains("true");
        assertThat(repeat.body()).isEqualTo(confirmed.body());
        assertThat(server.levels("ticket")).isEqualTo("3 0 2");
    }

    @Test
    void cancel_reserved_cancelledForGoodAndUnitsBack() {
        TestServer server = servers.start("--total=2");
        String location = location(server.reserve("ticket", "request-1", ALICE));
        assertProblem(server.reserve("ticket", "request-2", ALICE), 409, "all-reserved");
        HttpResponse<String> cancelled = server.send("DELETE", location, null);
        assertThat(cancelled.statusCode()).isEqualTo(200);
        assertThat(cancelled.body()).contains("\"status\":\"cancelled\"");
        assertThat(server.send("DELETE", location, null).body()).isEqualTo(cancelled.body());
        assertProblem(server.send("POST", location + "/confirm", null), 409, "already-cancelled");
        assertProblem(server.reserve("ticket", "request-1", ALICE), 409, "already-cancelled");
        assertThat(server.reserve("ticket", "request-2", ALICE).statusCode()).isEqualTo(201);
        assertThat(server.levels("ticket")).isEqualTo("0 2 0");
    }

    @Test
    void holdPasses_everyVerb_alreadyExpired() {
        TestServer server = servers.start("--total=2", "--hold=100ms");
        String location = location(server.reserve("ticket", "request-1", ALICE));
        await().until(() -> server.get(location).body().contains("\"status\":\"expired\""));
        assertProblem(server.reserve("ticket", "request-1", ALICE), 409, "already-expired");
        assertProblem(server.send("POST", location + "/confirm", null), 409, "already-expired");
        assertProblem(server.send("DELETE", location, null), 409, "already-expired");
    }

    @Test
    void reserve_refused_problemSaysWhy() {
        TestServer server = servers.start("--total=3", "--per-buyer=2");
        String location = location(server.reserve("ticket", "request-1", ALICE));
        assertProblem(
                server.reserve("ticket", "request-2", "{\"buyer\":\"alice\"}"),
                409,
                "limit-reached");
        assertProblem(
                server.reserve("ticket", "request-1", "{\"buyer\":\"alice\",\"quantity\":1}"),
                422,
                "key-reused");
        assertProblem(
                server.reserve("ticket", "request-2", "{\"buyer\":\"b\",\"quantity\":2}"),
                409,
                "sold-out");
        server.send("POST", location + "/confirm", null);
        assertThat(server.reserve("ticket", "request-3", "{\"buyer\":\"b\"}").statusCode())
                .isEqualTo(201);
        assertProblem(
                server.reserve("ticket", "request-4", "{\"buyer\":\"c\"}"), 409, "all-reserved");
        server.open("later", "{\"total\":1,\"opensAt\":\"2999-01-01T00:00:00Z\"}");
        assertProblem(server.reserve("later", "request-1", ALICE), 409, "not-open");
        server.open("over", "{\"total\":1,\"closesAt\":\"2000-01-01T00:00:00+08:00\"}");
        assertProblem(server.reserve("over", "request-1", ALICE), 410, "closed");
        assertProblem(server.reserve("absent", "request-1", ALICE), 409, "not-open");
        assertThat(server.levels("ticket")).isEqualTo("0 1 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"short", "has space 1", "\"open-quote", "", "umlaut-ü"})
    void reserve_badKey_problemNamesTheHeader(String key) {
        TestServer server = servers.start("--total=5");
        HttpResponse<String> refused = server.reserve("ticket", key, ALICE);
        assertProblem(refused, 400, "bad-request");
        assertThat(refused.body()).contains("Idempotency-Key");
        assertThat(server.levels("ticket")).isEqualTo("5 0 0");
    }

    @Test
    void reserve_keyMissingOrTwice_refused() {
        TestServer server = servers.start("--total=5");
        String path = TestServer.reservations("ticket");
        assertProblem(
                server.send("POST", path, ALICE, "Content-Type", "application/json"),
                400,
                "key-missing");
        assertProblem(
                server.send(
                        "POST",
                        path,
                        ALICE,
                        "Content-Type",
                        "application/json",
                        "Idempotency-Key",
                        "request-1",
                        "Idempotency-Key",
                        "request-2"),
                400,
                "bad-request");
        assertThat(server.levels("ticket")).isEqualTo("5 0 0");
    }

    @Test
    void reserve_otherMediaTypeOrTooLarge_refused() {
        TestServer server = servers.start("--total=5");
        String path = TestServer.reservations("ticket");
        String[] key = {"Idempotency-Key", "request-1"};
        assertProblem(server.send("POST", path, ALICE, key), 415, "unsupported-media-type");
        for (String type : new String[] {"text/plain", "application/json; charset=latin1"}) {
            assertProblem(
                    server.send("POST", path, ALICE, key[0], key[1], "Content-Type", type),
                    415,
                    "unsupported-media-type");
        }
        assertProblem(
                server.reserve("ticket", "request-1", ALICE + " ".repeat(4096)), 413, "too-large");
        assertThat(server.levels("ticket")).isEqualTo("5 0 0");
        assertThat(server.send(
                                "POST",
                                path,
                                ALICE,
                                key[0],
                                key[1],
                                "Content-Type",
                                "Application/JSON; charset=\"UTF-8\"")
                        .statusCode())
                .isEqualTo(201);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/buy",
                "/buy/ticket/",
                "/v1",
                "/v1/sales",
                "/v1/sales/",
                "/v1/sales/absent",
                "/v1/sales/ticket/",
                "/v1/sales/ticket/orders",
                "/v1/sales/a.b",
                "/v1/sales/ticket/reservations/unknown1",
                "/v1/sales/ticket/reservations/a.b.c",
                "/v1/sales/absent/reservations/unknown1",
                "/v1/sales/ticket/reservations/a/b/c"
            })
    void get_unknownPath_notFound(String path) {
        assertProblem(servers.start().get(path), 404, "not-found");
    }

    @Test
    void anyVerb_unknownReservation_notFound() {
        TestServer server = servers.start();
        for (String id : new String[] {"unknown1", "YQ.unknown1", "...", "YWxpY2U.x.y"}) {
            String path = TestServer.reservations("ticket") + "/" + id;
            assertProblem(server.send("POST", path + "/confirm", null), 404, "not-found");
            assertProblem(server.send("DELETE", path, null), 404, "not-found");
        }
        assertProblem(
                server.send("DELETE", "/v1/sales/absent/reservations/unknown1", null),
                404,
                "not-found");
    }

    @Test
    void otherMethod_refusedWithAllow() {
        TestServer server = servers.start();
        String[][] table = {
            {"PUT", "/v1/sales/ticket", "GET, HEAD"},
            {"GET", "/v1/sales/ticket/reservations", "POST"},
            {"PUT", "/v1/sales/ticket/reservations/unknown1", "GET, HEAD, DELETE"},
            {"GET", "/v1/sales/ticket/reservations/unknown1/confirm", "POST"},
            {"POST", "/healthz", "GET, HEAD"},
            {"DELETE", "/readyz", "GET, HEAD"}
        };
        for (String[] row : table) {
            HttpResponse<String> refused = server.send(row[0], row[1], null);
            assertProblem(refused, 405, "method-not-allowed");
            assertThat(refused.headers().firstValue("Allow")).contains(row[2]);
        }
    }

    @Test
    void reserve_saleOfAnotherNode_soldHere(@TempDir Path data) {
        TestServer first = servers.start("--redis=embedded", "--data=" + data);
        TestServer second = servers.start("--redis=" + first.redis());
        assertProblem(second.reserve("tour", "request-1", ALICE), 409, "not-open");
        assertProblem(second.get("/v1/sales/tour"), 404, "not-found");
        first.open("tour", "{\"total\":3}");
        String location = location(second.reserve("tour", "request-1", ALICE));
        HttpResponse<String> elsewhere = first.reserve("tour", "request-1", ALICE);
        assertThat(elsewhere.headers().firstValue("Idempotent-Replayed")).contains("true");
        assertThat(location(elsewhere)).isEqualTo(location);
        assertThat(first.send("POST", location + "/confirm", null).statusCode()).isEqualTo(200);
        assertProblem(second.send("DELETE", location, null), 409, "already-confirmed");
        assertThat(second.levels("tour")).isEqualTo("1 0 2");
    }
}
