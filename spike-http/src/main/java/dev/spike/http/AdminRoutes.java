package dev.spike.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;

import org.jspecify.annotations.Nullable;

import java.security.MessageDigest;

/** The routes of the admin listener. */
final class AdminRoutes implements HttpHandler {

    private final ReservationsHandler reservations;
    private final SaleHandler sale;
    private final HealthHandler health;
    private final byte @Nullable [] authorization;

    /** @param token what every request but those for health must carry; null: nothing */
    AdminRoutes(
            ReservationsHandler reservations,
            SaleHandler sale,
            HealthHandler health,
            @Nullable String token) {
        this.reservations = reservations;
        this.sale = sale;
        this.health = health;
        this.authorization = token == null ? null : ("Bearer " + token).getBytes(ISO_8859_1);
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        String path = Route.path(exchange);
        if (path.equals("/healthz")) {
            Route.get(exchange, health::live);
        } else if (path.equals("/readyz")) {
            Route.get(exchange, health::ready);
        } else if (!isAuthorized(exchange)) {
            exchange.getResponseHeaders().put(Headers.WWW_AUTHENTICATE, "Bearer");
            Problem.UNAUTHORIZED.send(exchange);
        } else {
            handle(exchange, SalePath.parse(path));
        }
    }

    private void handle(HttpServerExchange exchange, @Nullable SalePath path) throws Exception {
        if (path != null && path.kind() == SalePath.Kind.SALE) {
            if (exchange.getRequestMethod().equals(Methods.PUT)) {
                sale.open(exchange, path.sale());
            } else if (Route.isGet(exchange)) {
                sale.get(exchange, path.sale());
            } else {
                Route.refuse(exchange, "GET, HEAD, PUT");
            }
        } else if (path != null && path.kind() == SalePath.Kind.RESERVATION) {
            Route.get(exchange, same -> reservations.find(same, path.sale(), path.reservation()));
        } else {
            Problem.NOT_FOUND.send(exchange);
        }
    }

    /** In a time that does not depend on how much of the token is right. */
    private boolean isAuthorized(HttpServerExchange exchange) {
        String given = exchange.getRequestHeaders().getFirst(Headers.AUTHORIZATION);
        return authorization == null
                || given != null
                        && MessageDigest.isEqual(authorization, given.getBytes(ISO_8859_1));
    }
}
