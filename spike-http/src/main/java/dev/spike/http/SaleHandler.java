package dev.spike.http;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Levels.Phase;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Opening;
import dev.spike.core.Sale;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/** {@code /v1/sales/{sale}}: its levels and rules; on the admin listener also its opening. */
final class SaleHandler {

    private static final Set<String> FIELDS =
            Set.of("total", "perBuyer", "holdSeconds", "maxHoldSeconds", "opensAt", "closesAt");
    private static final long MOST_HOLD_SECONDS = Duration.ofDays(366).toSeconds();

    private final Sales sales;
    private final Handover handover;

    SaleHandler(Sales sales, Handover handover) {
        this.sales = sales;
        this.handover = handover;
    }

    record Local(long quota) {}

    record Body(
            @JsonUnwrapped SaleLevels levels,
            int perBuyer,
            @Nullable String opensAt,
            @Nullable String closesAt,
            Local local,
            String asOf) {}

    /** {@code GET …}: as this node last saw it, so without a call. */
    void get(HttpServerExchange exchange, String saleId) throws Exception {
        handover.answer(exchange, sales.find(saleId), (same, found) -> {
            if (found.isEmpty()) {
                Problem.NOT_FOUND.send(same);
            } else {
                send(same, 200, found.get());
            }
        });
    }

    /** {@code PUT …}: opens the sale. */
    void open(HttpServerExchange exchange, String saleId) throws Exception {
        RequestBody.read(
                exchange,
                FIELDS,
                body -> handover.answer(
                        exchange, sales.openAsync(rules(saleId, body)), (same, opened) -> {
                            if (opened.opening() == Opening.OTHER_RULES) {
                                Problem.OTHER_RULES.send(same);
                            } else {
                                boolean isNew = opened.opening() == Opening.OPENED;
                                same.getResponseHeaders()
                                        .put(Headers.LOCATION, "/v1/sales/" + saleId);
                                send(same, isNew ? 201 : 200, opened.sale());
                            }
                        }));
    }

    private static Sale rules(String saleId, ObjectNode body) throws BadRequest {
        long total = Json.integer(body, "total", 0, Sale.MAX_TOTAL, null);
        int perBuyer = (int) Json.integer(body, "perBuyer", 0, Integer.MAX_VALUE, 0L);
        long hold = Json.integer(
                body, "holdSeconds", 1, MOST_HOLD_SECONDS, Sale.DEFAULT_HOLD.toSeconds());
        long maxHold = Json.integer(
                body,
                "maxHoldSeconds",
                hold,
                MOST_HOLD_SECONDS,
                Math.min(2 * hold, MOST_HOLD_SECONDS));
        Instant opensAt = Json.instant(body, "opensAt");
        Instant closesAt = Json.instant(body, "closesAt");
        Sale sale = Sale.of(saleId, total)
                .withPerBuyer(perBuyer)
                .withHold(Duration.ofSeconds(hold))
                .withMaxHold(Duration.ofSeconds(maxHold));
        try {
            return sale.withOpening(opensAt, closesAt);
        } catch (IllegalArgumentException outOfRange) {
            throw new BadRequest("opensAt and closesAt must be from 1970 to 9999, "
                    + "and opensAt at least a millisecond before closesAt");
        }
    }

    private static void send(HttpServerExchange exchange, int status, OpenSale sale) {
        Optional<Levels> seen = sale.spike().levels();
        if (seen.isEmpty() || seen.get().phase() == Phase.ABSENT) {
            Problem.send(exchange, Answer.later(Outcome.UNAVAILABLE, Duration.ofSeconds(1)));
            return;
        }
        Levels levels = seen.get();
        Body body = new Body(
                SaleLevels.of(sale, levels),
                sale.rules().perBuyer(),
                Json.timeOrNull(levels.opensAt()),
                Json.timeOrNull(levels.closesAt()),
                new Local(sale.spike().quota()),
                Json.time(levels.asOf()));
        Reply.json(status, body).send(exchange);
    }
}
