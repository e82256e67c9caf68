package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Watching a sale: what comes, how often, for how many, and what it may not cost anybody. */
@Timeout(180)
final class WatchersTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final Servers servers = new Servers();

    private static String events(String sale) {
        return "/v1/sales/" + sale + "/events";
    }

    private static void awaitEqual(EventStream stream, String pointer, Object value) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(stream.last(pointer)).isEqualTo("" + value));
    }

    @Test
    void watch_openSale_exactlyTheseHeadersAndFields() throws IOException {
        TestServer server = servers.start("--total=5", "--per-buyer=2");
        try (EventStream stream = new EventStream(server.port(), "ticket")) {
            assertThat(stream.status()).isEqualTo(200);
            assertThat(stream.headers())
                    .containsEntry("Content-Type", "text/event-stream")
                    .containsEntry("Cache-Control", "no-store")
                    .containsEntry("X-Accel-Buffering", "no")
                    .containsEntry("Connection", "close")
                    .doesNotContainKeys("Content-Length", "Transfer-Encoding");
            await().atMost(PATIENCE).until(() -> stream.messages().size() == 1);
            assertThat(stream.lines().get(0)).isEqualTo("retry: 2000");
            assertThat(stream.lines().get(1))
                    .matches("data: \\{\"sale\":\"ticket\",\"phase\":\"open\",\"total\":5,"
                            + "\"available\":5,\"reserved\":0,\"sold\":0,\"perBuyer\":2,"
                            + "\"opensAt\":null,\"closesAt\":null,\"stale\":false,"
                            + "\"node\":\\{\"arrivals\":0,\"refusals\":0,\"reservations\":0},"
                            + "\"others\":0,\"asOf\":\"[0-9T:.-]{23}Z\",\"upMillis\":-?\\d+}");
        }
    }

    @Test
    void watch_buyersOfAllKinds_eachIsCountedAsWhatItIsTold() throws IOException {
        TestServer server = servers.start("--total=3", "--per-buyer=2");
        try (EventStream stream = new EventStream(server.port(), "ticket")) {
            server.buy("?buyer=alice&rid=request-1");
            server.buy("?buyer=alice&rid=request-1");
            server.reserve("ticket", "request-2", "{\"buyer\":\"alice\",\"quantity\":2}");
            String bob = TestServer.json(server.reserve(
                                    "ticket", "request-3", "{\"buyer\":\"bob\",\"quantity\":2}")
                            .body())
                    .get("id")
                    .textValue();
            server.buy("");
            server.get("/buy/ticket?buyer=");
            server.send("POST", TestServer.reservations("ticket") + "/" + bob + "/confirm", null);
            awaitEqual(stream, "/sold", 2);
            awaitEqual(stream, "/node/arrivals", 6);
            assertThat(stream.last("/node/refusals")).isEqualTo("3");
            assertThat(stream.last("/node/reservations")).isEqualTo("2");
            assertThat(stream.last("/available")).isEqualTo("0");
            assertThat(stream.last("/reserved")).isEqualTo("1");
        }
    }

    @Test
    void watch_thingsOnTheAdminsListener_areSeen() throws IOException {
        TestServer server = servers.start("--total=3");
        server.open("tour", "{\"total\":7,\"opensAt\":\"2999-01-01T00:00:00Z\"}");
        try (EventStream ticket = new EventStream(server.port(), "ticket");
                EventStream tour = new EventStream(server.port(), "tour")) {
            awaitEqual(tour, "/phase", "not_yet_open");
            assertThat(tour.last("/opensAt")).isEqualTo("2999-01-01T00:00:00.000Z");
            server.restock("ticket", "second-train", 4);
            awaitEqual(ticket, "/total", 7);
            server.adminPost("/v1/sales/ticket/close", "");
            awaitEqual(ticket, "/phase", "closed");
        }
    }

    @Test
    void watch_notToBeHad_answeredAsProblems() throws IOException {
        TestServer server = servers.start();
        assertThat(server.get(events("nope")).body()).contains("urn:spike:problem:not-found");
        for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS")) {
            HttpResponse<String> refused = server.send(method, events("ticket"), null);
            assertThat(refused.statusCode()).isEqualTo(405);
            assertThat(refused.headers().firstValue("Allow")).contains("GET, HEAD");
        }
        assertThat(server.admin("GET", events("ticket"), null).statusCode()).isEqualTo(404);
        try (Wire wire = Wire.open(server.port())) {
            String head =
                    wire.send(Wire.get(events("ticket")).replace("GET", "HEAD")).readToEnd();
            assertThat(head)
                    .startsWith("HTTP/1.1 200 ")
                    .contains("text/event-stream")
                    .doesNotContain("Content-Length", "retry");
        }
        assertThat(server.watching()).isZero();
    }

    @Test
    void watch_withABody_isRefused() throws IOException {
        TestServer server = servers.start("--total=5");
        try (Wire wire = Wire.open(server.port())) {
            wire.send("GET /v1/sales/ticket/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                    + "Connection: close\r\n\r\nhello");
            assertThat(wire.readToEnd()).startsWith("HTTP/1.1 400 ").contains("take no body");
        }
    }

    @Test
    void watch_thousandsSold_oneMessageATickAndNeverOneASale() throws Exception {
        TestServer server = servers.start("--total=1000000");
        try (EventStream stream = new EventStream(server.port(), "ticket")) {
            awaitEqual(stream, "/reserved", 0);
            long start = System.nanoTime();
            int sold = 5_000;
            try (Wire wire = Wire.open(server.port())) {
                for (int i = 0; i < sold; i++) {
                    assertThat(wire.send(Wire.get("/buy/ticket")).read().status())
                            .isEqualTo(200);
                }
            }
            awaitEqual(stream, "/reserved", sold);
            long ticks = (System.nanoTime() - start) / 100_000_000;
            assertThat(stream.messages()).hasSizeBetween(2, (int) ticks + 3);
            assertThat(stream.last("/node/reservations")).isEqualTo("" + sold);
        }
    }

    @Test
    void watch_nothingChanges_nothingIsSentButAHeartbeat() throws IOException {
        TestServer server = servers.start("--total=5");
        try (EventStream stream = new EventStream(server.port(), "ticket")) {
            await().atMost(PATIENCE).until(() -> stream.lines().contains(":"));
            assertThat(stream.messages()).hasSize(1);
            assertThat(stream.isEnded()).isFalse();
            await().atMost(PATIENCE).until(() -> stream.lines().size() >= 4);
            assertThat(stream.lines().subList(2, 4)).containsExactly(":", ":");
            server.buy("");
            awaitEqual(stream, "/reserved", 1);
        }
    }

    @Test
    void watch_moreThanMay_laterOnesAreToldWhenToComeAgain() throws IOException {
        TestServer server = servers.start("--watchers=2");
        EventStream first = new EventStream(server.port(), "ticket");
        try (EventStream second = new EventStream(server.port(), "ticket")) {
            HttpResponse<String> refused = server.get(events("ticket"));
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.body()).contains("urn:spike:problem:unavailable");
            assertThat(refused.headers().firstValue("Retry-After")).contains("5");
            assertThat(server.watching()).isEqualTo(2);
            assertThat(second.isEnded()).isFalse();
            // Who goes makes room, also while nothing is written.
            first.close();
            await().atMost(PATIENCE).until(() -> server.watching() == 1);
            assertThat(second.lines()).doesNotContain(":");
            try (EventStream third = new EventStream(server.port(), "ticket")) {
                assertThat(third.status()).isEqualTo(200);
            }
        }
        await().atMost(PATIENCE).until(() -> server.watching() == 0);
        assertThat(server.buy("").body()).contains("\"code\":1");
    }

    @Test
    void watch_oneNeverReads_isCutOffAndTheOthersSeeAll() throws Exception {
        TestServer server = servers.start("--total=1000000");
        try (Socket deaf = new Socket()) {
            deaf.setReceiveBufferSize(4096);
            deaf.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
            deaf.getOutputStream().write(Wire.get(events("ticket")).getBytes(UTF_8));
            try (EventStream other = new EventStream(server.port(), "ticket")) {
                await().atMost(PATIENCE).until(() -> server.watching() == 2);
                AtomicInteger bought = new AtomicInteger();
                // As long as it reads nothing, what it is sent is what its two buffers hold.
                await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
                    server.buy("");
                    bought.incrementAndGet();
                    return server.watching() == 1;
                });
                awaitEqual(other, "/reserved", bought);
                assertThat(other.isEnded()).isFalse();
                int read = 0;
                for (int n = 0; n >= 0; n = drain(deaf)) {
                    read += n;
                }
                assertThat(read).isLessThan(256 * 1024);
            }
        }
    }

    private static int drain(Socket socket) {
        try {
            return socket.getInputStream().read(new byte[8192]);
        } catch (IOException reset) {
            return -1;
        }
    }

    @Test
    void watch_1000AtOnce_allSeeTheLastState() throws Exception {
        TestServer server = servers.start("--total=300");
        List<EventStream> all = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                all.add(new EventStream(server.port(), "ticket"));
            }
            assertThat(server.watching()).isEqualTo(1000);
            try (Wire wire = Wire.open(server.port())) {
                for (int i = 0; i < 310; i++) {
                    wire.send(Wire.get("/buy/ticket")).read();
                }
            }
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(all).allSatisfy(one -> {
                        assertThat(one.last("/node/arrivals")).isEqualTo("310");
                        assertThat(one.last("/available")).isEqualTo("0");
                        assertThat(one.last("/reserved")).isEqualTo("300");
                    }));
        } finally {
            all.forEach(EventStream::close);
        }
        await().atMost(PATIENCE).until(() -> server.connections() <= 1);
        assertThat(server.watching()).isZero();
    }

    @Test
    void stop_whileTheyWatch_theyAreToldToComeAgainAndNothingWaitsForThem() throws IOException {
        TestServer server = servers.start();
        try (EventStream first = new EventStream(server.port(), "ticket");
                EventStream second = new EventStream(server.port(), "ticket")) {
            awaitEqual(second, "/available", 10_000);
            assertThat(server.underWay()).isZero();
            servers.stop(server);
            for (EventStream stream : List.of(first, second)) {
                await().atMost(PATIENCE).until(stream::isEnded);
                assertThat(stream.lines()).last().isEqualTo("retry: 1000");
            }
        }
    }

    @Test
    void watch_twoNodes_whatTheOtherReservedIsCountedAsOthers(@TempDir Path dir) throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(dir)) {
            String[] flags = {"--redis=" + redis.uri(), "--orders=none", "--nodes=2"};
            try (TestServer here = TestServer.start(with(flags, "--data=" + dir.resolve("a")));
                    TestServer there = TestServer.start(with(flags, "--data=" + dir.resolve("b")));
                    EventStream stream = new EventStream(here.port(), "ticket")) {
                there.open("tour", "{\"total\":3}");
                try (EventStream tour = new EventStream(here.port(), "tour")) {
                    awaitEqual(tour, "/available", 3);
                    // Found by a call, but not under way for as long as it is watched.
                    assertThat(here.underWay()).isZero();
                }
                for (int i = 0; i < 3; i++) {
                    there.buy("");
                }
                awaitEqual(stream, "/others", 3);
                here.buy("");
                here.buy("");
                awaitEqual(stream, "/reserved", 5);
                assertThat(stream.last("/others")).isEqualTo("3");
                assertThat(stream.last("/node/reservations")).isEqualTo("2");
                // Nor does it become fewer when some more may be this node's own.
                Signals.stop(dir);
                try (Wire waiting = Wire.open(here.port()).send(Wire.get("/buy/ticket"))) {
                    try {
                        awaitEqual(stream, "/node/arrivals", 3);
                        assertThat(stream.last("/others")).isEqualTo("3");
                    } finally {
                        Signals.resume(dir);
                    }
                    assertThat(waiting.read().status()).isIn(200, 503);
                }
            }
        }
    }

    @Test
    void watch_storeAway_saysThatItIsStaleAndThenNot(@TempDir Path dir) throws Exception {
        Path data = dir.resolve("data");
        TestServer server = servers.start("--redis=embedded", "--data=" + data, "--orders=none");
        EventStream stream = new EventStream(server.port(), "ticket");
        awaitEqual(stream, "/stale", false);
        Signals.stop(data);
        try {
            awaitEqual(stream, "/stale", true);
            stream.close();
            await().atMost(PATIENCE).until(() -> server.watching() == 0);
            // Who comes then, alone, is told no other.
            try (EventStream later = new EventStream(server.port(), "ticket")) {
                await().atMost(PATIENCE).until(() -> !later.messages().isEmpty());
                assertThat(later.messages().get(0).get("stale").booleanValue()).isTrue();
                Signals.resume(data);
                awaitEqual(later, "/stale", false);
            }
        } finally {
            Signals.resume(data);
        }
    }

    private static String[] with(String[] flags, String one) {
        List<String> all = new ArrayList<>(List.of(flags));
        all.add(one);
        return all.toArray(String[]::new);
    }
}
