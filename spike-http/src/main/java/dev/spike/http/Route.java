package dev.spike.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;

/** What the routes of both listeners share. */
final class Route {

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

    static void refuse(HttpServerExchange exchange, String allowed) {
        exchange.getResponseHeaders().put(Headers.ALLOW, allowed);
        Problem.METHOD_NOT_ALLOWED.send(exchange);
    }
}
