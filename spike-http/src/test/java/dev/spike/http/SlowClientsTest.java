package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Who sends slowly, or half, or nothing, or never reads: cut off in time, and in nobody's way. */
@Timeout(120)
final class SlowClientsTest {

    private static final String HEADER = "GET /buy/ticket HTTP/1.1\r\nHost: x\r\n";
    private static final String POST = "POST /v1/sales/ticket/reservations HTTP/1.1\r\nHost: x\r\n"
            + "Content-Type: application/json\r\nIdempotency-Key: request-1\r\n"
            + "Content-Length: 400\r\n\r\n";
    private static final String IGNORED =
            "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n";
    private static final Duration LATE = Duration.ofSeconds(5);

    @RegisterExtension
    final Servers servers = new Servers();

    /**
     * One who is slow.
     *
     * @param first is sent at once
     * @param dripped is sent then, a byte a second
     * @param answer the beginning of what it gets, if anything
     * @param seconds after which it is cut off
     */
    private record Slow(String name, String first, String dripped, String answer, int seconds) {}

    private static final List<Slow> TABLE = List.of(
            new Slow("nothing sent", "", "", "", 10),
            new Slow("idle after a request", HEADER + "\r\n", "", "HTTP/1.1 200 ", 10),
            new Slow("silent header", HEADER, "", "", 2),
            new Slow("dripped header", HEADER, "X-Header: aaaaaaa", "", 2),
            new Slow("dripped request line", "GET /buy", "/ticketticketticket", "", 2),
            new Slow("dripped from the first", "", "GET /buy/ticket HTTP/1.1", "", 3),
            new Slow("second header silent", HEADER + "\r\n" + HEADER, "", "HTTP/1.1 200 ", 2),
            new Slow("second header dripped", HEADER + "\r\n", HEADER, "HTTP/1.1 200 ", 3),
            new Slow("no body", POST, "", "", 3),
            new Slow("half a body", POST + "{\"buyer\":", "", "", 3),
            new Slow("dripped body", POST, " ".repeat(40), "", 3),
            new Slow("dripped body nobody reads", IGNORED, " ".repeat(40), "HTTP/1.1 404 ", 3),
            new Slow("dripped after a refusal", IGNORED.replace("400", "5000"), "    ", "", 0));

    @Test
    void slow_eachOfTheTable_cutOffInItsTime() throws Exception {
        TestServer server = servers.start("--total=1000");
        Map<String, CompletableFuture<Long>> cutOff = new ConcurrentHashMap<>();
        Map<String, String> answers = new ConcurrentHashMap<>();
        ScheduledExecutorService drips = Executors.newSingleThreadScheduledExecutor();
        try {
            for (Slow slow : TABLE) {
                Wire wire = Wire.open(server.port()).send(slow.first);
                long start = System.nanoTime();
                drip(drips, wire, slow.dripped);
                cutOff.put(slow.name, on(() -> {
                    answers.put(slow.name, wire.readToEnd());
                    return System.nanoTime() - start;
                }));
            }
            cutOff.put("never reads", on(() -> neverRead(server.port())));
            for (Slow slow : TABLE) {
                Duration lasted = Duration.ofNanos(cutOff.get(slow.name).get());
                Duration due = Duration.ofSeconds(slow.seconds);
                assertThat(lasted)
                        .as(slow.name)
                        .isBetween(due.minusMillis(slow.seconds > 0 ? 150 : 0), due.plus(LATE));
                assertThat(answers.get(slow.name)).as(slow.name).startsWith(slow.answer);
            }
            assertThat(Duration.ofNanos(cutOff.get("never reads").get()))
                    .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(5).plus(LATE));
        } finally {
            drips.shutdownNow();
        }
        // Those who sent a whole header bought, and nobody else.
        assertThat(server.levels("ticket")).isEqualTo("997 3 0");
        assertThat(server.buy("").body()).contains("\"code\":1");
        await().untilAsserted(() -> assertThat(server.underWay()).isZero());
    }

    private interface Timed {
        long run() throws IOException;
    }

    private static CompletableFuture<Long> on(Timed timed) {
        CompletableFuture<Long> done = new CompletableFuture<>();
        new Thread(() -> {
                    try {
                        done.complete(timed.run());
                    } catch (IOException | RuntimeException failure) {
                        done.completeExceptionally(failure);
                    }
                })
                .start();
        return done;
    }

    private static void drip(ScheduledExecutorService drips, Wire wire, String dripped) {
        for (int i = 0; i < dripped.length(); i++) {
            String one = dripped.substring(i, i + 1);
            drips.schedule(() -> wire.send(one), i + 1, TimeUnit.SECONDS);
        }
    }

    /** Asks on and on; how long it lasted. */
    private static long neverRead(int port) throws IOException {
        String many = Wire.get("/healthz").repeat(1000);
        long start = System.nanoTime();
        try (Wire wire = Wire.open(port)) {
            while (true) {
                wire.send(many);
            }
        } catch (IOException reset) {
            return System.nanoTime() - start;
        }
    }

    @Test
    void halfOpen_2000Held_goodBuyersAnsweredWithin100Millis(TestReporter report)
            throws IOException {
        TestServer server = servers.start("--total=1000000");
        try (HalfOpen held =
                HalfOpen.hold(server.port(), 2000, HEADER, POST + "{", "", HEADER + "X: a")) {
            await().atMost(Duration.ofSeconds(30)).until(() -> server.connections() >= 2000);
            List<Double> worst = new ArrayList<>();
            // Of several rounds, so that others on this machine cannot fail it.
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
                double[] millis = new double[50];
                for (int i = 0; i < millis.length; i++) {
                    millis[i] = buyOnce(server.port());
                }
                Arrays.sort(millis);
                worst.add(millis[49]);
                report.publishEntry(
                        "median, 9 of 10, worst, ms",
                        "%.1f %.1f %.1f".formatted(millis[25], millis[44], millis[49]));
                assertThat(millis[44]).as("9 of 10, worst " + worst).isLessThanOrEqualTo(100);
            });
            // And they are cut off, however many come again.
            await().atMost(Duration.ofSeconds(30)).until(() -> held.cut() >= 1000);
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> server.connections() == 0);
    }

    /** One buyer on a new connection; how many milliseconds it took. */
    private static double buyOnce(int port) throws IOException {
        long start = System.nanoTime();
        try (Wire wire = Wire.open(port)) {
            assertThat(wire.send(Wire.get("/buy/ticket")).read().body()).contains("\"code\":1");
        }
        return (System.nanoTime() - start) / 1e6;
    }

    @Test
    void connections_allTakenByHalfOpenOnes_goodBuyersStillGetIn() throws IOException {
        TestServer server = servers.start("--total=1000", "--connections=50");
        try (HalfOpen held = HalfOpen.hold(server.port(), 80, HEADER)) {
            await().atMost(Duration.ofSeconds(30)).until(() -> server.connections() >= 50);
            assertThat(server.connections()).isLessThanOrEqualTo(50);
            assertThat(buyOnce(server.port())).isLessThan(Wire.HANGS_MILLIS);
            assertThat(server.connections()).isLessThanOrEqualTo(50);
            assertThat(held.cut()).isPositive();
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> server.connections() == 0);
        assertThat(buyOnce(server.port())).isLessThan(Wire.HANGS_MILLIS);
    }
}
