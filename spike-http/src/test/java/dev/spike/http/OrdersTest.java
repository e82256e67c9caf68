package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** From reservation to order: the server, its Redis, and its order book in an H2 file. */
final class OrdersTest {

    private static final String SALE = "/v1/sales/ticket";
    private static final String RESERVATIONS = SALE + "/reservations/";
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @RegisterExtension
    final Servers servers = new Servers();

    @TempDir
    Path data;

    private TestServer start(String... flags) {
        String[] all = new String[flags.length + 2];
        all[0] = "--redis=embedded";
        all[1] = "--data=" + data;
        System.arraycopy(flags, 0, all, 2, flags.length);
        return servers.start(all);
    }

    private static String reserve(TestServer server, String key, String buyer, int quantity) {
        HttpResponse<String> made = server.reserve(
                "ticket", key, "{\"buyer\":\"" + buyer + "\",\"quantity\":" + quantity + "}");
        assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
        return TestServer.json(made.body()).get("id").textValue();
    }

    private static JsonNode find(TestServer server, String id) {
        return TestServer.json(server.get(RESERVATIONS + id).body());
    }

    private static void awaitWritten(TestServer server, String id, String status) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            JsonNode found = find(server, id);
            assertThat(found.get("status").textValue() + " "
                            + found.get("order").textValue())
                    .isEqualTo(status + " written");
        });
    }

    /** Status, buyer and quantity of each row, once no server has the file open. */
    private Map<String, String> rows() throws SQLException {
        Map<String, String> rows = new TreeMap<>();
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:h2:file:" + data.resolve("orders") + ";DATABASE_TO_LOWER=TRUE");
                Statement select = connection.createStatement();
                ResultSet row = select.executeQuery(
                        "select id, status, buyer, quantity from orders where sale = 'ticket'")) {
            while (row.next()) {
                rows.put(
                        row.getString(1),
                        row.getString(2) + " " + row.getString(3) + " " + row.getInt(4));
            }
        }
        return rows;
    }

    @Test
    void eachReservation_becomesOneOrder_andFollowsIt() throws SQLException {
        TestServer server = start("--total=10", "--hold=2s", "--max-hold=10m");
        String confirmed = reserve(server, "request-1", "alice", 2);
        String cancelled = reserve(server, "request-2", "alice", 1);
        String expired = reserve(server, "request-3", "李雷", 3);
        awaitWritten(server, expired, "reserved");
        server.send("POST", RESERVATIONS + confirmed + "/confirm", null);
        server.send("DELETE", RESERVATIONS + cancelled, null);
        awaitWritten(server, confirmed, "confirmed");
        awaitWritten(server, cancelled, "cancelled");
        awaitWritten(server, expired, "expired");
        assertThat(server.levels("ticket")).isEqualTo("8 0 2");

        JsonNode audit =
                TestServer.json(server.admin("GET", SALE + "/audit", null).body());
        assertThat(audit.get("balanced").booleanValue()).isTrue();
        assertThat(audit.get("differences")).isEmpty();
        assertThat(audit.at("/sums/orders").toString())
                .isEqualTo("{\"cancelled\":{\"reservations\":1,\"units\":1},"
                        + "\"confirmed\":{\"reservations\":1,\"units\":2},"
                        + "\"expired\":{\"reservations\":1,\"units\":3}}");
        assertThat(TestServer.json(server.admin("GET", SALE + "/orders", null).body()))
                .isEqualTo(TestServer.json("{\"backlog\":0,\"ageMillis\":0,\"deadLetters\":0}"));
        servers.stop(server);
        assertThat(rows())
                .isEqualTo(Map.of(
                        confirmed, "confirmed alice 2",
                        cancelled, "cancelled alice 1",
                        expired, "expired 李雷 3"));
    }

    @Test
    void restartedServer_goesOn_withAllItsSales() throws SQLException {
        TestServer first = start("--total=10");
        assertThat(first.open("tour", "{\"total\":5,\"holdSeconds\":1}").statusCode())
                .isEqualTo(201);
        String ticket = reserve(first, "request-1", "alice", 2);
        first.reserve("tour", "request-2", "{\"buyer\":\"bob\",\"quantity\":5}");
        servers.stop(first);

        TestServer second = start("--total=10");
        awaitWritten(second, ticket, "reserved");
        // Nobody has asked for the other sale here: its hold ends all the same.
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(second.levels("tour")).isEqualTo("5 0 0"));
        servers.stop(second);
        assertThat(rows()).isEqualTo(Map.of(ticket, "reserved alice 2"));
    }

    @Test
    void secondServerOverTheSameFile_leavesTheOrdersToTheFirst_untilThatEnds(@TempDir Path other) {
        String redis = servers.start("--redis=embedded", "--data=" + other, "--orders=none")
                .redis();
        TestServer first = servers.start("--redis=" + redis, "--data=" + data);
        TestServer second = servers.start("--redis=" + redis, "--data=" + data);
        awaitWritten(second, reserve(second, "request-1", "alice", 1), "reserved");
        assertThat(second.admin("GET", SALE + "/orders", null).statusCode()).isEqualTo(404);
        assertThat(first.admin("GET", SALE + "/orders", null).statusCode()).isEqualTo(200);
        servers.stop(first);
        awaitWritten(second, reserve(second, "request-2", "alice", 1), "reserved");
        assertThat(second.admin("GET", SALE + "/orders", null).statusCode()).isEqualTo(200);
    }

    @Test
    void whileAnotherHoldsTheFile_itIsNotOpened_notEvenByAnAudit() throws Exception {
        Path file = data.resolve("orders.mv.db");
        TestServer server;
        String id;
        try (DataDirectory another = DataDirectory.tryLock(data.resolve("orders.lock"))) {
            assertThat(another).isNotNull();
            server = start();
            id = reserve(server, "request-1", "alice", 1);
            assertThat(server.admin("GET", SALE + "/audit", null).statusCode()).isEqualTo(503);
            assertThat(find(server, id).get("order").textValue()).isEqualTo("pending");
            assertThat(file).doesNotExist();
        }
        awaitWritten(server, id, "reserved");
        assertThat(file).exists();
        assertThat(server.admin("GET", SALE + "/audit", null).statusCode()).isEqualTo(200);
    }

    @Test
    void fileNamedByTwoServers_isWrittenByOne_whateverTheirData(
            @TempDir Path other, @TempDir Path third) {
        String redis = servers.start("--redis=embedded", "--data=" + other, "--orders=none")
                .redis();
        String file = "--orders=jdbc:h2:file:" + third.resolve("book") + ";RETENTION_TIME=1000";
        TestServer first = servers.start("--redis=" + redis, "--data=" + data, file);
        TestServer second = servers.start("--redis=" + redis, "--data=" + other, file);
        awaitWritten(second, reserve(second, "request-1", "alice", 1), "reserved");
        assertThat(first.admin("GET", SALE + "/orders", null).statusCode()).isEqualTo(200);
        assertThat(second.admin("GET", SALE + "/orders", null).statusCode()).isEqualTo(404);
        assertThat(second.admin("GET", SALE + "/audit", null).statusCode()).isEqualTo(503);
    }

    @Test
    void auditsThatHang_holdUpNothingElse() throws Exception {
        try (ServerSocket deaf = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            TestServer server = start("--orders=jdbc:postgresql://127.0.0.1:" + deaf.getLocalPort()
                    + "/deaf?user=u&password=p");
            String id = reserve(server, "request-1", "alice", 1);
            List<CompletableFuture<Integer>> audits = Stream.generate(() ->
                            CompletableFuture.supplyAsync(
                                    () -> server.admin("GET", SALE + "/audit", null)
                                            .statusCode(),
                                    task -> new Thread(task).start()))
                    .limit(8)
                    .toList();
            // One runs, one waits, the others are refused; then the looks of buyers are answered.
            await().atMost(PATIENCE)
                    .until(() ->
                            audits.stream().filter(CompletableFuture::isDone).count() >= 6);
            assertThat(server.get("/readyz").statusCode()).isEqualTo(200);
            assertThat(find(server, id).get("order").textValue()).isEqualTo("pending");
            assertThat(audits).allSatisfy(audit -> assertThat(audit.join()).isEqualTo(503));
        }
    }

    @Test
    void ordersNone_keepsNone() {
        TestServer server = start("--orders=none");
        String id = reserve(server, "request-1", "alice", 1);
        assertThat(find(server, id).has("order")).isFalse();
        assertThat(server.description()).contains("Orders: none");
    }

    @Test
    void ordersMalformed_isRefused_withoutTheSecret() {
        assertThatThrownBy(() -> start("--orders=jdbc:mysql://u:geheim@host/db?password=geheim"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("--orders=jdbc:mysql:***")
                .hasMessageNotContaining("geheim");
    }

    @Test
    void databaseAway_sellingGoesOn_upToTheBacklog_andConfirmingBeyondIt() {
        TestServer server = start(
                "--total=1000",
                "--order-backlog=5",
                "--orders=jdbc:postgresql://127.0.0.1:1/absent?user=u&password=geheim");
        assertThat(server.description()).contains("127.0.0.1:1").doesNotContain("geheim");
        String first = reserve(server, "request-0", "alice", 1);
        for (int i = 1; i < 5; i++) {
            reserve(server, "request-" + i, "alice", 1);
        }
        HttpResponse<String> refused =
                server.reserve("ticket", "request-9", "{\"buyer\":\"alice\"}");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body()).contains("urn:spike:problem:unavailable");
        assertThat(server.buy("").statusCode()).isEqualTo(503);
        assertThat(find(server, first).get("order").textValue()).isEqualTo("pending");
        assertThat(server.send("POST", RESERVATIONS + first + "/confirm", null).statusCode())
                .isEqualTo(200);
        assertThat(TestServer.json(server.admin("GET", SALE + "/orders", null).body())
                        .get("backlog")
                        .longValue())
                .isEqualTo(6);
        HttpResponse<String> audit = server.admin("GET", SALE + "/audit", null);
        assertThat(audit.statusCode()).isEqualTo(503);
        assertThat(server.levels("ticket")).isEqualTo("995 4 1");
    }

    @Test
    void extend_lengthensTheHold_untilTheSaleAllowsNoMore() {
        TestServer server = start("--total=10", "--hold=1h", "--max-hold=1h");
        String id = reserve(server, "request-1", "alice", 1);
        HttpResponse<String> refused = server.send("POST", RESERVATIONS + id + "/extend", null);
        assertThat(refused.statusCode()).isEqualTo(409);
        assertThat(refused.body()).contains("urn:spike:problem:hold-too-long");
        server.open("tour", "{\"total\":5,\"holdSeconds\":60,\"maxHoldSeconds\":3600}");
        HttpResponse<String> made = server.reserve("tour", "request-1", "{\"buyer\":\"a\"}");
        JsonNode before = TestServer.json(made.body());
        String extend = "/v1/sales/tour/reservations/" + before.get("id").textValue() + "/extend";
        await().atMost(PATIENCE).untilAsserted(() -> {
            HttpResponse<String> extended = server.send("POST", extend, null);
            assertThat(extended.statusCode()).isEqualTo(200);
            assertThat(TestServer.json(extended.body()).get("expiresAt").textValue())
                    .isGreaterThan(before.get("expiresAt").textValue());
        });
    }

    @Test
    void buyersReservations_areListed_forAnyBuyer() {
        TestServer server = start("--total=500");
        String first = reserve(server, "request-0", "李 雷/%", 1);
        for (int i = 1; i < 120; i++) {
            reserve(server, "request-" + i, "李 雷/%", 1);
        }
        String buyer = "/v1/buyers/%E6%9D%8E%20%E9%9B%B7%2F%25/reservations?sale=ticket";
        JsonNode page = TestServer.json(server.get(buyer).body());
        assertThat(page.get("reservations")).hasSize(100);
        assertThat(page.at("/reservations/0/id").textValue()).isEqualTo(first);
        assertThat(page.at("/reservations/0/buyer").textValue()).isEqualTo("李 雷/%");
        assertThat(page.at("/reservations/0/order").textValue()).isIn("pending", "written");
        JsonNode rest = TestServer.json(
                server.get(buyer + "&cursor=" + page.get("next").textValue()).body());
        assertThat(rest.get("reservations")).hasSize(20);
        assertThat(rest.get("next").isNull()).isTrue();
        assertThat(server.admin("GET", buyer, null).statusCode()).isEqualTo(200);

        assertThat(server.get("/v1/buyers/nobody/reservations?sale=ticket").body())
                .isEqualTo("{\"reservations\":[],\"next\":null}");
        assertThat(server.get("/v1/buyers/a/reservations?sale=absent").statusCode())
                .isEqualTo(404);
        for (String bad : new String[] {
            "/v1/buyers/a/reservations",
            "/v1/buyers/a/reservations?sale=*",
            "/v1/buyers/%00/reservations?sale=ticket",
            "/v1/buyers/%ff/reservations?sale=ticket",
            "/v1/buyers/a/reservations?sale=ticket&cursor=*"
        }) {
            assertThat(server.get(bad).statusCode()).as(bad).isEqualTo(400);
        }
    }
}
