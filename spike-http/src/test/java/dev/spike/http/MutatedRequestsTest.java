package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Good requests of every route, changed at random, on many connections at both listeners of a real
 * server: no error of its own, no connection that hangs, and a stock that balances.
 */
@Timeout(600)
final class MutatedRequestsTest {

    private static final boolean SLOW = Boolean.getBoolean("spike.slow");
    private static final int REQUESTS = 100_000;
    private static final int AT_LEAST = 5_000;
    private static final Duration SHORT = Duration.ofSeconds(4);
    private static final int CLIENTS = 32;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3}) ");

    /** Where it begins; each connection has a seed of its own, which a failure tells. */
    private static final long SEED = Long.getLong("spike.seed", 1);

    private final AtomicLong seeds = new AtomicLong(SEED);
    private final AtomicInteger sent = new AtomicInteger();
    private final Map<Integer, AtomicInteger> statuses = new ConcurrentHashMap<>();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();

    @Test
    void mutatedRequests_anyNumber_noErrorNoHangNoLeakAndBalanced(
            @TempDir Path data, TestReporter report) throws Exception {
        ListAppender<ILoggingEvent> log = listen();
        try (TestServer server = TestServer.start(
                "--redis=embedded", "--data=" + data, "--total=1000000", "--hold=2s")) {
            server.open("small", "{\"total\":1000000,\"holdSeconds\":2}");
            flood(server);
            report.publishEntry("requests, answers", sent + " " + statuses);
            assertThat(failures).as("the first of %d", failures.size()).isEmpty();
            assertThat(statuses).containsKeys(200, 201, 400, 404, 405, 409, 415);
            assertThat(sent.get()).isGreaterThanOrEqualTo(SLOW ? REQUESTS : AT_LEAST);
            assertNothingLeft(server);
            assertGoodBuyerAnswered(server);
            assertBalanced(server, data);
        } finally {
            root().detachAppender(log);
        }
        assertThat(log.list)
                .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.ERROR)
                        || event.getThrowableProxy() != null)
                .isEmpty();
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().startsWith("spike-")));
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    private static ListAppender<ILoggingEvent> listen() {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        root().addAppender(log);
        return log;
    }

    private void flood(TestServer server) throws InterruptedException {
        long end = System.nanoTime() + SHORT.toNanos();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new Thread(() -> {
                while (sent.get() < REQUESTS
                        && failures.isEmpty()
                        && (SLOW || sent.get() < AT_LEAST || System.nanoTime() - end < 0)) {
                    connection(server, seeds.getAndIncrement());
                }
            }));
        }
        clients.forEach(Thread::start);
        for (Thread client : clients) {
            client.join();
        }
    }

    /** Up to four requests on one connection, which then ends within the server's deadlines. */
    private void connection(TestServer server, long seed) {
        boolean admin = seed % 8 == 0;
        Mutator mutator = new Mutator(seed, admin ? Mutator.ADMIN : Mutator.BUYERS);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int count = 1 + mutator.below(4);
        for (int i = 0; i < count; i++) {
            bytes.writeBytes(mutator.next());
        }
        // The deadlines end these few; of the others, the server learns that no more comes.
        boolean leftOpen = SLOW
                && mutator.below(400) == 0
                // Whoever watches may do so for ever.
                && !bytes.toString(ISO_8859_1).contains("/events");
        try (Wire wire = Wire.open(admin ? server.adminPort() : server.port())) {
            String answers = exchange(wire, bytes.toByteArray(), leftOpen);
            sent.addAndGet(count);
            Matcher status = STATUS.matcher(answers);
            while (status.find()) {
                int code = Integer.parseInt(status.group(1));
                statuses.computeIfAbsent(code, first -> new AtomicInteger()).incrementAndGet();
                if (code >= 500 && code != 503) {
                    fail(seed, bytes, answers);
                }
            }
        } catch (IOException failure) {
            fail(seed, bytes, failure.toString());
        }
    }

    /** What comes back; a time-out is thrown. */
    private static String exchange(Wire wire, byte[] bytes, boolean leftOpen) throws IOException {
        try {
            wire.send(bytes);
            if (!leftOpen) {
                wire.finish();
            }
        } catch (SocketException refused) {
            // It had enough before we were done; what it said may still be there.
        }
        return wire.readToEnd();
    }

    private void fail(long seed, ByteArrayOutputStream bytes, String answers) {
        failures.add("-Dspike.seed=" + seed + "\n" + escaped(bytes.toString(ISO_8859_1)) + "\n-> "
                + answers);
    }

    private static String escaped(String bytes) {
        return bytes.chars()
                .mapToObj(c -> c == '\\' || c < 0x20 || c > 0x7e
                        ? "\\u%04x".formatted(c)
                        : String.valueOf((char) c))
                .reduce("", String::concat);
    }

    private static void assertNothingLeft(TestServer server) {
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(server.connections()).isZero();
            assertThat(TestServer.connections(server.adminPort())).isZero();
            assertThat(server.underWay()).isZero();
        });
    }

    private static void assertGoodBuyerAnswered(TestServer server) {
        server.adminPost("/v1/sales/ticket/reopen", "{}");
        server.adminPost("/v1/sales/ticket/total", "{\"opId\":\"after-the-flood\",\"delta\":10}");
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(
                                server.reserve("ticket", "after-the-flood", "{\"buyer\":\"good\"}")
                                        .statusCode())
                        .isEqualTo(201));
    }

    /** Every unit that is reserved or sold has its reservation, and its order. */
    private static void assertBalanced(TestServer server, Path data) throws IOException {
        List<String> sales = Files.readAllLines(data.resolve("sales")).stream()
                .filter(line -> !line.isEmpty())
                .toList();
        assertThat(sales).contains("ticket", "small");
        for (String sale : sales) {
            await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                JsonNode audit =
                        TestServer.json(server.admin("GET", "/v1/sales/" + sale + "/audit", null)
                                .body());
                assertThat(audit.path("balanced").asBoolean(false))
                        .as("%s", audit)
                        .isTrue();
            });
        }
    }
}
