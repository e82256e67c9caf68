package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What no honest client sends, on raw sockets: refused, the connection closed, no unit sold. */
final class RequestGuardTest {

    private static final String HOST = "Host: x\r\n";

    private static TestServer server;
    private String levelsBefore = "";

    @BeforeAll
    static void start() {
        server = TestServer.start("--total=1000");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void see() {
        levelsBefore = server.levels("ticket");
    }

    @AfterEach
    void conserved() {
        server.assertConserved();
    }

    private void assertNothingSold() {
        assertThat(server.levels("ticket")).isEqualTo(levelsBefore);
    }

    private static Socket open(String bytes) throws IOException {
        Socket socket = new Socket("127.0.0.1", server.port());
        socket.setSoTimeout(15_000);
        socket.getOutputStream().write(bytes.getBytes(ISO_8859_1));
        return socket;
    }

    /** Everything until the server closes. */
    private static String readToEnd(Socket socket) throws IOException {
        try (socket) {
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketException reset) {
            return "";
        }
    }

    private static String send(String bytes) throws IOException {
        return readToEnd(open(bytes));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Framing that two parsers could read differently.
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: identity\r\n\r\n",
                "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
                "transfer-encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
                "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                "Content-Length: 5, 5\r\n\r\nhello",
                "Content-Length: +5\r\n\r\nhello",
                "Content-Length: -5\r\n\r\nhello",
                "Content-Length: 0x5\r\n\r\nhello",
                "Content-Length: 1\r\n 0\r\n\r\nhello",
                "Content-Length: 99999999999999999999\r\n\r\nhello",
                "Content-Length:\r\n\r\n",
                // Lines and characters.
                "X : a\r\n\r\n",
                "X: a\n b\r\n\r\n",
                "X: a\rb\r\n\r\n",
                "X: a\u0000b\r\n\r\n",
                "X: a\u0007b\r\n\r\n",
                "X: a\u007fb\r\n\r\n",
                "Host: y\r\n\r\n",
                " X: a\r\n\r\n"
            })
    void header_ambiguous_refused(String rest) throws IOException {
        assertThat(send("POST /buy/ticket HTTP/1.1\r\n" + HOST + rest))
                .startsWith("HTTP/1.1 400 ")
                .contains("Connection: close");
        assertNothingSold();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /%62uy/ticket HTTP/1.1",
                "GET /buy/../buy/ticket HTTP/1.1",
                "GET /buy/./ticket HTTP/1.1",
                "GET //buy/ticket HTTP/1.1",
                "GET /buy//ticket HTTP/1.1",
                "GET /buy/ticket;a=b HTTP/1.1",
                "GET /buy/ticket%00 HTTP/1.1",
                "GET /buy/ticket/.. HTTP/1.1",
                "GET /buy\\ticket HTTP/1.1",
                "GET /buy/ticket#x HTTP/1.1",
                "GET /buy/tick\u00e9t HTTP/1.1",
                "GET http://x/%62uy/ticket HTTP/1.1",
                "GET http://y/buy/ticket HTTP/1.1",
                "GET * HTTP/1.1",
                "CONNECT x:80 HTTP/1.1",
                "GET /buy/ticket HTTP/0.9",
                "GET /buy/ticket HTTP/2.0",
                "GET /buy/ticket HTTP/1.10",
                "GET /buy/ticket http/1.1",
                "GET /buy/ticket ICY/1.1",
                "GET /buy/ticket",
                "G@T /buy/ticket HTTP/1.1",
                "PRI * HTTP/2.0",
                "GET /buy/ticket?a=%zz HTTP/1.1"
            })
    void requestLine_strange_refused(String line) throws IOException {
        assertThat(send(line + "\r\n" + HOST + "\r\n"))
                .matches("(?s)HTTP/(1\\.1|0\\.9) 400 .*")
                .contains("Connection: close");
        assertNothingSold();
    }

    @Test
    void size_beyondTheLimits_refused() throws IOException {
        String get = "GET /buy/ticket HTTP/1.1\r\n" + HOST;
        List<String> refused = new ArrayList<>(List.of(
                "GET /" + "a".repeat(600) + " HTTP/1.1\r\n" + HOST + "\r\n",
                "GET /" + "a".repeat(9_000) + " HTTP/1.1\r\n" + HOST + "\r\n",
                get + "X: " + "a".repeat(9_000) + "\r\n\r\n",
                get + "X: a\r\n".repeat(60) + "\r\n",
                "GET /buy/ticket?" + "a=1&".repeat(20) + " HTTP/1.1\r\n" + HOST + "\r\n",
                "GET /buy/ticket HTTP/1.1\r\n\r\n"));
        for (String request : refused) {
            assertThat(send(request)).startsWith("HTTP/1.1 400 ");
        }
        assertThat(send(get + "Content-Length: 4097\r\n\r\n" + "a".repeat(4097)))
                .startsWith("HTTP/1.1 413 ")
                .contains("urn:spike:problem:too-large", "Connection: close");
        assertNothingSold();
    }

    @Test
    void request_unusualButLegal_served() throws IOException {
        String close = "Connection: close\r\n\r\n";
        for (String request : List.of(
                "GET /buy/ticket HTTP/1.0\r\n\r\n",
                "GET http://x/buy/ticket HTTP/1.1\r\n" + HOST + close,
                "GET /buy/ticket HTTP/1.1\r\n" + HOST + "X: a\tb\r\n" + close,
                "GET /buy/ticket HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\n" + close,
                "POST /buy/ticket HTTP/1.1\r\n" + HOST + "Content-Length: 4096\r\n" + close
                        + "a".repeat(4096))) {
            assertThat(send(request)).startsWith("HTTP/1.").contains(" 200 OK", "\"code\":1");
        }
    }

    /** As RFC 9112, section 5.2, allows, a fold is read as a space, so no two values come of it. */
    @Test
    void fold_inAKey_makesItMalformed() throws IOException {
        assertThat(send("GET /buy/ticket HTTP/1.1\r\n" + HOST
                        + "Idempotency-Key: request\r\n -1\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
        assertNothingSold();
    }

    @Test
    void slowClients_cutOffInTime() throws IOException {
        String json = "POST /v1/sales/ticket/reservations HTTP/1.1\r\n" + HOST
                + "Content-Type: application/json\r\nIdempotency-Key: request-1\r\n"
                + "Content-Length: 40\r\n\r\n{";
        long start = System.nanoTime();
        Socket header = open("GET /buy/ticket HTTP/1.1\r\n" + HOST);
        Socket body = open(json);
        Socket ignoredBody = open("POST /nope HTTP/1.1\r\n" + HOST + "Content-Length: 40\r\n\r\n{");
        Socket dripped = open(json);
        Thread dripping = new Thread(() -> drip(dripped));
        dripping.start();
        Socket idle = open("");
        assertThat(readToEnd(header)).isEmpty();
        assertThat(since(start)).isBetween(Duration.ofMillis(1_900), Duration.ofSeconds(4));
        assertThat(readToEnd(body)).isEmpty();
        assertThat(readToEnd(ignoredBody)).startsWith("HTTP/1.1 404 ");
        assertThat(readToEnd(dripped)).isEmpty();
        assertThat(since(start)).isBetween(Duration.ofMillis(2_900), Duration.ofSeconds(5));
        assertThat(readToEnd(idle)).isEmpty();
        assertThat(since(start)).isLessThan(Duration.ofSeconds(12));
        assertNothingSold();
    }

    private static void drip(Socket socket) {
        try {
            while (true) {
                socket.getOutputStream().write(' ');
                Thread.sleep(200);
            }
        } catch (IOException | InterruptedException cutOff) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }

    @Test
    void pipelined_eachAnsweredInOrder() throws IOException {
        String one = "GET /buy/ticket HTTP/1.1\r\n" + HOST + "\r\n";
        String last = "GET /healthz HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n";
        String answers = send(one + one + one + last);
        assertThat(answers.split("HTTP/1.1 200 OK", -1)).hasSize(5);
        assertThat(answers).containsPattern("(?s)\"code\":1.*\"code\":1.*\"code\":1.*ok");
    }
}
