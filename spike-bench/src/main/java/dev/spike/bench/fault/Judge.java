package dev.spike.bench.fault;

import dev.spike.bench.fault.Replay.Life;
import dev.spike.bench.fault.Told.Verb;
import dev.spike.core.OrderBook.Order;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Holds all that was told against the order log, the reservations and the orders, and those against
 * each other. For when the sale is over and everything is well.
 */
final class Judge {

    /**
     * How old a node's own refusal may be: it forgets what it knew after three syncs of a second
     * each.
     */
    static final long MOST_AGE_MILLIS = 3_000;

    /** Clocks are read in whole milliseconds. */
    private static final long TOLERANCE_MILLIS = 5;

    /** From when until when the store told and changed nothing. */
    record Standstill(long fromMillis, long untilMillis) {}

    /**
     * What is known of a sale that is over.
     *
     * @param total as the stock has it
     * @param perBuyer the sale's limit
     */
    record Evidence(
            List<Told> told,
            List<Change> log,
            List<Reservation> reservations,
            List<Order> orders,
            List<Standstill> standstills,
            long total,
            int perBuyer) {}

    private final Evidence evidence;
    private final Replay replay;
    private final Set<String> broken = new LinkedHashSet<>();
    private final Map<String, Long> checks = new TreeMap<>();

    private Judge(Evidence evidence) {
        this.evidence = evidence;
        this.replay = new Replay(evidence.log, evidence.perBuyer, broken::add);
    }

    /**
     * What came of it.
     *
     * @param broken what is not as it was promised, in words
     * @param checks how often what was looked at
     */
    record Verdict(List<String> broken, Map<String, Long> checks) {}

    static Verdict judge(Evidence evidence) {
        Judge judge = new Judge(evidence);
        judge.checkReservations();
        judge.checkOrders();
        judge.checkAnswers();
        judge.checkAnswersOfEach();
        return new Verdict(List.copyOf(judge.broken), judge.checks);
    }

    private void require(boolean isSo, String check, Object what) {
        checks.merge(check, 1L, Long::sum);
        if (!isSo) {
            broken.add(check + ": " + what);
        }
    }

    /** The records, the log and the total tell the same. */
    private void checkReservations() {
        Map<ReservationId, Reservation> records = new HashMap<>();
        for (Reservation record : evidence.reservations) {
            require(
                    records.put(record.id(), record) == null,
                    "one key has one reservation",
                    record);
            Life life = replay.life(record.id());
            require(
                    life != null
                            && life.quantity == record.quantity()
                            && life.state == record.state(),
                    "each reservation is as the log tells",
                    record);
        }
        replay.lives()
                .forEach((id, life) -> require(
                        records.containsKey(id), "each reservation of the log is kept", id));
        require(
                replay.total() == evidence.total,
                "the total is what it was made",
                replay.total() + ", the stock has " + evidence.total);
    }

    /** Each reservation has one order, and each order a reservation. */
    private void checkOrders() {
        Set<ReservationId> seen = new HashSet<>();
        for (Order order : evidence.orders) {
            require(seen.add(order.id()), "one reservation has one order", order);
            Life life = replay.life(order.id());
            require(life != null, "each order has a reservation", order);
            require(
                    life == null
                            || life.quantity == order.quantity() && life.state == order.status(),
                    "each order is as its reservation",
                    order);
        }
        replay.lives()
                .forEach((id, life) ->
                        require(seen.contains(id), "each reservation has an order", id));
    }

    private void checkAnswers() {
        for (Told told : evidence.told) {
            require(told.outcome() != null, "each answer makes sense", told);
            if (!told.verb().isBuyers() || told.outcome() == null) {
                continue;
            }
            @Nullable Life life = replay.life(told.id());
            if (told.tellsState()) {
                checkState(told, life);
            } else if (told.refuses()) {
                checkRefusal(told, life);
            } else if (told.outcome() == Outcome.NOT_FOUND) {
                require(
                        life == null || life.madeMillis > told.askedMillis() - TOLERANCE_MILLIS,
                        "not found is true",
                        told);
            } else if (told.outcome() == Outcome.MISMATCH) {
                require(
                        life != null && life.quantity != told.quantity(),
                        "a mismatch is one",
                        told);
            } else if (told.verb() == Verb.RESERVE && told.outcome() == Outcome.LIMIT_REACHED) {
                long most = replay.mostHeld(
                        told.buyer(),
                        told.askedMillis() - TOLERANCE_MILLIS,
                        told.answeredMillis() + TOLERANCE_MILLIS);
                require(
                        most + told.quantity() > evidence.perBuyer,
                        "a limit that is told is reached",
                        told + ", held at most " + most);
            }
        }
    }

