package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import redis.clients.jedis.Jedis;

import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

final class SaleHandlerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    @RegisterExtension
    final Servers servers = new Servers();

    @Test
    void get_openSale_exactlyTheseFields() {
        TestServer server = servers.start("--total=5", "--per-buyer=2", "--quota=3");
        assertThat(server.get("/v1/sales/ticket").body())
                .matches("\\{\"sale\":\"ticket\",\"phase\":\"open\",\"total\":5,"
                        + "\"available\":5,\"reserved\":0,\"sold\":0,\"perBuyer\":2,"
                        + "\"opensAt\":null,\"closesAt\":null,\"local\":\\{\"quota\":\\d+},"
                        + "\"asOf\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\"}");
        assertThat(server.admin("GET", "/v1/sales/ticket", null).statusCode()).isEqualTo(200);
    }

    @Test
    void get_saleInAnyPhase_saysWhich(@TempDir Path data) {
        TestServer server = servers.start("--redis=embedded", "--orders=none", "--data=" + data);
        server.open("tour", "{\"total\":1,\"opensAt\":\"2999-01-01T00:00:00Z\"}");
        assertThat(phase(server, "tour")).isEqualTo("not_yet_open");
        server.open("over", "{\"total\":1}");
        server.adminPost("/v1/sales/over/close", "");
        await().atMost(PATIENCE).until(() -> phase(server, "over").equals("closed"));
        assertThat(phase(server, "ticket")).isEqualTo("open");
        try (Jedis jedis = new Jedis(URI.create(server.redis()))) {
            jedis.hset("spike:{ticket}:stock", "ledger", "another");
            await().atMost(PATIENCE).until(() -> phase(server, "ticket").equals("stopped"));
        }
    }

    private static String phase(TestServer server, String sale) {
        return TestServer.json(server.get("/v1/sales/" + sale).body())
                .get("phase")
                .textValue();
    }

    @Test
    void open_newThenSameThenOtherRules_createdThenOkThenConflict() {
        TestServer server = servers.start();
        String rules = "{\"total\":7,\"perBuyer\":2,\"holdSeconds\":60,"
                + "\"opensAt\":\"2020-01-01T08:00:00+08:00\",\"closesAt\":\"2999-01-01T00:00:00Z\"}";
        HttpResponse<String> created = server.open("tour", rules);
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(created.headers().firstValue("Location")).contains("/v1/sales/tour");
        assertThat(created.body())
                .contains(
                        "\"total\":7",
                        "\"opensAt\":\"2020-01-01T00:00:00.000Z\"",
                        "\"closesAt\":\"2999-01-01T00:00:00.000Z\"");
        assertThat(server.open("tour", rules).statusCode()).isEqualTo(200);
        HttpResponse<String> other = server.open("tour", "{\"total\":8}");
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(other.body()).contains("urn:spike:problem:other-rules");
        assertThat(server.reserve("tour", "request-1", "{\"buyer\":\"a\"}").statusCode())
                .isEqualTo(201);
        assertThat(server.levels("tour")).isEqualTo("6 1 0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|total",
                "{'total':-1}|total",
                "{'total':1000000001}|total",
                "{'total':1,'perBuyer':-1}|perBuyer",
                "{'total':1,'perBuyer':2147483648}|perBuyer",
                "{'total':1,'holdSeconds':0}|holdSeconds",
                "{'total':1,'holdSeconds':31622401}|holdSeconds",
                "{'total':1,'opensAt':'tomorrow'}|opensAt",
                "{'total':1,'opensAt':'2030-01-01T00:00:00'}|opensAt",
                "{'total':1,'closesAt':5}|closesAt",
                "{'total':1,'opensAt':'2031-01-01T00:00:00Z','closesAt':'2030-01-01T00:00:00Z'}|opensAt",
                "{'total':1,'opensAt':'2030-01-01T00:00:00.0001Z','closesAt':'2030-01-01T00:00:00.0002Z'}|opensAt",
                "{'total':1,'opensAt':'-2030-01-01T00:00:00Z'}|opensAt",
                "{'total':1,'opensAt':'1969-12-31T23:59:59Z'}|opensAt",
                "{'total':1,'closesAt':'+10000-01-01T00:00:00Z'}|closesAt",
                "{'total':1,'closesAt':'+999999999-12-31T23:59:59Z'}|closesAt",
                "{'total':1,'price':5}|price"
            },
            quoteCharacter = '`')
    void open_badField_problemNamesItAndNothingIsOpened(String rules, String field) {
        TestServer server = servers.start();
        HttpResponse<String> refused = server.open("tour", rules.replace('\'', '"'));
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(TestServer.json(refused.body()).get("detail").textValue()).contains(field);
        assertThat(server.get("/v1/sales/tour").statusCode()).isEqualTo(404);
    }

    @Test
    void open_beyondTheMost_unavailableAndKnownOnesStay() {
        TestServer server = servers.start();
        for (int i = 1; i < Sales.MAX; i++) {
            assertThat(server.open("sale-" + i, "{\"total\":1}").statusCode()).isEqualTo(201);
        }
        assertThat(server.open("one-more", "{\"total\":1}").statusCode()).isEqualTo(503);
        assertThat(server.get("/v1/sales/one-more").statusCode()).isEqualTo(404);
        assertThat(server.buy("").body()).contains("\"code\":1");
    }

    @Test
    void adminPaths_onTheBuyersListener_absent() {
        TestServer server = servers.start();
        HttpResponse<String> refused = server.send(
                "PUT", "/v1/sales/tour", "{\"total\":1}", "Content-Type", "application/json");
        assertThat(refused.statusCode()).isEqualTo(405);
        assertThat(server.admin("GET", "/buy/ticket", null).statusCode()).isEqualTo(404);
        assertThat(server.levels("ticket")).isEqualTo("10000 0 0");
    }

    @Test
    void admin_tokenFile_neededForAllButHealth(@TempDir Path dir) throws Exception {
        Path file = Files.writeString(dir.resolve("token"), TOKEN + "\n");
        TestServer server = servers.start("--admin-token-file=" + file);
        String[] json = {"Content-Type", "application/json"};
        List<String> wrong = new ArrayList<>(List.of(
                "",
                "Bearer",
                "Bearer ",
                TOKEN,
                "Basic " + TOKEN,
                "bearer " + TOKEN,
                "Bearer " + TOKEN + "x",
                "Bearer " + TOKEN + "x".repeat(4_000),
                "Bearer " + TOKEN + "," + TOKEN,
                "Bearer " + "x" + TOKEN.substring(1)));
        for (int length = 1; length < TOKEN.length(); length++) {
            wrong.add("Bearer " + TOKEN.substring(0, length));
        }
        for (String authorization : wrong) {
            assertUnauthorized(server.admin(
                    "PUT",
                    "/v1/sales/tour",
                    "{\"total\":1}",
                    json[0],
                    json[1],
                    "Authorization",
                    authorization));
        }
        // Twice, also if both are right: two parsers could go by different ones.
        for (String first : List.of("Bearer " + TOKEN, "Bearer x")) {
            assertUnauthorized(server.admin(
                    "PUT",
                    "/v1/sales/tour",
                    "{\"total\":1}",
                    json[0],
                    json[1],
                    "Authorization",
                    first,
                    "Authorization",
                    "Bearer " + TOKEN));
        }
        assertThat(server.admin("GET", "/v1/sales/ticket", null).statusCode()).isEqualTo(401);
        assertThat(server.admin("GET", "/healthz", null).body()).isEqualTo("ok");
        assertThat(server.admin("GET", "/readyz", null).body()).isEqualTo("ok");
        assertThat(server.admin(
                                "PUT",
                                "/v1/sales/tour",
                                "{\"total\":1}",
                                json[0],
                                json[1],
                                "Authorization",
                                "Bearer " + TOKEN)
                        .statusCode())
                .isEqualTo(201);
        assertThat(server.description()).doesNotContain(TOKEN);
    }

    private static void assertUnauthorized(HttpResponse<String> refused) {
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(refused.body())
                .contains("urn:spike:problem:unauthorized")
                .doesNotContain(TOKEN.substring(0, 8));
        assertThat(refused.headers().firstValue("WWW-Authenticate")).contains("Bearer");
    }
}
