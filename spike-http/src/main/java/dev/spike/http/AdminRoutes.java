package dev.spike.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.Methods;

import org.jspecify.annotations.Nullable;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The routes of the admin listener. */
final class AdminRoutes implements HttpHandler {

    private final ReservationsHandler reservations;
    private final SaleHandler sale;
    private final OperationsHandler operations;
    private final HealthHandler health;
    private final MetricsHandler metrics;

    /** The hash of what the header must be; null: anything, also nothing. */
    private final byte @Nullable [] authorization;

    /** @param token what every request but those for health must carry; null: nothing */
    AdminRoutes(
            ReservationsHandler reservations,
            SaleHandler sale,
            OperationsHandler operations,
            HealthHandler health,
            MetricsHandler metrics,
            @Nullable String token) {
        this.reservations = reservations;
        this.sale = sale;
        this.operations = operations;
        this.health = health;
        this.metrics = metrics;
        this.authorization = token == null ? null : hash("Bearer " + token);
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
        } else if (path.equals("/metrics")) {
            Route.get(exchange, metrics::get);
        } else {
            handle(exchange, path);
        }
    }

    private void handle(HttpServerExchange exchange, String path) throws Exception {
        SalePath salePath = SalePath.parse(path);
        String buyer = Route.buyer(path);
        if (path.equals("/openapi.json")) {
            Route.get(exchange, OpenApi::send);
        } else if (buyer != null) {
            Route.get(exchange, same -> reservations.list(same, buyer));
        } else if (salePath == null) {
            Problem.NOT_FOUND.send(exchange);
        } else {
            handle(exchange, salePath);
        }
    }

    private void handle(HttpServerExchange exchange, SalePath path) throws Exception {
        String saleId = path.sale();
        switch (path.kind()) {
            case SALE -> {
                if (exchange.getRequestMethod().equals(Methods.PUT)) {
                    sale.open(exchange, saleId);
                } else if (Route.isGet(exchange)) {
                    sale.get(exchange, saleId);
                } else {
                    Route.refuse(exchange, "GET, HEAD, PUT");
                }
            }
            case RESERVATION ->
                Route.get(exchange, same -> reservations.find(same, saleId, path.reservation()));
            case TOTAL -> Route.post(exchange, same -> operations.restock(same, saleId));
            case CLOSE -> Route.post(exchange, same -> operations.close(same, saleId));
            case REOPEN -> Route.post(exchange, same -> operations.reopen(same, saleId));
            case ORDERS -> Route.get(exchange, same -> operations.orders(same, saleId));
            case AUDIT -> Route.get(exchange, same -> operations.audit(same, saleId));
            case REPAIR -> Route.post(exchange, same -> operations.repair(same, saleId));
            default -> Problem.NOT_FOUND.send(exchange);
        }
    }

    /** In a time that depends neither on how much of the token is right nor on its length. */
    private boolean isAuthorized(HttpServerExchange exchange) {
        if (authorization == null) {
            return true;
        }
        HeaderValues given = exchange.getRequestHeaders().get(Headers.AUTHORIZATION);
        return given != null
                && given.size() == 1
                && MessageDigest.isEqual(authorization, hash(given.getFirst()));
    }

    private static byte[] hash(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(ISO_8859_1));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
