package dev.spike.core;

import dev.spike.core.Levels.Phase;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.BiFunction;

/**
 * A shared stock in this JVM's memory: the executable specification of {@link RemoteSpike} and of
 * {@link OrderLog}, and a store for tests and for a single node. Nothing survives the process.
 *
 * <p>Safe for use by many threads and many {@link Spike}s; every call is atomic under one monitor.
 */
public final class InMemorySpike implements RemoteSpike, OrderLog.Source {

    /** A reservation and what the specification must remember of it. */
    private record Kept(Reservation reservation, long sequence, Instant reservedAt) {
        Progress progress(MemoryLog log) {
            return new Progress(reservation, reservedAt, sequence, log.isAcknowledged(sequence));
        }
    }

    /** A hold, and when it was to end when this was noted, by which change. */
    private record Due(long sequence, Instant deadline, ReservationId id) {}

    private final String saleId;
    private final InstantSource clock;
    private final Map<ReservationId, Kept> reservations = new LinkedHashMap<>();
    private final Map<String, List<ReservationId>> idsOfBuyer = new HashMap<>();
    private final Map<String, Long> unitsOfBuyer = new HashMap<>();

    /**
     * In the order of the log, and so in that of their deadlines, unless the clock went back: those
     * that were noted meanwhile then wait for the ones before them.
     */
    private final Deque<Due> holds = new ArrayDeque<>();

    private final Map<Operation, Long> operations = new HashMap<>();
    private final MemoryLog log = new MemoryLog();
    private @Nullable Sale openedAs;
    private @Nullable Sale sale;
    private boolean closed;
    private String ledger = "";
    private long sequence;
    private long available;
    private long reserved;
    private long sold;

    /**
     * The stock of a sale that is not open yet.
     *
     * @param saleId 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @param clock the store's clock
     */
    public InMemorySpike(String saleId, InstantSource clock) {
        this.saleId = Sale.requireId(saleId);
        this.clock = clock;
    }

    @Override
    public String saleId() {
        return saleId;
    }

    @Override
    public synchronized Opening open(Sale rules) {
        return open(rules, false);
    }

    @Override
    public synchronized Opening openClosed(Sale rules) {
        return open(rules, true);
    }

    private Opening open(Sale rules, boolean closed) {
        Check.that(rules.id().equals(saleId), "the sale " + saleId, "sale", rules.id());
        if (openedAs != null) {
            return openedAs.equals(rules) ? Opening.ALREADY_OPEN : Opening.OTHER_RULES;
        }
        openedAs = rules;
        sale = rules;
        ledger = UUID.randomUUID().toString();
        available = rules.total();
        this.closed = closed;
        changed(now(), List.of());
        return Opening.OPENED;
    }

    @Override
    public synchronized @Nullable Sale sale() {
        return sale;
    }

    @Override
    public long soldBefore() {
        return 0;
    }

    @Override
    public synchronized Levels levels() {
        return levelsAt(now());
    }

    @Override
    public synchronized Reply reserve(List<Request> batch, long notAfterMillis) {
        requireBatch(batch);
        Instant now = now();
        if (now.toEpochMilli() > notAfterMillis) {
            return new Reply(levelsAt(now), List.of(), true);
        }
        List<OrderEvent> events = new ArrayList<>();
        List<Answer> answers =
                batch.stream().map(request -> reserveOne(request, now, events)).toList();
        if (!events.isEmpty()) {
            changed(now, events);
        }
        return new Reply(levelsAt(now), answers, false);
    }

    private Answer reserveOne(Request request, Instant now, List<OrderEvent> events) {
        Kept known = reservations.get(request.id());
        if (known != null) {
            return known.reservation().quantity() == request.quantity()
                    ? Answer.of(known.progress(log).asOf(now).reservation(), true)
                    : Answer.of(Outcome.MISMATCH);
        }
        Outcome outcome = levelsAt(now).answerTo(request.quantity());
        if (outcome != Outcome.RESERVED || sale == null) {
            return Answer.of(outcome);
        }
        String buyer = request.id().buyer();
        long units = unitsOfBuyer.getOrDefault(buyer, 0L) + request.quantity();
        if (sale.perBuyer() > 0 && units > sale.perBuyer()) {
            return Answer.of(Outcome.LIMIT_REACHED);
        }
        Reservation made = make(request.id(), request.quantity(), now.plus(sale.hold()));
        events.add(keep(new Kept(made, sequence + 1, now), now));
        return Answer.of(made, false);
    }

    private Reservation make(ReservationId id, int quantity, Instant deadline) {
        available -= quantity;
        reserved += quantity;
        unitsOfBuyer.merge(id.buyer(), (long) quantity, Long::sum);
        idsOfBuyer.computeIfAbsent(id.buyer(), none -> new ArrayList<>()).add(id);
        return new Reservation(id, quantity, Outcome.RESERVED, deadline);
    }

