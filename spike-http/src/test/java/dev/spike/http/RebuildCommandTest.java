package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.spike.http.RebuildCommand.RebuildOptions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import redis.clients.jedis.Jedis;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Redis loses a sale; the order book brings it back. */
@Timeout(120)
class RebuildCommandTest {

    private static final String SALE = "/v1/sales/ticket";

    @TempDir
    Path data;

    private String[] flags(String redis) {
        return flags(redis, 20);
    }

    private String[] flags(String redis, int total) {
        return new String[] {
            "--redis=" + redis, "--data=" + data, "--total=" + total, "--per-buyer=3"
        };
    }

    private static String buy(TestServer server, String key) {
        return server.reserve(
                        "ticket", key + "-request", "{\"buyer\":\"" + key + "\",\"quantity\":2}")
                .body();
    }

    private static String path(String bought) {
        return bought.replaceFirst(".*\"id\":\"([^\"]*)\".*", SALE + "/reservations/$1");
    }

    private String rebuild(int expectedCode, String redis, String... more) {
        return rebuild(expectedCode, 20, redis, more);
    }

    private String rebuild(int expectedCode, int total, String redis, String... more) {
        List<String> args = new ArrayList<>(List.of(flags(redis, total)));
        args.addAll(List.of(more));
        RebuildOptions options = new RebuildOptions();
        Options.commandLine(options, Map.of()).parseArgs(args.toArray(String[]::new));
        options.check();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int code = RebuildCommand.run(options, new PrintStream(out, true, StandardCharsets.UTF_8));
        String told = out.toString(StandardCharsets.UTF_8);
        assertThat(code).as(told).isEqualTo(expectedCode);
        return told;
    }

    private static void awaitOrders(TestServer server, int backlog) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(
                                server.admin("GET", SALE + "/orders", null).body())
                        .contains("\"backlog\":" + backlog + ","));
    }

    @Test
    void redisLostTheSale_rebuiltFromItsOrders_everyKeyAnswersAsBefore_andExactlyTheTotalIsSold()
            throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(data.resolve("store"));
                Jedis jedis = new Jedis(java.net.URI.create(redis.uri()))) {
            List<String> bought = new ArrayList<>();
            try (TestServer server = TestServer.start(flags(redis.uri()))) {
                for (String key : List.of("ann", "ben", "cid", "dee")) {
                    bought.add(buy(server, key));
                }
                server.send("POST", path(bought.get(0)) + "/confirm", null);
                server.send("DELETE", path(bought.get(1)), null);
                awaitOrders(server, 0);
            }
            jedis.flushAll();

            assertThat(rebuild(0, redis.uri(), "--dry-run"))
                    .contains("4 would be added", "Now: 0 available, 0 reserved, 0 sold");
            assertThat(jedis.keys("spike:*")).isEmpty();
            assertThat(rebuild(0, redis.uri()))
                    .contains("4 added", "Closed: 14 available, 4 reserved, 2 sold");
            assertThat(rebuild(0, redis.uri())).contains("0 added", "4 known");

            try (TestServer server = TestServer.start(flags(redis.uri()))) {
                assertThat(buy(server, "new")).contains("closed");
                assertThat(server.admin("POST", SALE + "/reopen", "").statusCode())
                        .isEqualTo(200);
                assertThat(buy(server, "ann")).contains("\"confirmed\"");
                assertThat(buy(server, "ben")).contains("already-cancelled");
                assertThat(buy(server, "cid")).contains("\"reserved\"");
                for (int i = 0; i < 7; i++) {
                    assertThat(buy(server, "more" + i)).contains("\"reserved\"");
                }
                assertThat(buy(server, "one-too-many")).contains("all-reserved");
                awaitOrders(server, 0);
                assertThat(server.admin("GET", SALE + "/audit", null).body())
                        .contains("\"balanced\":true");
            }
        }
    }

    @Test
    void saleWithHours_openedOverTheAdminApi_isRebuiltUnderItsOwnRules() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(data.resolve("store"));
                Jedis jedis = new Jedis(java.net.URI.create(redis.uri()))) {
            String tour = "/v1/sales/tour";
            try (TestServer server = TestServer.start(flags(redis.uri()))) {
                server.open(
                        "tour",
                        "{\"total\":20,\"perBuyer\":3,\"opensAt\":\"2020-01-01T08:00:00+08:00\","
                                + "\"closesAt\":\"2999-01-01T00:00:00Z\"}");
                server.reserve("tour", "ann-request", "{\"buyer\":\"ann\",\"quantity\":2}");
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> server.admin("GET", tour + "/orders", null)
                                .body()
                                .contains("\"backlog\":0,"));
            }
            String[] rules = {
                "--sale=tour",
                "--opens-at=2020-01-01T00:00:00Z",
                "--closes-at=2998-12-31T19:00:00-05:00"
            };
            assertThatThrownBy(() -> rebuild(0, redis.uri(), "--sale=tour"))
                    .hasMessageStartingWith("must be the rules that it was opened with");
            assertThat(rebuild(0, redis.uri(), rules)).contains("1 known");

            jedis.flushAll();
            assertThat(rebuild(0, redis.uri(), rules)).contains("1 added");
            try (TestServer server = TestServer.start(flags(redis.uri()))) {
                assertThat(server.get(tour).body())
                        .contains(
                                "\"opensAt\":\"2020-01-01T00:00:00.000Z\"",
                                "\"closesAt\":\"2999-01-01T00:00:00.000Z\"");
            }
        }
    }

    @Test
    void orderThatDoesNotFit_isTold_andTheExitCodeIsThree() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(data.resolve("store"));
                Jedis jedis = new Jedis(java.net.URI.create(redis.uri()))) {
            try (TestServer server = TestServer.start(flags(redis.uri()))) {
                buy(server, "ann");
                awaitOrders(server, 0);
            }
            jedis.flushAll();
            assertThat(rebuild(3, 1, redis.uri()))
                    .contains(
                            "1 of more units than there are",
                            "YW5u.ann-request: 2 units, reserved");
        }
    }

    @Test
    void noOrderBook_refused() {
        assertThatThrownBy(() -> rebuild(0, "none"))
                .hasMessage("must be a database: --orders=none: in memory");
    }

    @Test
    void fromTheCommandLine_helpAndWrongUsage(@TempDir Path dir) {
        try (Child help = Child.start(dir, Map.of(), "rebuild", "--help")) {
            assertThat(help.exitCode(Duration.ofSeconds(60))).isZero();
            assertThat(help.out()).contains("spike-http rebuild", "--dry-run", "--orders");
        }
        try (Child wrong = Child.start(dir, Map.of(), "rebuild", "--redis=none")) {
            assertThat(wrong.exitCode(Duration.ofSeconds(60))).isEqualTo(2);
            assertThat(wrong.err())
                    .isEqualTo("spike-http: must be a database: --orders=none: in memory\n");
        }
    }
}