    /** Who is told of a reservation has it, in this state, at a moment until the answer. */
    private void checkState(Told told, @Nullable Life life) {
        require(
                life != null && (told.verb() != Verb.RESERVE || life.quantity == told.quantity()),
                "who is told of a reservation has it",
                told);
        if (life == null) {
            return;
        }
        Outcome state = told.outcome();
        if (state == Outcome.RESERVED) {
            require(
                    life.endedMillis > told.askedMillis() - TOLERANCE_MILLIS
                            && life.madeMillis < told.answeredMillis() + TOLERANCE_MILLIS,
                    "a reservation that is told is there",
                    told + ", " + life.state + " at " + life.endedMillis);
        } else {
            // A hold that is overdue is told as expired before its sweep.
            boolean happened = state == Outcome.EXPIRED
                    || life.endedMillis < told.answeredMillis() + TOLERANCE_MILLIS;
            require(
                    life.state == state && happened,
                    "a final state that is told is the one",
                    told + ", " + life.state + " at " + life.endedMillis);
        }
    }

    /** A refusal was true lately, and nobody is refused a reservation made before that. */
    private void checkRefusal(Told told, @Nullable Life life) {
        long from = liveMillisBefore(told.askedMillis());
        Outcome refusal = told.outcome();
        require(
                refusal != null
                        && replay.wasTrue(
                                refusal,
                                told.quantity(),
                                from,
                                told.answeredMillis() + TOLERANCE_MILLIS),
                "a refusal is true",
                told);
        require(
                life == null || life.madeMillis >= from,
                "nobody is refused who has a reservation",
                told);
    }

    /** The moment since which a node may not have looked; standstills do not count. */
    private long liveMillisBefore(long askedMillis) {
        long from = askedMillis;
        long left = MOST_AGE_MILLIS + TOLERANCE_MILLIS;
        for (int i = evidence.standstills.size() - 1; i >= 0; i--) {
            Standstill still = evidence.standstills.get(i);
            if (still.fromMillis >= from) {
                continue;
            }
            long live = Math.max(0, from - still.untilMillis);
            if (live >= left) {
                break;
            }
            left -= live;
            from = still.fromMillis;
        }
        return from - left;
    }

    /** What is told of one reservation over time never goes back, and nothing comes of nothing. */
    private void checkAnswersOfEach() {
        Map<ReservationId, List<Told>> byId = evidence.told.stream()
                .filter(told -> told.verb().isBuyers())
                .collect(Collectors.groupingBy(Told::id));
        replay.lives()
                .forEach((id, life) -> checkCause(id, life, byId.getOrDefault(id, List.of())));
        byId.values().forEach(this::checkFinals);
    }

    private void checkCause(ReservationId id, Life life, List<Told> told) {
        List<Told> asked = told.stream()
                .filter(each -> each.verb() == Verb.RESERVE
                        && each.quantity() == life.quantity
                        && each.askedMillis() <= life.madeMillis + TOLERANCE_MILLIS)
                .toList();
        require(!asked.isEmpty(), "each reservation was asked for", id);
        require(
                asked.isEmpty()
                        || asked.stream().anyMatch(each -> each.outcome() != Outcome.UNAVAILABLE),
                "unavailable means that nothing was done",
                asked);
    }

    private void checkFinals(List<Told> ofOne) {
        List<Told> finals = new ArrayList<>();
        for (Told told : ofOne) {
            if (told.tellsState() && told.outcome() != Outcome.RESERVED) {
                finals.add(told);
            }
        }
        for (Told ended : finals) {
            for (Told other : ofOne) {
                boolean later = other.askedMillis() > ended.answeredMillis();
                boolean changed = other.tellsState()
                        && other.outcome() != ended.outcome()
                        && (later || other.outcome() != Outcome.RESERVED);
                require(!changed, "a final state never changes", ended + " and then " + other);
            }
        }
    }
}
