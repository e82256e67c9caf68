package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Answer;
import dev.spike.core.Reservation;
import dev.spike.core.Spike;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.CompletionStage;

/**
 * {@code /buy/ticket}: one unit of the one sale, in the fewest bytes. Every answer but a malformed
 * request's has one of five bodies.
 */
final class BuyTicketHandler implements HttpHandler {

    private static final Reply BOUGHT = reply(200, "{\"code\":1,\"msg\":\"抢票成功\"}");
    private static final Reply SOLD_OUT = reply(200, "{\"code\":-1,\"msg\":\"已售罄\"}");
    private static final Reply BUSY = reply(503, "{\"code\":-2,\"msg\":\"系统繁忙\"}");
    private static final Reply LIMIT_REACHED = reply(200, "{\"code\":-3,\"msg\":\"超过限购\"}");
    private static final Reply NOT_OPEN = reply(200, "{\"code\":-4,\"msg\":\"未开售\"}");

    private final String saleId;
    private final Spike spike;
    private final Traffic traffic;
    private final Handover handover;
    private final @Nullable StatLog statLog;
    private final Handover.Sending<Answer> sending = this::send;

    BuyTicketHandler(OpenSale sale, Handover handover, @Nullable StatLog statLog) {
        this.saleId = sale.rules().id();
        this.spike = sale.spike();
        this.traffic = sale.traffic();
        this.handover = handover;
        this.statLog = statLog;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        handover.answer(exchange, reserve(exchange), sending);
    }

    private CompletionStage<Answer> reserve(HttpServerExchange exchange) throws BadRequest {
        String query = exchange.getQueryString();
        String key = IdempotencyKey.of(exchange);
        if (key == null && query.isEmpty()) {
            traffic.arrived();
            return spike.reserveAsync(1);
        }
        String buyer = Query.parameter(query, "buyer");
        String rid = Query.parameter(query, "rid");
        if (rid != null) {
            rid = IdempotencyKey.parse("rid", rid);
            if (key != null && !key.equals(rid)) {
                throw new BadRequest("rid must be the Idempotency-Key, or only one be given");
            }
            key = rid;
        }
        traffic.arrived();
        if (buyer == null) {
            return key == null ? spike.reserveAsync(1) : spike.reserveAsync(key, key, 1);
        }
        try {
            return key == null ? spike.reserveAsync(buyer, 1) : spike.reserveAsync(buyer, key, 1);
        } catch (IllegalArgumentException malformed) {
            traffic.refused();
            throw ReservationsHandler.badBuyer();
        }
    }

    private void send(HttpServerExchange exchange, Answer answer) {
        traffic.answered(answer);
        switch (answer.outcome()) {
            case RESERVED, CONFIRMED -> {
                Reservation reservation = answer.reservation();
                if (reservation != null) {
                    exchange.getResponseHeaders()
                            .put(Headers.LOCATION, OpenSale.location(saleId, reservation.id()));
                }
                log(answer.repeated() ? StatLog.Line.REPEATED : StatLog.Line.SOLD);
                BOUGHT.send(exchange);
            }
            case SOLD_OUT, ALL_RESERVED, CANCELLED, EXPIRED -> refuse(exchange, SOLD_OUT);
            case LIMIT_REACHED -> refuse(exchange, LIMIT_REACHED);
            case NOT_OPEN, CLOSED -> refuse(exchange, NOT_OPEN);
            case UNAVAILABLE, UNKNOWN -> {
                Problem.retryAfter(exchange, answer.retryAfter());
                if (answer.id() != null) {
                    exchange.getResponseHeaders()
                            .put(Headers.LOCATION, OpenSale.location(saleId, answer.id()));
                }
                refuse(exchange, BUSY);
            }
            case MISMATCH, NOT_FOUND -> Problem.send(exchange, answer);
        }
    }

    private void refuse(HttpServerExchange exchange, Reply reply) {
        log(StatLog.Line.REFUSED);
        reply.send(exchange);
    }

    private void log(StatLog.Line line) {
        if (statLog != null) {
            statLog.add(line);
        }
    }

    private static Reply reply(int status, String body) {
        return Reply.encoded(status, Reply.JSON, body.getBytes(UTF_8));
    }
}
