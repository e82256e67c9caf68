package dev.spike.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.bench.load.Template.Expected;

import io.undertow.Undertow;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.Headers;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class LoadTest {

    private static final Expected SOLD_OUT = new Expected(Set.of(200), "{\"code\":-1,");

    private final CountDownLatch never = new CountDownLatch(1);
    private Undertow server;

    @AfterEach
    void stop() {
        never.countDown();
        if (server != null) {
            server.stop();
        }
    }

    @Test
    void run_serverThatKeepsUp_allAnsweredAsExpected() throws InterruptedException {
        server = BareUndertow.start(0, 1);

        LoadReport report =
                load(List.of(get("/buy/ticket", SOLD_OUT)), 500, 3, 2).run();

        assertThat(report.isClean()).as(report.summary()).isTrue();
        assertThat(report.answered()).isEqualTo(500);
        assertThat(report.statuses()).containsOnlyKeys(200);
        assertThat(report.millis(0.5)).isPositive().isLessThanOrEqualTo(report.maxMillis());
    }

    /** Without counting from when each was due, only 4 of 1000 would be late: one a connection. */
    @Test
    void run_serverStallsOnce_allThatWereDueMeanwhileAreLate() throws InterruptedException {
        AtomicBoolean stalled = new AtomicBoolean();
        Object oneAtATime = new Object();
        serve(new BlockingHandler(exchange -> {
            synchronized (oneAtATime) {
                if (stalled.compareAndSet(false, true)) {
                    never.await(300, TimeUnit.MILLISECONDS);
                }
            }
            exchange.getResponseSender().send("ok");
        }));

        LoadReport report =
                load(List.of(get("/", Expected.SUCCESS)), 1000, 4, 1).run();

        assertThat(report.isClean()).as(report.summary()).isTrue();
        // Of one second of requests, those of the first 0.3 s waited: 290 to 300 ms down to none.
        assertThat(report.maxMillis()).isGreaterThan(290);
        assertThat(report.millis(0.99)).isGreaterThan(280);
        assertThat(report.millis(0.9)).isGreaterThan(190);
        assertThat(report.millis(0.8)).isGreaterThan(90);
    }

    @Test
    void run_wrongBodyOrBusy_counted() throws InterruptedException {
        serve(exchange -> {
            boolean busy = exchange.getRelativePath().equals("/busy");
            exchange.setStatusCode(busy ? 503 : 200).getResponseSender().send("something else");
        });

        LoadReport report = load(
                        List.of(get("/wrong", SOLD_OUT), get("/busy", SOLD_OUT)), 200, 2, 1)
                .run();

        assertThat(report.unexpected()).isEqualTo(100);
        assertThat(report.busy()).isEqualTo(100);
        assertThat(report.statuses()).containsEntry(200, 100L).containsEntry(503, 100L);
        assertThat(report.isClean()).isFalse();
        assertThat(report.summary()).contains("something else");
    }

    @Test
    void run_chunkedAnswer_failsAndSaysSo() throws InterruptedException {
        serve(exchange -> {
            exchange.getResponseHeaders().put(Headers.TRANSFER_ENCODING, "chunked");
            exchange.getResponseSender().send("in chunks");
        });

        LoadReport report = load(List.of(get("/", Expected.SUCCESS)), 50, 2, 1).run();

        assertThat(report.failed()).isEqualTo(50);
        assertThat(report.summary()).contains("a chunked answer, which is not read");
    }

    @Test
    void run_serverClosesAfterEachAnswer_connectsAnew() throws InterruptedException {
        serve(exchange -> {
            exchange.setPersistent(false);
            exchange.getResponseSender().send("bye");
        });

        LoadReport report = load(List.of(get("/", Expected.SUCCESS)), 100, 2, 1).run();

        assertThat(report.isClean()).as(report.summary()).isTrue();
        assertThat(report.answered()).isEqualTo(100);
    }

    @Test
    void run_serverNeverAnswers_allLostAndLate() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            LoadReport report = load(
                            List.of(get(silent.getLocalPort(), "/", Expected.SUCCESS)), 100, 2, 1)
                    .run();

            assertThat(report.lost()).isEqualTo(100);
            assertThat(report.answered()).isZero();
            assertThat(report.maxMillis()).isGreaterThan(1000);
        }
    }

    @Test
    void run_serverBreaksOff_failedAndLostAreAllThatWereDue() throws Exception {
        ServerSocket once = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Template get = get(once.getLocalPort(), "/", Expected.SUCCESS);
        Thread rude = new Thread(() -> {
            try (once;
                    Socket first = once.accept()) {
                first.getInputStream().read();
            } catch (IOException ended) {
                // The test sees what came of it.
            }
        });
        rude.start();

        LoadReport report = load(List.of(get), 100, 1, 1).run();

        rude.join();
        assertThat(report.failed()).isPositive();
        assertThat(report.failed() + report.lost()).isEqualTo(100);
    }

    @Test
    void run_lateBeyondHope_givesUp() throws InterruptedException {
        serve(new BlockingHandler(exchange -> {
            never.await(20, TimeUnit.MILLISECONDS);
            exchange.getResponseSender().send("slow");
        }));
        Load load = new Load(
                List.of(get("/", Expected.SUCCESS)),
                0,
                1000,
                Duration.ofSeconds(10),
                1,
                1,
                Duration.ofSeconds(1),
                Duration.ofMillis(10));

        LoadReport report = load.run();

        assertThat(report.notSent()).isGreaterThan(1_000);
        assertThat(report.answered() + report.notSent()).isEqualTo(10_000);
    }

    @Test
    void run_nobodyListens_saysWhere() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        Load load = load(List.of(get(port, "/", Expected.SUCCESS)), 100, 1, 1);

        assertThatThrownBy(load::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no connection to")
                .hasMessageContaining(":" + port);
    }

    @Test
    void template_numbers_eachRequestHasItsOwnEverywhere() throws InterruptedException {
        Set<String> seen = Collections.newSetFromMap(new ConcurrentHashMap<>());
        serve(exchange -> exchange.getRequestReceiver()
                .receiveFullString(
                        (same, body) -> {
                            seen.add(same.getQueryString() + " "
                                    + same.getRequestHeaders().getFirst("Idempotency-Key") + " "
                                    + body);
                            same.getResponseSender().send("ok");
                        },
                        UTF_8));
        Template template = new Template(
                "POST",
                "http://127.0.0.1:" + BareUndertow.port(server) + "/buy?buyer={n}&rid=r{n}",
                List.of("Idempotency-Key: key-{n}"),
                "抢{n}",
                Expected.SUCCESS);

        LoadReport report = load(List.of(template), 20, 2, 2).run();

        assertThat(report.isClean()).as(report.summary()).isTrue();
        assertThat(seen)
                .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 20)
                        .mapToObj(i -> String.format("%010d", i))
                        .map(n -> "buyer=" + n + "&rid=r" + n + " key-" + n + " 抢" + n)
                        .toList());
    }

    @Test
    void template_wrongUrl_saysTheRule() {
        assertThat(Stream.of(
                        "https://h/",
                        "h/p",
                        "http://",
                        "http://h/a b",
                        "http://h/#x",
                        "http://h/票"))
                .allSatisfy(url -> assertThatThrownBy(() -> Template.get(url, Expected.SUCCESS))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("must be http://HOST[:PORT]/PATH in ASCII: url=" + url));
    }

    private void serve(HttpHandler handler) {
        server = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .setIoThreads(1)
                .setHandler(handler)
                .build();
        server.start();
    }

    private Template get(String path, Expected expected) {
        return get(BareUndertow.port(server), path, expected);
    }

    private static Template get(int port, String path, Expected expected) {
        return Template.get("http://127.0.0.1:" + port + path, expected);
    }

    /** One second of requests. */
    private static Load load(List<Template> cycle, int rate, int connections, int threads) {
        return new Load(
                cycle,
                0,
                rate,
                Duration.ofSeconds(1),
                connections,
                threads,
                Duration.ofSeconds(1),
                Duration.ZERO);
    }
}
