package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A shared stock in this JVM's memory: the executable specification of {@link RemoteSpike}, and a
 * store for tests and for a single node. Nothing survives the process.
 *
 * <p>Safe for use by many threads and many {@link Spike}s; every call is atomic under one monitor.
 */
public final class InMemorySpike implements RemoteSpike {

    private final String saleId;
    private final InstantSource clock;
    private final Map<ReservationId, Reservation> reservations = new LinkedHashMap<>();
    private final Map<String, Integer> unitsOfBuyer = new HashMap<>();
    private @Nullable Sale sale;
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
        Check.that(rules.id().equals(saleId), "the sale " + saleId, "sale", rules.id());
        if (sale != null) {
            return sale.equals(rules) ? Opening.ALREADY_OPEN : Opening.OTHER_RULES;
        }
        sale = rules;
        ledger = UUID.randomUUID().toString();
        sequence = 1;
        available = rules.total();
        return Opening.OPENED;
    }

    @Override
    public synchronized @Nullable Sale sale() {
        return sale;
    }

    @Override
    public synchronized Levels levels() {
        return levelsAt(clock.instant());
    }

    @Override
    public synchronized Reply reserve(List<Request> batch, long notAfterMillis) {
        requireBatch(batch);
        Instant now = clock.instant();
        if (now.toEpochMilli() > notAfterMillis) {
            return new Reply(levelsAt(now), List.of(), true);
        }
        int before = reservations.size();
        List<Answer> answers =
                batch.stream().map(request -> reserveOne(request, now)).toList();
        if (reservations.size() > before) {
            sequence++;
        }
        return new Reply(levelsAt(now), answers, false);
    }

    private Answer reserveOne(Request request, Instant now) {
        Reservation known = reservations.get(request.id());
        if (known != null) {
            return known.quantity() == request.quantity()
                    ? Answer.of(at(known, now), true)
                    : Answer.of(Outcome.MISMATCH);
        }
        Outcome outcome = levelsAt(now).answerTo(request.quantity());
        if (outcome != Outcome.RESERVED || sale == null) {
            return Answer.of(outcome);
        }
        String buyer = request.id().buyer();
        long units = unitsOfBuyer.getOrDefault(buyer, 0) + (long) request.quantity();
        if (sale.perBuyer() > 0 && units > sale.perBuyer()) {
            return Answer.of(Outcome.LIMIT_REACHED);
        }
        Reservation made = new Reservation(
                request.id(), request.quantity(), Outcome.RESERVED, millis(now.plus(sale.hold())));
        reservations.put(made.id(), made);
        unitsOfBuyer.put(buyer, (int) units);
        available -= request.quantity();
        reserved += request.quantity();
        return Answer.of(made, false);
    }

    @Override
    public synchronized Reply settle(List<Settlement> batch, long notAfterMillis) {
        requireBatch(batch);
        Instant now = clock.instant();
        if (now.toEpochMilli() > notAfterMillis) {
            return new Reply(levelsAt(now), List.of(), true);
        }
        long before = reserved;
        List<Answer> answers =
                batch.stream().map(settlement -> settleOne(settlement, now)).toList();
        if (reserved < before) {
            sequence++;
        }
        return new Reply(levelsAt(now), answers, false);
    }

    private Answer settleOne(Settlement settlement, Instant now) {
        Reservation known = reservations.get(settlement.id());
        if (known == null) {
            return Answer.of(Outcome.NOT_FOUND);
        }
        if (known.state().isFinal()) {
            return Answer.of(known, true);
        }
        Reservation due = at(known, now);
        Outcome end = due.state() == Outcome.EXPIRED ? Outcome.EXPIRED : settlement.to();
        Reservation ended = new Reservation(known.id(), known.quantity(), end, known.expiresAt());
        reservations.put(ended.id(), ended);
        reserved -= ended.quantity();
        if (end == Outcome.CONFIRMED) {
            sold += ended.quantity();
        } else {
            available += ended.quantity();
            unitsOfBuyer.merge(ended.id().buyer(), -ended.quantity(), Integer::sum);
        }
        return Answer.of(ended, false);
    }

    @Override
    public synchronized @Nullable Reservation find(ReservationId id) {
        Reservation known = reservations.get(id);
        return known == null ? null : at(known, clock.instant());
    }

    @Override
    public synchronized Page reservations(@Nullable String cursor) {
        Instant now = clock.instant();
        List<Reservation> all = new ArrayList<>(reservations.size());
        reservations.values().forEach(reservation -> all.add(at(reservation, now)));
        return new Page(all, null);
    }

    /** A reservation as of now: a hold whose deadline has passed is expired. */
    private static Reservation at(Reservation known, Instant now) {
        boolean overdue = known.state() == Outcome.RESERVED && !now.isBefore(known.expiresAt());
        return overdue
                ? new Reservation(known.id(), known.quantity(), Outcome.EXPIRED, known.expiresAt())
                : known;
    }

    private Levels levelsAt(Instant now) {
        if (sale == null) {
            return Levels.absent(millis(now));
        }
        Levels.Phase phase = Levels.Phase.OPEN;
        if (sale.opensAt() != null && now.isBefore(sale.opensAt())) {
            phase = Levels.Phase.NOT_YET_OPEN;
        } else if (sale.closesAt() != null && !now.isBefore(sale.closesAt())) {
            phase = Levels.Phase.CLOSED;
        }
        return new Levels(
                phase,
                ledger,
                sequence,
                available,
                reserved,
                sold,
                reservations.size(),
                millis(now));
    }

    /** The store's clock counts whole milliseconds. */
    private static Instant millis(Instant instant) {
        return Instant.ofEpochMilli(instant.toEpochMilli());
    }

    private static void requireBatch(List<?> batch) {
        Check.that(
                !batch.isEmpty() && batch.size() <= MAX_BATCH,
                "1 to " + MAX_BATCH,
                "batch.size",
                batch.size());
    }
}
