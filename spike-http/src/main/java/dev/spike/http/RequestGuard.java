package dev.spike.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * The first handler: refuses what Undertow lets through and no honest client sends, above all what
 * two parsers could read differently, and bounds the size and the total time of a body. What
 * Undertow refuses by itself (control characters, a repeated Host or Content-Length) never comes
 * here; the test of this class holds both together.
 */
final class RequestGuard implements HttpHandler {

    /** Undertow counts cookies only where somebody reads them, which nobody does here. */
    static final int MAX_COOKIES = 16;

    private static final int MAX_PATH = 512;
    private static final Duration LATER = Duration.ofSeconds(1);

    private final HttpHandler next;
    private final BooleanSupplier draining;
    private final Duration bodyTime;

    /**
     * @param next gets what is in order
     * @param draining whether new work is to be refused
     * @param bodyTime within which a body must have come
     */
    RequestGuard(HttpHandler next, BooleanSupplier draining, Duration bodyTime) {
        this.next = next;
        this.draining = draining;
        this.bodyTime = bodyTime;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        try {
            String refusal = refusal(exchange);
            if (!exchange.isRequestComplete()) {
                // No option of Undertow stops a body that comes one byte a second.
                if (!Deadline.set(exchange, bodyTime, HttpServerExchange::isRequestComplete)) {
                    Problem.UNAVAILABLE.send(exchange, "the server is stopping", LATER);
                    return;
                }
                if (refusal == null && exchange.getRequestContentLength() > Json.MAX_BYTES) {
                    exchange.setPersistent(false);
                    Problem.TOO_LARGE.send(exchange);
                    return;
                }
            }
            if (refusal != null) {
                exchange.setPersistent(false);
                Problem.BAD_REQUEST.send(exchange, refusal);
                return;
            }
            if (draining.getAsBoolean()) {
                exchange.setPersistent(false);
            }
            next.handleRequest(exchange);
        } catch (Exception failure) {
            Problem.send(exchange, failure);
        }
    }

    private static @Nullable String refusal(HttpServerExchange exchange) {
        HttpString version = exchange.getProtocol();
        if (!version.equals(Protocols.HTTP_1_1) && !version.equals(Protocols.HTTP_1_0)) {
            return "the version must be HTTP/1.1 or HTTP/1.0";
        }
        if (exchange.getRequestHeaders().contains(Headers.TRANSFER_ENCODING)) {
            return "Transfer-Encoding is not supported; send a Content-Length";
        }
        if (cookies(exchange.getRequestHeaders().get(Headers.COOKIE)) > MAX_COOKIES) {
            return "there must be at most " + MAX_COOKIES + " cookies";
        }
        return isPath(Route.path(exchange))
                ? null
                : "the path must be of A-Z a-z 0-9 / _ - . ~, without empty or dot segments; % only in a buyer";
    }

    private static long cookies(@Nullable HeaderValues lines) {
        return lines == null
                ? 0
                : lines.stream()
                        .mapToLong(
                                line -> 1 + line.chars().filter(c -> c == ';').count())
                        .sum();
    }

    private static boolean isPath(String path) {
        boolean valid = !path.isEmpty() && path.length() <= MAX_PATH && path.charAt(0) == '/';
        int segment = 1;
        boolean dots = true;
        for (int i = 1; valid && i < path.length(); i++) {
            char c = path.charAt(i);
            if (c == '/') {
                valid = !dots;
                segment = i + 1;
                dots = true;
            } else if (c == '.') {
                dots &= i - segment < 2;
            } else {
                valid = isPathCharacter(c) || c == '%' && path.startsWith(Route.BUYERS);
                dots = false;
            }
        }
        return valid && (!dots || segment == path.length());
    }

    private static boolean isPathCharacter(char c) {
        return c >= 'a' && c <= 'z'
                || c >= 'A' && c <= 'Z'
                || c >= '0' && c <= '9'
                || c == '_'
                || c == '-'
                || c == '~';
    }
}
