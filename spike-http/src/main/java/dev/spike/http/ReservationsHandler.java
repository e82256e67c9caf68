package dev.spike.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    private final boolean ordersAreKept;

    ReservationsHandler(Sales sales, StoreCalls calls, Handover handover, boolean ordersAreKept) {
        this.sales = sales;
        this.calls = calls;
        this.handover = handover;
        this.ordersAreKept = ordersAreKept;
    }

    /**
     * A reservation; {@code order} is left out where it is not looked up, or no orders are kept.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Body(
            String id,
            String sale,
            String buyer,
            int quantity,
            String status,
            String expiresAt,
            @Nullable String order) {}

    record Listing(List<Body> reservations, @Nullable String next) {}

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
        CompletionStage<Answer> answer = ofSale(saleId, NOT_OPEN, sale -> {
            sale.traffic().arrived();
            return sale.spike().reserveAsync(id.buyer(), id.key(), quantity);
        });
        handover.answer(exchange, answer, (same, reserved) -> {
            OpenSale sale = sales.known(saleId);
            if (sale != null) {
                sale.traffic().answered(reserved);
            }
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
        CompletionStage<Optional<Progress>> progress = id == null
                ? CompletableFuture.completedStage(Optional.empty())
                : look(saleId, spike -> spike.progress(id));
        handover.answer(exchange, progress, (same, found) -> {
            if (found.isEmpty()) {
                Problem.NOT_FOUND.send(same);
            } else {
                Reply.json(200, body(saleId, found.get())).send(same);
            }
        });
    }

    /** {@code GET /v1/buyers/{buyer}/reservations?sale=…}. */
    void list(HttpServerExchange exchange, String buyer) throws Exception {
        String saleId = Query.parameter(exchange.getQueryString(), "sale");
        String cursor = Query.parameter(exchange.getQueryString(), "cursor");
        if (saleId == null) {
            throw new BadRequest("sale must be given, as in ?sale=ticket");
        }
        try {
            ReservationId.requireBuyer(buyer);
        } catch (IllegalArgumentException malformed) {
            throw badBuyer();
        }
        try {
            Sale.requireId(saleId);
        } catch (IllegalArgumentException malformed) {
            throw new BadRequest("sale must be 1 to 64 of A-Z a-z 0-9 _ -");
        }
        CompletionStage<Optional<RemoteSpike.Page>> page =
                look(saleId, spike -> Optional.of(page(spike, buyer, cursor)));
        handover.answer(exchange, page, (same, found) -> {
            if (found.isEmpty()) {
                Problem.NOT_FOUND.send(same);
            } else {
                List<Body> reservations = found.get().reservations().stream()
                        .map(progress -> body(saleId, progress))
                        .toList();
                Reply.json(200, new Listing(reservations, found.get().next())).send(same);
            }
        });
    }

    private static RemoteSpike.Page page(Spike spike, String buyer, @Nullable String cursor) {
        try {
            return spike.reservationsOf(buyer, cursor);
        } catch (IllegalArgumentException malformed) {
            // The buyer was checked.
            throw new CompletionException(new BadRequest("cursor must be the next of a page"));
        }
    }

    /** Asks the store, if it has the sale. */
    private <T> CompletionStage<Optional<T>> look(
            String saleId, Function<Spike, Optional<T>> question) {
        return sales.find(saleId)
                .thenCompose(sale -> sale.isEmpty()
                        ? CompletableFuture.completedStage(Optional.empty())
                        : calls.call(() -> question.apply(sale.get().spike())));
    }

    /** {@code POST …/reservations/{id}/extend}. */
    void extend(HttpServerExchange exchange, String saleId, String reservation) throws Exception {
        settle(exchange, saleId, reservation, Outcome.RESERVED);
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
                : ofSale(saleId, NOT_FOUND, sale -> switch (to) {
                    case CONFIRMED -> sale.spike().confirmAsync(id);
                    case CANCELLED -> sale.spike().cancelAsync(id);
                    default -> sale.spike().extendAsync(id);
                });
        handover.answer(exchange, answer, (same, settled) -> {
            if (settled.outcome() == to) {
                send(same, 200, saleId, settled.reservation());
            } else if (settled.outcome() == Outcome.LIMIT_REACHED) {
                Problem.HOLD_TOO_LONG.send(same);
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
        Reply.json(status, body(saleId, found, null)).send(exchange);
    }

    private Body body(String saleId, Progress progress) {
        String order = progress.orderWritten() ? "written" : "pending";
        return body(saleId, progress.reservation(), ordersAreKept ? order : null);
    }

    private static Body body(String saleId, Reservation found, @Nullable String order) {
        return new Body(
                found.id().toString(),
                saleId,
                found.id().buyer(),
                found.quantity(),
                found.state().name().toLowerCase(Locale.ROOT),
                Json.time(found.expiresAt()),
                order);
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
