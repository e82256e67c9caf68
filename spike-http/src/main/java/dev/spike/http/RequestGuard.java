package dev.spike.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;

import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The first handler: refuses what Undertow lets through and no honest client sends, above all what
 * two parsers could read differently, and bounds the size and the total time of a body.
 */
final class RequestGuard implements HttpHandler {

    private static final int MAX_PATH = 512;

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
                limitBodyTime(exchange);
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
        HttpString protocol = exchange.getProtocol();
        if (!protocol.equals(Protocols.HTTP_1_1) && !protocol.equals(Protocols.HTTP_1_0)) {
            return "the version must be HTTP/1.1 or HTTP/1.0";
        }
        if (!isPath(exchange.getRequestURI())) {
            return "the path must be of A-Z a-z 0-9 / _ - . ~, without empty or dot segments";
        }
        HeaderMap headers = exchange.getRequestHeaders();
        for (long at = headers.fastIterateNonEmpty(); at != -1; at = headers.fiNextNonEmpty(at)) {
            String refusal = refusal(headers.fiCurrent(at));
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }

    private static @Nullable String refusal(HeaderValues header) {
        HttpString name = header.getHeaderName();
        if (name.equals(Headers.TRANSFER_ENCODING)) {
            return "Transfer-Encoding is not supported; send a Content-Length";
        }
        boolean isLength = name.equals(Headers.CONTENT_LENGTH);
        if (header.size() > 1 && (isLength || name.equals(Headers.HOST))) {
            return name + " must be given once";
        }
        for (int i = 0; i < header.size(); i++) {
            String value = header.get(i);
            for (int c = 0; c < value.length(); c++) {
                if (value.charAt(c) < ' ' || value.charAt(c) == 0x7f) {
                    return "a header must be one line without control characters";
                }
            }
        }
        return isLength && !isLength(header.getFirst()) ? "Content-Length must be a number" : null;
    }

    private static boolean isLength(String text) {
        return !text.isEmpty()
                && text.length() <= 18
                && text.chars().allMatch(c -> c >= '0' && c <= '9');
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
                valid = isPathCharacter(c);
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

    /** No option of Undertow stops a body that comes one byte a second. */
    private void limitBodyTime(HttpServerExchange exchange) {
        XnioExecutor.Key deadline = exchange.getIoThread()
                .executeAfter(
                        () -> {
                            if (!exchange.isRequestComplete()) {
                                IoUtils.safeClose(exchange.getConnection());
                            }
                        },
                        bodyTime.toMillis(),
                        TimeUnit.MILLISECONDS);
        exchange.addExchangeCompleteListener((same, rest) -> {
            deadline.remove();
            rest.proceed();
        });
    }
}
