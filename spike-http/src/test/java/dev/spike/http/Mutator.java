package dev.spike.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes strange requests of good ones, the same for the same seed. */
final class Mutator {

    private static final String SALE = "/v1/sales/{sale}";
    private static final String ONE = SALE + "/reservations/{id}";
    private static final String JSON = "Content-Type: application/json\r\nContent-Length: ";

    /** One of each route of the buyers' listener, those that change something twice. */
    static final List<String> BUYERS = List.of(
            head("GET", "/buy/ticket", ""),
            head("GET", "/buy/ticket?rid={key}", ""),
            head("POST", "/buy/ticket?buyer={buyer}&rid={key}", ""),
            head("HEAD", "/buy/ticket", "Idempotency-Key: \"{key}\"\r\n"),
            head("POST", "/buy/ticket", "Content-Length: 5\r\n") + "hello",
            body("POST", SALE + "/reservations", "{\"buyer\":\"{buyer}\",\"quantity\":2}"),
            body("POST", SALE + "/reservations", "{\"buyer\":\"{buyer}\"}"),
            body("POST", SALE + "/reservations", "{\"buyer\":\"\\u674e\\u96f7\",\"quantity\":1}"),
            head("GET", ONE, ""),
            head("POST", ONE + "/confirm", ""),
            head("POST", ONE + "/extend", ""),
            head("DELETE", ONE, ""),
            head("GET", "/v1/buyers/{buyer}/reservations?sale={sale}", ""),
            head("GET", "/v1/buyers/%E6%9D%8E/reservations?sale={sale}&cursor=1", ""),
            head("GET", SALE, ""),
            head("GET", SALE + "/events", ""),
            head("HEAD", SALE + "/events", ""),
            head("GET", "/", "If-None-Match: \"{key}\"\r\n"),
            head("GET", "/assets/page.js", "Accept-Encoding: gzip\r\n"),
            head("GET", "/healthz", ""),
            head("GET", "/readyz", "Cookie: a=1; b=2\r\n"));

    /** One of each route of the admin listener. */
    static final List<String> ADMIN = List.of(
            body("PUT", SALE, "{\"total\":500,\"perBuyer\":2,\"holdSeconds\":300}"),
            body("PUT", SALE, "{\"total\":9,\"opensAt\":\"2020-01-31T10:00:00+08:00\"}"),
            body("POST", SALE + "/total", "{\"opId\":\"{key}\",\"delta\":50}"),
            body("POST", SALE + "/total", "{\"opId\":\"{key}\",\"delta\":-5}"),
            head("POST", SALE + "/close", ""),
            head("POST", SALE + "/reopen", ""),
            head("GET", SALE + "/orders", ""),
            head("GET", "/v1/sales/small/audit", ""),
            body("POST", "/v1/sales/small/repair", "{\"dryRun\":true}"),
            head("GET", SALE, ""),
            head("GET", ONE, ""),
            head("GET", "/v1/buyers/{buyer}/reservations?sale={sale}", ""),
            head("GET", "/readyz", ""));

    private static final List<String> PIECES = List.of(
            "\r\n",
            "\r\n\r\n",
            "\r",
            "\n",
            "\0",
            " ",
            "\t",
            ":",
            ",",
            ";",
            "/",
            "//",
            "/../",
            "%00",
            "%2e",
            "%",
            "?",
            "&",
            "#",
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "[[[[[",
            "-",
            "1e400",
            "NaN",
            "99999999999999999999",
            "-1",
            "0",
            "\\ud800",
            "\u00ff\u00fe",
            "\u00c0\u00af",
            "Content-Length: 5\r\n",
            "Content-Length: 0\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Expect: 100-continue\r\n",
            "Connection: close\r\n",
            "Upgrade: h2c\r\n",
            "Host: y\r\n",
            "HTTP/1.0",
            "HTTP/2.0",
            "GET ",
            "POST ",
            "Idempotency-Key: request-1\r\n",
            "\"buyer\":\"b\",",
            "\"quantity\":2147483647,",
            "X: " + "a".repeat(300) + "\r\n");

    private static final List<String> IN_JSON = List.of(
            "\\ud800",
            "\\u0000",
            "\\\"",
            "\"",
            "0",
            "-",
            ".5",
            "e9",
            "null",
            "{}",
            "[",
            "\u00c0\u00af",
            "\"buyer\":\"\",",
            "\"quantity\":-1,",
            "\"quantity\":2147483647,",
            "b".repeat(200));

    private final Random random;
    private final List<String> templates;

    Mutator(long seed, List<String> templates) {
        this.random = new Random(seed);
        this.templates = templates;
    }

    private static String head(String method, String path, String headers) {
        return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
    }

    private static String body(String method, String path, String body) {
        return head(method, path, "Idempotency-Key: {key}\r\n" + JSON + "{length}\r\n") + body;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /**
     * The next request: every other as its route takes it, or nearly; the rest changed anywhere.
     */
    byte[] next() {
        byte[] request = good();
        for (int i = below(2); i > 0; i--) {
            request = mutated(request);
        }
        return request;
    }

    private byte[] good() {
        String key = "request-" + below(100_000);
        String buyer = "buyer" + below(5_000);
        String text = templates
                .get(below(templates.size()))
                .replace("{sale}", below(4) == 0 ? "small" : "ticket")
                .replace("{key}", key)
                .replace("{id}", below(2) == 0 ? key : "YQ." + key)
                .replace("{buyer}", buyer);
        int bodyAt = text.indexOf("\r\n\r\n") + 4;
        byte[] body = text.substring(bodyAt).getBytes(ISO_8859_1);
        if (below(3) > 0) {
            // With the length that it has, so that it is read.
            body = below(2) == 0 ? mutated(body) : inserted(body, IN_JSON);
        }
        String head = text.substring(0, bodyAt).replace("{length}", Integer.toString(body.length));
        return joined(head.getBytes(ISO_8859_1), body);
    }

    private byte[] mutated(byte[] request) {
        int at = below(request.length + 1);
        int end = Math.min(request.length, at + below(40));
        byte[] before = Arrays.copyOf(request, at);
        byte[] after = Arrays.copyOfRange(request, at, request.length);
        return switch (below(7)) {
            case 0 -> flipped(request);
            case 1 -> before;
            case 2 -> joined(before, Arrays.copyOfRange(request, at, end), after);
            case 3 -> joined(before, Arrays.copyOfRange(request, end, request.length));
            case 4 -> inserted(request, PIECES);
            case 5 -> joined(before, noise(), after);
            default -> spliced(before, templates.get(below(templates.size())));
        };
    }

    private byte[] inserted(byte[] request, List<String> pieces) {
        int at = below(request.length + 1);
        return joined(
                Arrays.copyOf(request, at),
                pieces.get(below(pieces.size())).getBytes(ISO_8859_1),
                Arrays.copyOfRange(request, at, request.length));
    }

    private byte[] flipped(byte[] request) {
        byte[] copy = request.clone();
        for (int i = 1 + below(3); i > 0 && copy.length > 0; i--) {
            copy[below(copy.length)] ^= (byte) (1 << below(8));
        }
        return copy;
    }

    private byte[] noise() {
        byte[] bytes = new byte[below(20)];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] spliced(byte[] before, String other) {
        return joined(before, other.substring(below(other.length())).getBytes(ISO_8859_1));
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
