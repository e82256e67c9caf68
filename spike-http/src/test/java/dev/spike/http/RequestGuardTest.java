package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What no honest client sends, on raw sockets: each request of the table gets exactly this answer,
 * the connection ends, and not a unit more is sold.
 */
final class RequestGuardTest {

    /**
     * Each line: the statuses, each with the problem's type if its body is one; how many units are
     * sold; the bytes, where | is CRLF, {@code <00>} a byte, and {@code <a*3>} means aaa.
     */
    private static final String TABLE = """
            # Framing that two parsers could read differently.
            400:bad-request 0 POST /buy/ticket HTTP/1.1|Host: x|Transfer-Encoding: chunked||0||
            400:bad-request 0 POST /buy/ticket HTTP/1.1|Host: x|Transfer-Encoding: xchunked||0||
            400:bad-request 0 POST /buy/ticket HTTP/1.1|Host: x|Transfer-Encoding: chunked, identity||0||
            400:bad-request 0 POST /buy/ticket HTTP/1.1|Host: x|Transfer-Encoding: identity||
            400:bad-request 0 POST /buy/ticket HTTP/1.1|Host: x|Transfer-Encoding:| chunked||0||
            400:bad-request 0 POST /buy/ticket HTTP/1.0|Transfer-Encoding: chunked||0||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Transfer-Encoding : chunked||0||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|<0b>Transfer-Encoding: chunked||0||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|transfer-encoding: chunked|Content-Length: 5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 5|Transfer-Encoding: xchunked||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 5|Content-Length: 5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 4|Content-Length: 5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 5, 5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: +5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: -5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 0x5||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 1e1||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 1| 0||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 9223372036854775807||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 99999999999999999999||hello
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length:||
            # Lines and characters.
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X : a||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X: a<0a> b||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X: a<0d>b||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X: a<00>b||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X: a<07>b||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X: <1b>[31m||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X: a<7f>b||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|Host: y||
            400 0 POST /buy/ticket HTTP/1.1|Host: a b||
            400 0 POST /buy/ticket HTTP/1.1||
            400 0 POST /buy/ticket HTTP/1.1|Host: x| X: a||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|X(y): a||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|: a||
            400 0 POST /buy/ticket HTTP/1.1|Host: x|nocolon||
            400 0 GET /buy/ticket HTTP/1.1<0a>Host: x<0a><0a>
            400 0 ||GET /buy/ticket HTTP/1.1|Host: x||
            # As RFC 9112, section 5.2, allows, a fold is read as a space: a key with one is malformed.
            400:bad-request 0 GET /buy/ticket HTTP/1.1|Host: x|Idempotency-Key: request| -1|Connection: close||
            # Targets.
            400:bad-request 0 GET /%62uy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/../buy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /a/../admin HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/%2e%2e/buy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/%c0%ae%c0%ae/ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy%2fticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/./ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET //buy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy//ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/ticket;a=b HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/ticket%00 HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/ticket/.. HTTP/1.1|Host: x||
            400:bad-request 0 GET http://x/%62uy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 GET /assets/../version.txt HTTP/1.1|Host: x||
            400:bad-request 0 GET /assets/%2e%2e/version.txt HTTP/1.1|Host: x||
            400:bad-request 0 GET /assets//page.css HTTP/1.1|Host: x||
            404:not-found 0 GET /assets/page.css~ HTTP/1.1|Host: x|Connection: close||
            400 0 GET * HTTP/1.1|Host: x||
            400:bad-request 0 OPTIONS * HTTP/1.1|Host: x||
            400:bad-request 0 CONNECT x:80 HTTP/1.1|Host: x||
            400 0 GET http://y/buy/ticket HTTP/1.1|Host: x||
            400 0 GET /buy\\ticket HTTP/1.1|Host: x||
            400 0 GET /buy/ticket#x HTTP/1.1|Host: x||
            400 0 GET /buy/tick<e9>t HTTP/1.1|Host: x||
            400 0 GET /buy<09>/ticket HTTP/1.1|Host: x||
            400 0 GET /buy/ticket?a=<01> HTTP/1.1|Host: x||
            400 0 GET /buy/ticket?a=<7f> HTTP/1.1|Host: x||
            400 0 GET /buy/ticket?buyer=<ff> HTTP/1.1|Host: x||
            400 0 GET /buy/ticket?a=%zz HTTP/1.1|Host: x||
            400 0 GET /v1/buyers/a%/reservations?sale=ticket HTTP/1.1|Host: x||
            405:method-not-allowed 0 TRACE /v1/sales/ticket HTTP/1.1|Host: x|Connection: close||
            # Versions, and what is no HTTP.
            400 0 GET /buy/ticket||
            400:bad-request 0 GET /buy/ticket HTTP/0.9|Host: x||
            400 0 GET /buy/ticket HTTP/2.0|Host: x||
            400 0 GET /buy/ticket HTTP/1.10|Host: x||
            400 0 GET /buy/ticket http/1.1|Host: x||
            400 0 GET /buy/ticket ICY/1.1|Host: x||
            400 0 G@T /buy/ticket HTTP/1.1|Host: x||
            400 0 PRI * HTTP/2.0||SM||
            400 0 <16><03><01><02><00><01><00><01><fc>||
            # Sizes.
            400:bad-request 0 GET /<a*600> HTTP/1.1|Host: x||
            400 0 GET /<a*9000> HTTP/1.1|Host: x||
            400 0 GET /buy/ticket HTTP/1.1|Host: x|X: <a*9000>||
            400 0 GET /buy/ticket HTTP/1.1|Host: x|<X: a|*50>|
            400 0 GET /buy/ticket?<a=1&*16>a=1 HTTP/1.1|Host: x||
            400:bad-request 0 GET /buy/ticket HTTP/1.1|Host: x|Cookie: <a=1; *16>a=1||
            400:bad-request 0 GET /buy/ticket HTTP/1.1|Host: x|<Cookie: a=1|*17>|
            413:too-large 0 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 4097||<a*4097>
            413:too-large 0 POST /buy/ticket HTTP/1.1|Host: x|Expect: 100-continue|Content-Length: 4097||
            # Bodies are never read as a request.
            404:not-found,200 0 POST /nope HTTP/1.1|Host: x|Content-Length: 43||GET /buy/ticket HTTP/1.1|Host: x|X: y||GET /healthz HTTP/1.1|Host: x|Connection: close||
            415:unsupported-media-type,200 0 POST /v1/sales/ticket/reservations HTTP/1.1|Host: x|Idempotency-Key: smuggled-1|Content-Length: 43||GET /buy/ticket HTTP/1.1|Host: x|X: y||GET /healthz HTTP/1.1|Host: x|Connection: close||
            200,200 1 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 43||GET /buy/ticket HTTP/1.1|Host: x|X: y||GET /healthz HTTP/1.1|Host: x|Connection: close||
            413:too-large 0 POST /nope HTTP/1.1|Host: x|Content-Length: 4097||GET /buy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 POST /nope%00 HTTP/1.1|Host: x|Content-Length: 43||GET /buy/ticket HTTP/1.1|Host: x|X: y||GET /buy/ticket HTTP/1.1|Host: x||
            400:bad-request 0 POST /nope HTTP/1.1|Host: x|Transfer-Encoding: chunked||0||GET /buy/ticket HTTP/1.1|Host: x||
            415:unsupported-media-type 0 POST /v1/sales/ticket/reservations HTTP/1.1|Host: x|Idempotency-Key: multipart-1|Content-Type: multipart/form-data; boundary=b|Content-Length: 5|Connection: close||--b--
            # Unusual, but legal.
            200 1 GET /buy/ticket HTTP/1.0||
            200 0 GET / HTTP/1.1|Host: x|Connection: close||
            200,200 2 <GET /buy/ticket HTTP/1.1|Host: x||*1>GET /buy/ticket HTTP/1.1|Host: x|Connection: close||
            200,200,200,200 3 <GET /buy/ticket HTTP/1.1|Host: x||*3>GET /healthz HTTP/1.1|Host: x|Connection: close||
            200 1 GET http://x/buy/ticket HTTP/1.1|Host: x|Connection: close||
            200 1 GET /buy/ticket HTTP/1.1|Host: x|X: a<09>b|Connection: close||
            200 1 GET /buy/ticket HTTP/3.7|Host: x|Connection: close||
            200 1 GET /buy/ticket?<a=1&*15>a=1 HTTP/1.1|Host: x|Cookie: <a=1; *15>a=1|Connection: close||
            200 1 GET /buy/ticket HTTP/1.1|Host: x|Content-Length: 0|Connection: close||
            200 1 POST /buy/ticket HTTP/1.1|Host: x|Content-Length: 4096|Connection: close||<a*4096>
            200 1 TRACE /buy/ticket HTTP/1.1|Host: x|Connection: close||
            200 1 GET /buy/ticket HTTP/1.0|Connection: Upgrade, HTTP2-Settings|Upgrade: h2c|HTTP2-Settings: AAMAAABkAARAAAAA||
            100,201 1 POST /v1/sales/ticket/reservations HTTP/1.1|Host: x|Idempotency-Key: expected-1|Content-Type: application/json|Content-Length: 13|Expect: 100-continue|Connection: close||{"buyer":"a"}
            """;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start("--total=100000");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void goodBuyerAnsweredAndConserved() {
        assertThat(server.buy("").body()).contains("\"code\":1");
        server.assertConserved();
    }

