package dev.spike.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The bytes of a request, made once. Each <code>{n}</code> in its URL, headers and body becomes the
 * request's number, as {@value #DIGITS} digits, so that each request can be another buyer's with
 * another key. It also says what its answer must be. Immutable.
 */
final class Template {

    static final int DIGITS = 10;

    private static final String NUMBER = "{n}";

    private final String host;
    private final int port;
    private final byte[] bytes;
    private final int[] numbers;
    private final Expected expected;

    /**
     * What the answer to a request must be.
     *
     * @param statuses those that are expected; none: each of 200 to 299
     * @param bodyStart with which the body must begin; empty: with anything
     */
    record Expected(Set<Integer> statuses, String bodyStart) {

        /** Any answer that says that all went well. */
        static final Expected SUCCESS = new Expected(Set.of(), "");

        boolean status(int status) {
            return statuses.isEmpty() ? status / 100 == 2 : statuses.contains(status);
        }
    }

    private final byte[] bodyStart;

    /**
     * @param url {@code http://HOST[:PORT]/PATH}
     * @param headers as {@code Name: value}; Host and Content-Length are given
     * @throws IllegalArgumentException if the URL or a header is malformed
     */
    Template(
            String method,
            String url,
            List<String> headers,
            @Nullable String body,
            Expected expected) {
        URI uri = parse(url);
        this.host = uri.getHost();
        this.port = uri.getPort() < 0 ? 80 : uri.getPort();
        int path = url.indexOf('/', "http://".length());
        StringBuilder text = new StringBuilder(method)
                .append(' ')
                .append(path < 0 ? "/" : url.substring(path))
                .append(" HTTP/1.1\r\nHost: ")
                .append(uri.getRawAuthority())
                .append("\r\n");
        for (String header : headers) {
            if (!header.matches("[A-Za-z0-9-]+: [^\r\n]*")) {
                throw new IllegalArgumentException("must be 'Name: value': header=" + header);
            }
            text.append(header).append("\r\n");
        }
        if (body != null) {
            int length = body.replace(NUMBER, "0".repeat(DIGITS)).getBytes(UTF_8).length;
            text.append("Content-Length: ").append(length).append("\r\n");
        }
        text.append("\r\n").append(body == null ? "" : body);
        this.numbers = numbers(text.toString());
        this.bytes = text.toString().replace(NUMBER, "0".repeat(DIGITS)).getBytes(UTF_8);
        this.expected = expected;
        this.bodyStart = expected.bodyStart.getBytes(UTF_8);
    }

    static Template get(String url, Expected expected) {
        return new Template("GET", url, List.of(), null, expected);
    }

    private static URI parse(String url) {
        try {
            URI uri = URI.create(url.replace(NUMBER, "0"));
            if (uri.toASCIIString().equals(uri.toString())
                    && url.startsWith("http://")
                    && uri.getHost() != null
                    && uri.getRawFragment() == null) {
                return uri;
            }
        } catch (IllegalArgumentException malformed) {
            // Told below, with the rule.
        }
        throw new IllegalArgumentException("must be http://HOST[:PORT]/PATH in ASCII: url=" + url);
    }

    /** Where each number begins, in bytes, once each has its digits. */
    private static int[] numbers(String text) {
        List<Integer> places = new ArrayList<>();
        int bytes = 0;
        int from = 0;
        for (int at = text.indexOf(NUMBER); at >= 0; at = text.indexOf(NUMBER, from)) {
            bytes += text.substring(from, at).getBytes(UTF_8).length;
            places.add(bytes);
            bytes += DIGITS;
            from = at + NUMBER.length();
        }
        return places.stream().mapToInt(Integer::intValue).toArray();
    }

    InetSocketAddress address() {
        return new InetSocketAddress(host, port);
    }

    int length() {
        return bytes.length;
    }

    /** Puts the request of this number at the start of an array that has room for it. */
    void write(long number, byte[] to) {
        System.arraycopy(bytes, 0, to, 0, bytes.length);
        for (int place : numbers) {
            long rest = number;
            for (int digit = place + DIGITS - 1; digit >= place; digit--) {
                to[digit] = (byte) ('0' + rest % 10);
                rest /= 10;
            }
        }
    }

    /** Whether this is the expected answer; the body lies in an array. */
    boolean expects(int status, byte[] in, int from, int to) {
        return expected.status(status)
                && to - from >= bodyStart.length
                && Arrays.equals(in, from, from + bodyStart.length, bodyStart, 0, bodyStart.length);
    }
}