    @Override
    public synchronized Reply settle(List<Settlement> batch, long notAfterMillis) {
        requireBatch(batch);
        Instant now = now();
        if (now.toEpochMilli() > notAfterMillis) {
            return new Reply(levelsAt(now), List.of(), true);
        }
        List<OrderEvent> events = new ArrayList<>();
        List<Answer> answers = batch.stream()
                .map(settlement -> settleOne(settlement, now, events))
                .toList();
        boolean anyExtended = answers.stream()
                .anyMatch(answer -> answer.outcome() == Outcome.RESERVED && !answer.repeated());
        if (anyExtended || !events.isEmpty()) {
            changed(now, events);
        }
        return new Reply(levelsAt(now), answers, false);
    }

    private Answer settleOne(Settlement settlement, Instant now, List<OrderEvent> events) {
        Kept known = reservations.get(settlement.id());
        if (known == null || sale == null) {
            return Answer.of(Outcome.NOT_FOUND);
        }
        if (known.reservation().state().isFinal()) {
            return Answer.of(known.reservation(), true);
        }
        Outcome due = known.progress(log).asOf(now).reservation().state();
        if (due == Outcome.EXPIRED || settlement.to() != Outcome.RESERVED) {
            Outcome end = due == Outcome.EXPIRED ? Outcome.EXPIRED : settlement.to();
            return Answer.of(end(known, end, now, events), false);
        }
        Instant deadline = now.plus(sale.hold());
        if (deadline.isAfter(known.reservedAt().plus(sale.maxHold()))) {
            return Answer.of(Outcome.LIMIT_REACHED);
        }
        Reservation extended = known.reservation().with(Outcome.RESERVED, deadline);
        keep(new Kept(extended, sequence + 1, known.reservedAt()), now);
        return Answer.of(extended, false);
    }

    private Reservation end(Kept known, Outcome end, Instant now, List<OrderEvent> events) {
        Reservation ended = known.reservation().with(end, known.reservation().expiresAt());
        reserved -= ended.quantity();
        if (end == Outcome.CONFIRMED) {
            sold += ended.quantity();
        } else {
            available += ended.quantity();
            unitsOfBuyer.merge(ended.id().buyer(), (long) -ended.quantity(), Long::sum);
        }
        events.add(keep(new Kept(ended, sequence + 1, known.reservedAt()), now));
        return ended;
    }

    /** Keeps a reservation that changed, and answers the event that this is. */
    private OrderEvent keep(Kept kept, Instant now) {
        Reservation changed = kept.reservation();
        reservations.put(changed.id(), kept);
        if (changed.state() == Outcome.RESERVED) {
            holds.add(new Due(kept.sequence(), changed.expiresAt(), changed.id()));
        }
        return new OrderEvent(
                kept.sequence(),
                changed.id(),
                changed.quantity(),
                changed.state(),
                kept.reservedAt(),
                now);
    }

    @Override
    public synchronized Sweep expire() {
        Instant now = now();
        List<OrderEvent> events = new ArrayList<>();
        int seen = 0;
        for (; seen < MAX_SWEEP && isDue(holds.peek(), now); seen++) {
            Due due = holds.remove();
            Kept known = reservations.get(due.id());
            if (known != null
                    && known.reservation().state() == Outcome.RESERVED
                    && known.reservation().expiresAt().equals(due.deadline())) {
                end(known, Outcome.EXPIRED, now, events);
            }
        }
        if (!events.isEmpty()) {
            changed(now, events);
        }
        Due next = holds.peek();
        return new Sweep(
                levelsAt(now),
                events.size(),
                isDue(next, now),
                next == null ? null : next.deadline());
    }

    private static boolean isDue(@Nullable Due due, Instant now) {
        return due != null && !now.isBefore(due.deadline());
    }

    @Override
    public synchronized Restock restock(Operation operation) {
        Long appliedBefore = operations.get(operation);
        if (appliedBefore != null) {
            return new Restock(Restock.Effect.REPEATED, appliedBefore, levels());
        } else if (operations.keySet().stream()
                .anyMatch(known -> known.id().equals(operation.id()))) {
            return new Restock(Restock.Effect.OTHER_DELTA, 0, levels());
        } else if (sale == null) {
            return new Restock(Restock.Effect.ABSENT, 0, levels());
        }
        long most = Sale.MAX_TOTAL - sale.total();
        long applied = Math.max(-available, Math.min(operation.delta(), most));
        operations.put(operation, applied);
        available += applied;
        sale = sale.withTotal(sale.total() + applied);
        changed(now(), List.of());
        return new Restock(Restock.Effect.APPLIED, applied, levels());
    }

    @Override
    public synchronized Levels closeSale() {
        if (levels().phase() != Phase.ABSENT && levels().phase() != Phase.CLOSED) {
            closed = true;
            changed(now(), List.of());
        }
        return levels();
    }

    @Override
    public synchronized Levels reopenSale() {
        if (sale != null && levels().phase() == Phase.CLOSED) {
            closed = false;
            boolean timeHasPassed = sale.closesAt() != null && !now().isBefore(sale.closesAt());
            sale = sale.withOpening(sale.opensAt(), timeHasPassed ? null : sale.closesAt());
            changed(now(), List.of());
        }
        return levels();
    }