    static Stream<String> table() {
        return TABLE.lines().filter(line -> !line.startsWith("#"));
    }

    @ParameterizedTest
    @MethodSource("table")
    void request_ofTheTable_answeredAsItSays(String row) throws IOException {
        String[] columns = row.split(" ", 3);
        long before = reserved();
        String answer;
        try (Wire wire = Wire.open(server.port())) {
            answer = wire.send(bytes(columns[2])).readToEnd();
        }
        assertThat(statuses(answer)).as(answer).isEqualTo(columns[0]);
        assertThat(reserved() - before).isEqualTo(Long.parseLong(columns[1]));
        if (columns[0].startsWith("4")) {
            assertThat(answer).contains("Content-Length: ");
        }
    }

    private static long reserved() {
        return Long.parseLong(server.levels("ticket").split(" ")[1]);
    }

    private static String bytes(String compact) {
        Matcher repeated = Pattern.compile("<([^<>]*)\\*(\\d+)>").matcher(compact);
        String spread = repeated.replaceAll(found ->
                Matcher.quoteReplacement(found.group(1).repeat(Integer.parseInt(found.group(2)))));
        Matcher hex = Pattern.compile("<([0-9a-f]{2})>").matcher(spread.replace("|", "\r\n"));
        return hex.replaceAll(found -> Matcher.quoteReplacement(
                String.valueOf((char) Integer.parseInt(found.group(1), 16))));
    }

    private static String statuses(String answer) {
        StringBuilder all = new StringBuilder();
        Matcher found = Pattern.compile("HTTP/1\\.[01] (\\d{3}) |urn:spike:problem:([a-z-]+)")
                .matcher(answer.replace("HTTP/0.9", "HTTP/1.0"));
        while (found.find()) {
            if (found.group(1) == null) {
                all.append(':').append(found.group(2));
            } else {
                all.append(all.isEmpty() ? "" : ",").append(found.group(1));
            }
        }
        return all.toString();
    }

    /** Undertow answers what it cannot frame by itself; the admin's listener is no other. */
    @Test
    void adminListener_guardedAlike() throws IOException {
        String rules = "{\"total\":1}";
        try (Wire wire = Wire.open(server.adminPort())) {
            String answer = wire.send("PUT /v1/sales/smuggled HTTP/1.1\r\nHost: x\r\n"
                            + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + Integer.toHexString(rules.length()) + "\r\n" + rules
                            + "\r\n0\r\n\r\n")
                    .readToEnd();
            assertThat(statuses(answer)).isEqualTo("400:bad-request");
        }
        assertThat(server.get("/v1/sales/smuggled").statusCode()).isEqualTo(404);
    }
}
