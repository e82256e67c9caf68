package dev.spike.http;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;

import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** {@code /v1/sales/{sale}/reservations}: the whole life of a reservation. */
final class ReservationsHandler {

    private static final HttpString REPLAYED = new HttpString("Idempotent-Replayed");
    private static final Set<String> FIELDS = Set.of("buyer", "quantity");
    private static final CompletionStage<Answer> NOT_OPEN =
            CompletableFuture.completedStage(Answer.of(Outcome.NOT_OPEN));
    private static final CompletionStage<Answer> NOT_FOUND =
            CompletableFuture.completedStage(Answer.of(Outcome.NOT_FOUND));

    private final Sales sales;
    private final StoreCalls calls;
    private final Handover handover;

    ReservationsHandler(Sales sales, StoreCalls calls, Handover handover) {
        this.sales = sales;
        this.calls = calls;
        this.handover = handover;
    }

    record Body(
            String id, String sale, String buyer, int quantity, String status, String expiresAt) {}

    /** {@code POST …/reservations}. */
    void reserve(HttpServerExchange exchange, String saleId) throws Exception {
        String key = IdempotencyKey.of(exchange);
        if (key == null) {
            Problem.KEY_MISSING.send(exchange);
        } else {
            RequestBody.read(exchange, FIELDS, body -> reserve(exchange, saleId, key, body));
        }
    }

    private void reserve(HttpServerExchange exchange, String saleId, String key, ObjectNode body)
            throws Exception {
        int quantity = (int) Json.integer(body, "quantity", 1, Integer.MAX_VALUE, 1L);
        ReservationId id;
        try {
            id = new ReservationId(Json.string(body, "buyer"), key);
        } catch (IllegalArgumentException malformed) {
            throw badBuyer();
        }
        CompletionStage<Answer> answer = ofSale(
                saleId,
                NOT_OPEN,
                sale -> sale.spike().reserveAsync(id.buyer(), id.key(), quantity));
        handover.answer(exchange, answer, (same, reserved) -> {
            Outcome outcome = reserved.outcome();
            if (outcome == Outcome.RESERVED || outcome == Outcome.CONFIRMED) {
                if (reserved.repeated()) {
                    same.getResponseHeaders().put(REPLAYED, "true");
                }
                same.getResponseHeaders().put(Headers.LOCATION, OpenSale.location(saleId, id));
                send(same, 201, saleId, reserved.reservation());
            } else {
                Problem.send(same, reserved);
            }
        });
    }

    /** {@code GET …/reservations/{id}}. */
    void find(HttpServerExchange exchange, String saleId, String reservation) throws Exception {
        ReservationId id = parse(reservation);
        CompletionStage<Answer> answer = id == null
                ? NOT_FOUND
                : ofSale(
                        saleId, NOT_FOUND, sale -> calls.call(() -> sale.spike().find(id)));
        handover.answer(exchange, answer, (same, found) -> {
            if (found.reservation() == null) {
                Problem.send(same, found);
            } else {
                send(same, 200, saleId, found.reservation());
            }
        });
    }

    /** {@code POST …/reservations/{id}/confirm}. */
    void confirm(HttpServerExchange exchange, String saleId, String reservation) throws Exception {
        settle(exchange, saleId, reservation, Outcome.CONFIRMED);
    }

    /** {@code DELETE …/reservations/{id}}. */
    void cancel(HttpServerExchange exchange, String saleId, String reservation) throws Exception {
        settle(exchange, saleId, reservation, Outcome.CANCELLED);
    }

    private void settle(HttpServerExchange exchange, String saleId, String reservation, Outcome to)
            throws Exception {
        ReservationId id = parse(reservation);
        CompletionStage<Answer> answer = id == null
                ? NOT_FOUND
                : ofSale(
                        saleId,
                        NOT_FOUND,
                        sale -> to == Outcome.CONFIRMED
                                ? sale.spike().confirmAsync(id)
                                : sale.spike().cancelAsync(id));
        handover.answer(exchange, answer, (same, settled) -> {
            if (settled.outcome() == to) {
                send(same, 200, saleId, settled.reservation());
            } else {
                Problem.send(same, settled);
            }
        });
    }

    private CompletionStage<Answer> ofSale(
            String saleId,
            CompletionStage<Answer> absent,
            Function<OpenSale, CompletionStage<Answer>> ask) {
        CompletableFuture<Optional<OpenSale>> found = sales.find(saleId).toCompletableFuture();
        return found.thenCompose(sale -> sale.map(ask).orElse(absent));
    }

    private static void send(
            HttpServerExchange exchange, int status, String saleId, @Nullable Reservation found) {
        if (found == null) {
            throw new IllegalStateException("an answer without its reservation");
        }
        Body body = new Body(
                found.id().toString(),
                saleId,
                found.id().buyer(),
                found.quantity(),
                found.state().name().toLowerCase(Locale.ROOT),
                Json.time(found.expiresAt()));
        Reply.json(status, body).send(exchange);
    }

    private static @Nullable ReservationId parse(String text) {
        try {
            return ReservationId.parse(text);
        } catch (IllegalArgumentException malformed) {
            return null;
        }
    }

    static BadRequest badBuyer() {
        return new BadRequest("buyer must be 1 to 128 bytes of UTF-8 without control characters");
    }
}
