package dev.spike.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.spike.core.Audit;
import dev.spike.core.Audit.Difference;
import dev.spike.core.Levels;
import dev.spike.core.OrderBook;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Restock;
import dev.spike.core.Repair;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.OrderRelay;

import io.undertow.server.HttpServerExchange;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** What operators do with a sale that is open, below {@code /v1/sales/{sale}/}. */
final class OperationsHandler {

    private static final String OP_ID = "opId must be 1 to 64 of A-Z a-z 0-9 _ -";

    private final Sales sales;
    private final Orders orders;
    private final StoreCalls calls;
    private final StoreCalls audits;
    private final Handover handover;

    OperationsHandler(
            Sales sales, Orders orders, StoreCalls calls, StoreCalls audits, Handover handover) {
        this.sales = sales;
        this.orders = orders;
        this.calls = calls;
        this.audits = audits;
        this.handover = handover;
    }

    record State(@JsonUnwrapped SaleLevels levels, String asOf) {

        static State of(String saleId, Levels levels) {
            return new State(SaleLevels.of(saleId, levels), Json.time(levels.asOf()));
        }
    }

    record Restocked(String opId, long delta, long applied, boolean repeated, State levels) {}

    record Lag(long backlog, long ageMillis, long deadLetters) {}

    record Count(long reservations, long units) {}

    record Log(long from, Map<String, Count> events) {}

    record Sums(
            long total,
            long soldBefore,
            Map<String, Count> reservations,
            long buyers,
            Log log,
            @Nullable Map<String, Count> orders) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Differing(
            String kind,
            String place,
            String what,
            long expected,
            long found,
            @Nullable String id,
            @Nullable String buyer) {}

    record Audited(boolean balanced, State levels, Sums sums, List<Differing> differences) {}

    record Repaired(boolean dryRun, List<Repair.Step> steps, boolean more, Audited audit) {}

    /** {@code POST …/total}: raises or lowers the total. */
    void restock(HttpServerExchange exchange, String saleId) throws Exception {
        RequestBody.read(exchange, Set.of("opId", "delta"), body -> {
            String opId = Json.string(body, "opId");
            if (!opId.matches("[A-Za-z0-9_-]{1,64}")) {
                throw new BadRequest(OP_ID);
            }
            long delta = Json.integer(body, "delta", -Sale.MAX_TOTAL, Sale.MAX_TOTAL, null);
            if (delta == 0) {
                throw new BadRequest("delta must not be 0");
            }
            answer(
                    calls,
                    exchange,
                    saleId,
                    spike -> Optional.of(spike.restock(opId, delta)),
                    (same, done) -> send(same, saleId, opId, delta, done));
        });
    }

    private static void send(
            HttpServerExchange exchange, String saleId, String opId, long delta, Restock done) {
        switch (done.effect()) {
            case ABSENT -> Problem.NOT_FOUND.send(exchange);
            case OTHER_DELTA -> Problem.OPERATION_REUSED.send(exchange);
            case APPLIED, REPEATED -> {
                boolean repeated = done.effect() == Restock.Effect.REPEATED;
                State levels = State.of(saleId, done.levels());
                Reply.json(200, new Restocked(opId, delta, done.applied(), repeated, levels))
                        .send(exchange);
            }
        }
    }

    /** {@code POST …/close}. */
    void close(HttpServerExchange exchange, String saleId) throws Exception {
        hours(exchange, saleId, Spike::closeSale);
    }

    /** {@code POST …/reopen}. */
    void reopen(HttpServerExchange exchange, String saleId) throws Exception {
        hours(exchange, saleId, Spike::reopenSale);
    }

    private void hours(HttpServerExchange exchange, String saleId, Function<Spike, Levels> change)
            throws Exception {
        answer(
                calls,
                exchange,
                saleId,
                spike -> Optional.of(change.apply(spike)),
                (same, levels) -> {
                    if (levels.phase() == Levels.Phase.ABSENT) {
                        Problem.NOT_FOUND.send(same);
                    } else {
                        Reply.json(200, State.of(saleId, levels)).send(same);
                    }
                });
    }

    /** {@code GET …/orders}: how far the order book is behind. */
    void orders(HttpServerExchange exchange, String saleId) throws Exception {
        answer(
                calls,
                exchange,
                saleId,
                spike -> Optional.ofNullable(orders.relay(saleId)).map(OrderRelay::lag),
                (same, lag) -> Reply.json(
                                200, new Lag(lag.events(), lag.age().toMillis(), lag.deadLetters()))
                        .send(same));
    }

    /** {@code GET …/audit}. */
    void audit(HttpServerExchange exchange, String saleId) throws Exception {
        answer(
                audits,
                exchange,
                saleId,
                spike -> spike.audit(orders.book()),
                (same, audit) -> Reply.json(200, body(saleId, audit)).send(same));
    }

    /** {@code POST …/repair}: the body says whether it is a dry run. */
    void repair(HttpServerExchange exchange, String saleId) throws Exception {
        RequestBody.read(exchange, Set.of("dryRun"), body -> {
            boolean dryRun = isDryRun(body);
            answer(
                    audits,
                    exchange,
                    saleId,
                    spike -> spike.repair(dryRun, orders.book(), orders.sink()),
                    (same, repair) -> Reply.json(
                                    200,
                                    new Repaired(
                                            repair.dryRun(),
                                            repair.steps(),
                                            repair.more(),
                                            body(saleId, repair.audit())))
                            .send(same));
        });
    }

    private static boolean isDryRun(ObjectNode body) throws BadRequest {
        if (!body.path("dryRun").isBoolean()) {
            throw new BadRequest("dryRun must be true or false");
        }
        return body.path("dryRun").booleanValue();
    }

    /** Asks the store, and sends what it answers, or that there is no such sale. */
    private <T> void answer(
            StoreCalls threads,
            HttpServerExchange exchange,
            String saleId,
            Function<Spike, Optional<T>> question,
            Handover.Sending<T> sending)
            throws Exception {
        CompletionStage<Optional<T>> answer = sales.find(saleId)
                .thenCompose(sale -> sale.isEmpty()
                        ? CompletableFuture.completedStage(Optional.empty())
                        : threads.call(() -> question.apply(sale.get().spike())));
        handover.answer(exchange, answer, (same, found) -> {
            if (found.isEmpty()) {
                Problem.NOT_FOUND.send(same);
            } else {
                sending.send(same, found.get());
            }
        });
    }

    private static Audited body(String saleId, Audit audit) {
        Audit.Sums sums = audit.sums();
        return new Audited(
                audit.balanced(),
                State.of(saleId, audit.levels()),
                new Sums(
                        sums.total(),
                        sums.soldBefore(),
                        counts(sums.reservations()),
                        sums.buyers(),
                        new Log(sums.logFrom(), counts(sums.log())),
                        sums.orders() == null ? null : counts(sums.orders())),
                audit.differences().stream().map(OperationsHandler::body).toList());
    }

    private static Differing body(Difference difference) {
        return new Differing(
                lower(difference.kind()),
                lower(difference.place()),
                difference.what(),
                difference.expected(),
                difference.found(),
                difference.id() == null ? null : difference.id().toString(),
                difference.buyer());
    }

    private static Map<String, Count> counts(Map<Outcome, OrderBook.Sum> sums) {
        Map<String, Count> counts = new TreeMap<>();
        sums.forEach(
                (state, sum) -> counts.put(lower(state), new Count(sum.orders(), sum.units())));
        return counts;
    }

    private static String lower(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT);
    }
}
