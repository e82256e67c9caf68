package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;

import dev.spike.core.Outcome;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The server, with its Redis and its order book in a file, dies at any point of its start, its
 * selling or its drain; then a fresh one over the same directory finds all as it was answered.
 */
@Timeout(value = 4, unit = TimeUnit.HOURS)
final class ServerCrashTest {

    private static final int TOTAL = 12;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** The verbs that go to Redis, each with the method whose call must not be missing in it. */
    private static final Map<String, String> CALLS = Map.of(
            "start", "RedisSpike.open",
            "restart", "RedisSpike.open",
            "buy", "RedisSpike.reserve",
            "reserve", "RedisSpike.reserve",
            "confirm", "RedisSpike.settle",
            "cancel", "RedisSpike.settle");

    /** What else must be among the points. */
    private static final List<String> NAMED = List.of(
            "restart: EmbeddedRedis.launch ends",
            "reserve: HTTP answered",
            "confirm: HTTP answered",
            "cancel: HTTP answered",
            "drain: EmbeddedRedis.close begins",
            "drain: EmbeddedRedis.close ends");

    /** Those at which a promise hangs, whatever the sample. */
    private static final List<String> ALWAYS = List.of(
            "start: EmbeddedRedis.launch ends",
            "buy: HTTP answered",
            "write orders: JdbcOrderBook.writeAll < JdbcOrderBook.write < Delivery.write: after commit");

    private static final int SHORT = 2;

    @TempDir
    static Path dir;

    private static CrashRun run;
    private static Path sold;

    @BeforeAll
    static void sellBefore() throws Exception {
        Path woven = Files.createDirectories(dir.resolve("woven"));
        // What the library does by itself is killed in NodeCrashTest.
        Woven.into(woven, SpikeServer.class);
        run = new CrashRun(woven);
        sold = dir.resolve("sold");
        try (TestServer server = TestServer.start(flags(sold))) {
            assertThat(buy(server, "old-request")).contains("\"code\":1,");
            awaitWritten(server, "old-request");
        }
    }

    @Test
    void killedAnywhere_theNextServerFindsWhatWasAnswered() throws Exception {
        Set<String> points = new LinkedHashSet<>(points("start", dir.resolve("fresh")));
        points.addAll(points("restart", copyOfSold()));
        CALLS.forEach((verb, call) -> CrashRun.assertNamed(points, verb, call));
        assertThat(points).containsAll(NAMED);
        Set<String> sample = CrashRun.sample(points, SHORT, ALWAYS);
        CrashRun.all(sample, ALWAYS, points.size(), ServerCrashTest::diesAt);
    }

    private static String[] flags(Path data) {
        return new String[] {"--redis=embedded", "--data=" + data, "--total=" + TOTAL, "--hold=24h"
        };
    }

    private static Child start(String verb, Path data, Map<String, String> properties) {
        List<String> args = new ArrayList<>(List.of(verb, "--port=0", "--host=127.0.0.1"));
        args.addAll(List.of(flags(data)));
        return run.start(dir, properties, CrashingServer.class, args.toArray(String[]::new));
    }

    private static Set<String> points(String verb, Path data) throws Exception {
        Child child = start(verb, data, Map.of(CrashPoint.NAME_ALL, "true"));
        CrashBuyer buyer = new CrashBuyer(child, "");
        buyer.run();
        assertThat(child.exitCode(PATIENCE)).as(child.err()).isZero();
        check(data, buyer.history());
        return CrashRun.points(child);
    }

    private static boolean diesAt(String point) throws Exception {
        String verb = point.substring(0, point.indexOf(':'));
        boolean isRestart = verb.equals("restart");
        Path data = isRestart ? copyOfSold() : dir.resolve(UUID.randomUUID().toString());
        Child child =
                start(isRestart ? "restart" : "start", data, Map.of(CrashPoint.DIE_AT, point));
        CrashBuyer buyer = new CrashBuyer(child, verb);
        buyer.run();
        int exitCode = child.exitCode(PATIENCE);
        assertThat(exitCode).as(child.err()).isIn(0, CrashPoint.DIED);
        check(data, buyer.history());
        return exitCode == CrashPoint.DIED;
    }

