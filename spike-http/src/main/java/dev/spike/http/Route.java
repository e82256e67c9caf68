package dev.spike.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;

import org.jspecify.annotations.Nullable;

/** What the routes of both listeners share. */
final class Route {

    /** Before the buyer, who alone may be percent-encoded in a path. */
    static final String BUYERS = "/v1/buyers/";

    private static final String RESERVATIONS = "/reservations";

    private Route() {}

    /** The path as it was sent, undecoded, also of a request in absolute form. */
    static String path(HttpServerExchange exchange) {
        String uri = exchange.getRequestURI();
        int authority = uri.indexOf("://");
        if (authority < 0 || !exchange.isHostIncludedInRequestURI()) {
            return uri;
        }
        int slash = uri.indexOf('/', authority + 3);
        return slash < 0 ? "/" : uri.substring(slash);
    }

    static boolean isGet(HttpServerExchange exchange) {
        HttpString method = exchange.getRequestMethod();
        return method.equals(Methods.GET) || method.equals(Methods.HEAD);
    }

    /** Passes a GET or HEAD on, refuses any other method. */
    static void get(HttpServerExchange exchange, HttpHandler handler) throws Exception {
        if (isGet(exchange)) {
            handler.handleRequest(exchange);
        } else {
            refuse(exchange, "GET, HEAD");
        }
    }

    /** Passes a POST on, refuses any other method. */
    static void post(HttpServerExchange exchange, HttpHandler handler) throws Exception {
        if (exchange.getRequestMethod().equals(Methods.POST)) {
            handler.handleRequest(exchange);
        } else {
            refuse(exchange, "POST");
        }
    }

    /**
     * The buyer of {@code /v1/buyers/{buyer}/reservations}; null if the path is another.
     *
     * @throws BadRequest if the buyer is not percent-encoded UTF-8
     */
    static @Nullable String buyer(String path) throws BadRequest {
        boolean matches = path.startsWith(BUYERS)
                && path.endsWith(RESERVATIONS)
                && path.length() > BUYERS.length() + RESERVATIONS.length();
        if (!matches) {
            return null;
        }
        String raw = path.substring(BUYERS.length(), path.length() - RESERVATIONS.length());
        return raw.indexOf('/') < 0 ? Query.decode("buyer", raw) : null;
    }

    static void refuse(HttpServerExchange exchange, String allowed) {
        exchange.getResponseHeaders().put(Headers.ALLOW, allowed);
        Problem.METHOD_NOT_ALLOWED.send(exchange);
    }
}
