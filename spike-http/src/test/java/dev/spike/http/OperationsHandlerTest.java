package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.net.http.HttpResponse;

/** What operators do with a sale; the orders have {@link OrdersTest}. */
final class OperationsHandlerTest {

    private static final String SALE = "/v1/sales/ticket";

    @RegisterExtension
    final Servers servers = new Servers();

    @Test
    void restock_raisesAndLowers_onceForEachOperation() {
        TestServer server = servers.start("--total=2");
        server.reserve("ticket", "request-1", "{\"buyer\":\"a\",\"quantity\":2}");
        assertThat(server.buy("").body()).contains("\"code\":-1");

        HttpResponse<String> raised = server.restock("ticket", "more", 3);
        assertThat(raised.statusCode()).isEqualTo(200);
        assertThat(raised.body())
                .matches("\\{\"opId\":\"more\",\"delta\":3,\"applied\":3,\"repeated\":false,"
                        + "\"levels\":\\{\"sale\":\"ticket\",\"phase\":\"open\",\"total\":5,"
                        + "\"available\":3,\"reserved\":2,\"sold\":0,\"asOf\":\"[^\"]+\"}}");
        assertThat(server.buy("").body()).contains("\"code\":1");

        JsonNode again = TestServer.json(server.restock("ticket", "more", 3).body());
        assertThat(again.get("repeated").booleanValue()).isTrue();
        assertThat(again.get("applied").longValue()).isEqualTo(3);
        HttpResponse<String> reused = server.restock("ticket", "more", 4);
        assertThat(reused.statusCode()).isEqualTo(422);
        assertThat(reused.body()).contains("urn:spike:problem:operation-reused");

        JsonNode lowered = TestServer.json(server.restock("ticket", "less", -9).body());
        assertThat(lowered.get("applied").longValue()).isEqualTo(-2);
        assertThat(server.levels("ticket")).isEqualTo("0 3 0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|opId",
                "{'opId':'a'}|delta",
                "{'opId':'a b','delta':1}|opId",
                "{'opId':'','delta':1}|opId",
                "{'opId':7,'delta':1}|opId",
                "{'opId':'a','delta':0}|delta",
                "{'opId':'a','delta':1.5}|delta",
                "{'opId':'a','delta':1000000001}|delta",
                "{'opId':'a','delta':1,'force':true}|force"
            })
    void restock_malformed_namesTheField(String body, String field) {
        TestServer server = servers.start("--total=2");
        HttpResponse<String> refused = server.adminPost(SALE + "/total", body.replace('\'', '"'));
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(TestServer.json(refused.body()).get("detail").textValue()).contains(field);
        assertThat(server.levels("ticket")).isEqualTo("2 0 0");
    }

    @Test
    void closeAndReopen() {
        TestServer server = servers.start("--total=5");
        HttpResponse<String> closed = server.adminPost(SALE + "/close", "");
        assertThat(closed.statusCode()).isEqualTo(200);
        assertThat(closed.body()).contains("\"phase\":\"closed\"", "\"available\":5");
        HttpResponse<String> refused = server.reserve("ticket", "request-1", "{\"buyer\":\"a\"}");
        assertThat(refused.statusCode()).isEqualTo(410);
        assertThat(server.buy("").body()).contains("\"code\":-4");
        assertThat(server.adminPost(SALE + "/close", "").statusCode()).isEqualTo(200);
        assertThat(server.adminPost(SALE + "/reopen", "").body()).contains("\"phase\":\"open\"");
        assertThat(server.reserve("ticket", "request-1", "{\"buyer\":\"a\"}").statusCode())
                .isEqualTo(201);
    }

    @Test
    void audit_andRepair_overTheInMemoryStore_withoutOrders() {
        TestServer server = servers.start("--total=5");
        server.reserve("ticket", "request-1", "{\"buyer\":\"a\",\"quantity\":2}");
        JsonNode audit =
                TestServer.json(server.admin("GET", SALE + "/audit", null).body());
        assertThat(audit.fieldNames())
                .toIterable()
                .containsExactly("balanced", "levels", "sums", "differences");
        assertThat(audit.get("balanced").booleanValue()).isTrue();
        assertThat(audit.get("differences")).isEmpty();
        assertThat(audit.at("/levels/reserved").longValue()).isEqualTo(2);
        assertThat(audit.at("/sums/reservations/reserved/units").longValue()).isEqualTo(2);
        assertThat(audit.at("/sums/buyers").longValue()).isEqualTo(2);
        assertThat(audit.at("/sums/log/events/reserved/units").longValue()).isEqualTo(2);
        assertThat(audit.at("/sums/orders").isNull()).isTrue();

        JsonNode repair = TestServer.json(
                server.adminPost(SALE + "/repair", "{\"dryRun\":false}").body());
        assertThat(repair.get("dryRun").booleanValue()).isFalse();
        assertThat(repair.get("steps")).isEmpty();
        assertThat(server.admin("GET", SALE + "/orders", null).statusCode()).isEqualTo(404);
    }

    @Test
    void cursorThatNoPageGave_isABadRequest() {
        TestServer server = servers.start();
        HttpResponse<String> refused = server.get("/v1/buyers/a/reservations?sale=ticket&cursor=k");
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains("cursor");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"dryRun\":1}", "{\"dryRun\":\"false\"}", "{\"dry\":true}", ""})
    void repair_withoutSayingWhetherDry_isRefused(String body) {
        TestServer server = servers.start("--total=5");
        assertThat(server.adminPost(SALE + "/repair", body).statusCode()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "POST|total|{\"opId\":\"a\",\"delta\":1}",
                "POST|close|",
                "POST|reopen|",
                "GET|audit|",
                "GET|orders|",
                "POST|repair|{\"dryRun\":true}"
            })
    void absentSale_notFound_andOnlyOnTheAdminListener(String method, String what, String body) {
        TestServer server = servers.start();
        HttpResponse<String> absent = server.admin(
                method, "/v1/sales/absent/" + what, body, "Content-Type", "application/json");
        assertThat(absent.statusCode()).isEqualTo(404);
        HttpResponse<String> buyers =
                server.send(method, SALE + "/" + what, body, "Content-Type", "application/json");
        assertThat(buyers.statusCode()).isEqualTo(404);
        String other = method.equals("GET") ? "POST" : "GET";
        assertThat(server.admin(other, SALE + "/" + what, null).statusCode()).isEqualTo(405);
    }
}