    @Override
    public synchronized @Nullable Progress find(ReservationId id) {
        Kept known = reservations.get(id);
        return known == null ? null : known.progress(log).asOf(now());
    }

    @Override
    public synchronized Page reservations(@Nullable String cursor) {
        return new Page(
                reservations.values().stream().map(kept -> kept.progress(log)).toList(),
                Map.copyOf(unitsOfBuyer),
                null,
                now());
    }

    @Override
    public synchronized Page reservationsOf(String buyer, @Nullable String cursor) {
        ReservationId.requireBuyer(buyer);
        Check.that(
                cursor == null, "null, since there is one page", "cursor", String.valueOf(cursor));
        List<ReservationId> ids = idsOfBuyer.getOrDefault(buyer, List.of());
        List<Progress> page = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            Kept kept = reservations.get(ids.get((ids.size() - i) % ids.size()));
            page.add(Objects.requireNonNull(kept).progress(log));
        }
        return new Page(
                page,
                ids.isEmpty() ? Map.of() : Map.of(buyer, unitsOfBuyer.getOrDefault(buyer, 0L)),
                null,
                now());
    }

    @Override
    public synchronized List<LogEntry> log(long after) {
        return log.read(after, LOG_PAGE);
    }

    @Override
    public synchronized boolean correct(Correction correction) {
        if (sale == null || correction.sequence() != sequence) {
            return false;
        }
        long left = sale.total() - correction.reserved() - correction.sold();
        Check.that(left >= 0, ">= 0", "available", left);
        available = left;
        reserved = correction.reserved();
        sold = correction.sold();
        unitsOfBuyer.putAll(correction.unitsOfBuyers());
        changed(now(), List.of());
        return true;
    }

    @Override
    public synchronized Restored restore(List<OrderBook.Order> batch) {
        requireBatch(batch);
        Instant now = now();
        if (levelsAt(now).phase() != Phase.CLOSED) {
            return new Restored(levelsAt(now), List.of());
        }
        List<OrderEvent> events = new ArrayList<>();
        List<Restored.Effect> effects =
                batch.stream().map(order -> restoreOne(order, now, events)).toList();
        if (!events.isEmpty()) {
            changed(now, events);
        }
        return new Restored(levelsAt(now), effects);
    }

    private Restored.Effect restoreOne(
            OrderBook.Order order, Instant now, List<OrderEvent> events) {
        Kept known = reservations.get(order.id());
        Restored.Effect effect =
                Restored.Effect.of(order, known == null ? null : known.reservation(), available);
        if (effect == Restored.Effect.ADDED) {
            Instant deadline = now.plus(Objects.requireNonNull(sale).hold());
            Reservation made = make(order.id(), order.quantity(), deadline);
            known = new Kept(made, sequence + 1, now);
            events.add(keep(known, now));
        }
        boolean isChanged = effect == Restored.Effect.ADDED || effect == Restored.Effect.SETTLED;
        if (isChanged && known != null && order.status().isFinal()) {
            end(known, order.status(), now, events);
        }
        return effect;
    }

    @Override
    public OrderLog orderLog(String group, String consumer) {
        return new MemoryConsumer(this, group, consumer);
    }

    /**
     * The events that were put aside, of all groups.
     *
     * @return a copy, the first put aside first
     */
    public synchronized List<OrderLog.Dead> deadLetters() {
        return log.deadLetters();
    }

    /** Uses the log, and what belongs to it, in one step; null if there is no such sale. */
    synchronized <T extends @Nullable Object> @Nullable T withLog(
            BiFunction<MemoryLog, Levels, T> use) {
        return sale == null ? null : use.apply(log, levels());
    }

    /** The last entry of the log whose holds a sweep has ended; only within {@link #withLog}. */
    long swept() {
        Due next = holds.peek();
        return next == null ? sequence : next.sequence() - 1;
    }

    private void changed(Instant now, List<OrderEvent> events) {
        sequence++;
        log.add(new LogEntry(sequence, now, available, reserved, sold, List.copyOf(events)));
    }

    private Levels levelsAt(Instant now) {
        if (sale == null) {
            return Levels.absent(now);
        }
        Phase phase = Phase.OPEN;
        if (closed || sale.closesAt() != null && !now.isBefore(sale.closesAt())) {
            phase = Phase.CLOSED;
        } else if (sale.opensAt() != null && now.isBefore(sale.opensAt())) {
            phase = Phase.NOT_YET_OPEN;
        }
        return new Levels(
                phase,
                ledger,
                sequence,
                sale.total(),
                available,
                reserved,
                sold,
                reservations.size(),
                log.backlog(),
                sale.opensAt(),
                sale.closesAt(),
                now);
    }

    /** The store's clock counts whole milliseconds. */
    private Instant now() {
        return Instant.ofEpochMilli(clock.instant().toEpochMilli());
    }

    private static void requireBatch(List<?> batch) {
        Check.that(
                !batch.isEmpty() && batch.size() <= MAX_BATCH,
                "1 to " + MAX_BATCH,
                "batch.size",
                batch.size());
    }
}