    private static Path copyOfSold() throws IOException {
        Path copy = dir.resolve(UUID.randomUUID().toString());
        try (Stream<Path> files = Files.walk(sold)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(
                        file,
                        copy.resolve(sold.relativize(file).toString()),
                        StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return copy;
    }

    /** Starts a fresh server, and demands all that must hold after this history. */
    private static void check(Path data, CrashHistory history) throws Exception {
        Map<String, String> wanted = new TreeMap<>();
        try (TestServer server = TestServer.start(flags(data))) {
            JsonNode old = find(server, "old-request");
            boolean soldBefore = old.has("status");
            for (String key : history.keys("t")) {
                String name = key.substring(2);
                JsonNode found = find(server, name);
                Outcome state = found.has("quantity")
                        ? Outcome.valueOf(found.get("status").textValue().toUpperCase(Locale.ROOT))
                        : Outcome.NOT_FOUND;
                assertThat(history.allowed(key)).as(key + ": " + history).contains(state);
                String again = buy(server, name);
                assertThat(again)
                        .as(key)
                        .contains(state == Outcome.CANCELLED ? "\"code\":-1," : "\"code\":1,");
                wanted.put(
                        CrashBuyer.id(name).toString(), settleAgain(server, name, history, state));
            }
            if (soldBefore && old.has("quantity")) {
                wanted.put(CrashBuyer.id("old-request").toString(), "reserved");
            }
            drain(server, wanted);
            audit(server);
            server.assertConserved();
        } finally {
            endRedis(data);
        }
        assertOneRedisAtATime(data);
        assertThat(rows(data)).isEqualTo(wanted);
    }

    /** The answer to a buyer, once it is one. */
    private static String buy(TestServer server, String name) {
        return answer(() -> server.buy("?rid=" + name));
    }

    /** The machine may be too busy for an answer in time; then it is asked for again. */
    private static String answer(Callable<HttpResponse<String>> request) {
        return await().atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .until(request, response -> response.statusCode() != 503)
                .body();
    }

    private static JsonNode find(TestServer server, String name) {
        String path = TestServer.reservations("ticket") + "/" + CrashBuyer.id(name);
        return TestServer.json(answer(() -> server.get(path)));
    }

    /** What got no answer is asked for again, and is done then. */
    private static String settleAgain(
            TestServer server, String name, CrashHistory history, Outcome state) {
        String path = TestServer.reservations("ticket") + "/" + CrashBuyer.id(name);
        if (history.wasAsked("confirm t/" + name)) {
            String body = answer(() -> server.send("POST", path + "/confirm", null));
            assertThat(body).contains("\"status\":\"confirmed\"");
            return "confirmed";
        } else if (history.wasAsked("cancel t/" + name)) {
            String body = answer(() -> server.send("DELETE", path, null));
            assertThat(body).contains("\"status\":\"cancelled\"");
            return "cancelled";
        }
        return "reserved";
    }

    /** Sells all that is left, and demands exactly the total; then waits for all orders. */
    private static void drain(TestServer server, Map<String, String> wanted) {
        long held = wanted.values().stream()
                .filter(status -> !status.equals("cancelled"))
                .count();
        for (long i = held; i < TOTAL; i++) {
            String name = "drain-request-" + i;
            assertThat(buy(server, name)).as(name).contains("\"code\":1,");
            wanted.put(CrashBuyer.id(name).toString(), "reserved");
        }
        assertThat(buy(server, "one-more-request")).contains("\"code\":-1,");
        wanted.keySet().forEach(id -> awaitWritten(server, id.substring(id.indexOf('.') + 1)));
    }

    private static void awaitWritten(TestServer server, String name) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(find(server, name).get("order").textValue())
                        .isEqualTo("written"));
    }

    private static void audit(TestServer server) {
        JsonNode audit =
                TestServer.json(answer(() -> server.admin("GET", "/v1/sales/ticket/audit", null)));
        assertThat(audit.get("balanced").booleanValue()).as(audit.toString()).isTrue();
        assertThat(audit.get("differences")).isEmpty();
    }

    /** What a failed check leaves running; one that was stopped has taken its record away. */
    private static void endRedis(Path data) throws IOException {
        if (Files.exists(data.resolve("redis/redis.pid"))) {
            ProcessHandle.of(Signals.pid(data)).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** Two over the same files would sell the same units twice; the log tells when each began. */
    private static void assertOneRedisAtATime(Path data) throws IOException {
        int running = 0;
        List<String> log = Files.readAllLines(data.resolve("redis/redis.log"));
        for (String line : log) {
            running += line.contains("Ready to accept connections") ? 1 : 0;
            running -= line.contains("bye bye") ? 1 : 0;
            assertThat(running).as(String.join("\n", log)).isBetween(0, 1);
        }
    }

    /** The status of each row, now that no server has the file open. */
    private static Map<String, String> rows(Path data) throws SQLException {
        Map<String, String> rows = new TreeMap<>();
        try (Connection connection = DriverManager.getConnection(
                        "jdbc:h2:file:" + data.resolve("orders") + ";DATABASE_TO_LOWER=TRUE");
                Statement select = connection.createStatement();
                ResultSet row = select.executeQuery("select id, status from orders")) {
            while (row.next()) {
                rows.put(row.getString(1), row.getString(2));
            }
        }
        return rows;
    }
}
