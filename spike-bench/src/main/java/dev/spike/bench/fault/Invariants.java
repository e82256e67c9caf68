package dev.spike.bench.fault;

import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** What must be true of the store and of the nodes after every step. */
final class Invariants {

    /**
     * How long after it was made a request may run: a group's last moment is that of its youngest
     * request, and the oldest may have waited nearly as long.
     */
    private static final long PATIENCE =
            SimulatedNode.TIMEOUT.multipliedBy(2).plusMillis(1).toNanos();

    private final Scheduler scheduler;
    private final SimulatedStore store;
    private final Consumer<String> fail;
    private final AvailableOverTime available = new AvailableOverTime();
    private final Map<ReservationId, Outcome> ended = new HashMap<>();
    private final Map<ReservationId, Long> askedNanos = new HashMap<>();
    private long checkedSequence = -1;
    private int checkedLosses;

    /** @param fail told what is not so */
    Invariants(Scheduler scheduler, SimulatedStore store, Consumer<String> fail) {
        this.scheduler = scheduler;
        this.store = store;
        this.fail = fail;
    }

    /** Somebody asks for a reservation now. */
    void asked(ReservationId id) {
        askedNanos.put(id, scheduler.nowNanos());
    }

    /** The fewest units that were available at any moment since then. */
    long leastAvailable(long sinceNanos) {
        return available.least(sinceNanos);
    }

    void check(List<SimulatedNode> nodes) {
        for (SimulatedNode node : nodes) {
            boolean isHalted = node.spike().haltReason().isPresent();
            if (isHalted != node.wasToldOfALoss()) {
                fail.accept(node
                        + (isHalted
                                ? " stopped selling: "
                                        + node.spike().haltReason().get()
                                : " sells on, though the store lost changes"));
            }
            if (!node.hasNotForgotten()) {
                fail.accept(node + " went back to older levels");
            }
        }
        Levels levels = store.stock().levels();
        if (store.losses() != checkedLosses) {
            ended.clear();
            checkedLosses = store.losses();
            checkedSequence = -1;
        }
        if (levels.sequence() != checkedSequence) {
            checkedSequence = levels.sequence();
            available.add(scheduler.nowNanos(), levels.available());
            checkBalance(levels);
        }
    }

    private void checkBalance(Levels levels) {
        long reserved = 0;
        long sold = 0;
        Map<String, Long> units = new HashMap<>();
        for (Progress progress : store.stock().reservations(null).reservations()) {
            ReservationId id = progress.reservation().id();
            Outcome state = progress.reservation().state();
            int quantity = progress.reservation().quantity();
            if (state == Outcome.RESERVED) {
                reserved += quantity;
            } else if (state == Outcome.CONFIRMED) {
                sold += quantity;
            }
            if (state == Outcome.RESERVED || state == Outcome.CONFIRMED) {
                units.merge(id.buyer(), (long) quantity, Long::sum);
            }
            Outcome before = state.isFinal() ? ended.put(id, state) : null;
            if (before != null && before != state) {
                fail.accept(id + " was " + before + " and is " + state);
            }
            Long lastAsked = askedNanos.get(id);
            if (lastAsked == null || store.nanosAt(progress.reservedAt()) > lastAsked + PATIENCE) {
                fail.accept("made when nobody waited for it any more: " + progress);
            }
        }
        Sale rules = Objects.requireNonNull(store.stock().sale());
        if (levels.reserved() != reserved
                || levels.sold() != sold
                || levels.available() < 0
                || levels.total() != rules.total()) {
            fail.accept("does not balance: " + levels + " with " + reserved + " reserved and "
                    + sold + " sold of " + rules.total());
        }
        units.forEach((buyer, held) -> {
            if (rules.perBuyer() > 0 && held > rules.perBuyer()) {
                fail.accept(buyer + " has " + held);
            }
        });
    }
}
