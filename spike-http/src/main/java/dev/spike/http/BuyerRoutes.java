package dev.spike.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;

/** The routes of the buyers' listener. */
final class BuyerRoutes implements HttpHandler {

    private final BuyTicketHandler buyTicket;
    private final ReservationsHandler reservations;
    private final SaleHandler sale;
    private final EventsHandler events;
    private final PageHandler page;
    private final HealthHandler health;

    BuyerRoutes(
            BuyTicketHandler buyTicket,
            ReservationsHandler reservations,
            SaleHandler sale,
            EventsHandler events,
            PageHandler page,
            HealthHandler health) {
        this.buyTicket = buyTicket;
        this.reservations = reservations;
        this.sale = sale;
        this.events = events;
        this.page = page;
        this.health = health;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        String path = Route.path(exchange);
        switch (path) {
            case "/buy/ticket" -> buyTicket.handleRequest(exchange);
            case "/healthz" -> Route.get(exchange, health::live);
            case "/readyz" -> Route.get(exchange, health::ready);
            case "/openapi.json" -> Route.get(exchange, OpenApi::send);
            default -> {
                SalePath salePath = SalePath.parse(path);
                String buyer = Route.buyer(path);
                if (buyer != null) {
                    Route.get(exchange, same -> reservations.list(same, buyer));
                } else if (salePath != null) {
                    handle(exchange, salePath);
                } else if (page.has(path)) {
                    Route.get(exchange, same -> page.send(same, path));
                } else {
                    Problem.NOT_FOUND.send(exchange);
                }
            }
        }
    }

    private void handle(HttpServerExchange exchange, SalePath path) throws Exception {
        HttpString method = exchange.getRequestMethod();
        switch (path.kind()) {
            case SALE -> Route.get(exchange, same -> sale.get(same, path.sale()));
            case EVENTS -> Route.get(exchange, same -> events.watch(same, path.sale()));
            case RESERVATIONS ->
                Route.post(exchange, same -> reservations.reserve(same, path.sale()));
            case RESERVATION -> {
                if (method.equals(Methods.DELETE)) {
                    reservations.cancel(exchange, path.sale(), path.reservation());
                } else if (Route.isGet(exchange)) {
                    reservations.find(exchange, path.sale(), path.reservation());
                } else {
                    Route.refuse(exchange, "GET, HEAD, DELETE");
                }
            }
            case CONFIRM ->
                Route.post(
                        exchange,
                        same -> reservations.confirm(same, path.sale(), path.reservation()));
            case EXTEND ->
                Route.post(
                        exchange,
                        same -> reservations.extend(same, path.sale(), path.reservation()));
            default -> Problem.NOT_FOUND.send(exchange);
        }
    }
}
