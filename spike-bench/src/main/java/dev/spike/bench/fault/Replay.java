package dev.spike.bench.fault;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A sale as its order log tells it, from its opening on: what stood at which moment by the store's
 * clock. It checks, on the way, that each entry follows from the one before.
 */
final class Replay {

    /** The life of one reservation. */
    static final class Life {
        final long madeMillis;
        final long quantity;
        long endedMillis = Long.MAX_VALUE;
        Outcome state = Outcome.RESERVED;

        private Life(long madeMillis, long quantity) {
            this.madeMillis = madeMillis;
            this.quantity = quantity;
        }
    }

    /** What stood from a moment on; also between two reservations of one entry. */
    private record Moment(long atMillis, long available, long reserved, boolean closed) {

        /** What a new key that asks for so many is told. */
        Outcome answerTo(long quantity) {
            if (closed) {
                return Outcome.CLOSED;
            } else if (available >= quantity) {
                return Outcome.RESERVED;
            }
            return available == 0 && reserved > 0 ? Outcome.ALL_RESERVED : Outcome.SOLD_OUT;
        }
    }

    /** What a buyer held, reserved and sold, from a moment on. */
    private record Held(long atMillis, long units) {}

    private final int perBuyer;
    private final Consumer<String> fail;
    private final List<Moment> moments = new ArrayList<>();
    private final Map<ReservationId, Life> lives = new HashMap<>();
    private final Map<String, List<Held>> held = new HashMap<>();
    private long sequence;
    private long available;
    private long reserved;
    private long sold;
    private boolean closed;

    /**
     * Replays a whole log.
     *
     * @param perBuyer the sale's limit; 0: none
     * @param fail told what is not so
     */
    Replay(List<Change> changes, int perBuyer, Consumer<String> fail) {
        this.perBuyer = perBuyer;
        this.fail = fail;
        changes.forEach(this::add);
    }

    private void add(Change change) {
        LogEntry entry = change.entry();
        long at = entry.at().toEpochMilli();
        if (entry.sequence() != ++sequence) {
            fail.accept("the log lacks the entries from " + sequence + " to before "
                    + entry.sequence());
            sequence = entry.sequence();
        }
        entry.events().forEach(event -> add(event, at));
        switch (change.kind()) {
            case TOTAL -> available = entry.available();
            case CLOSE -> closed = true;
            case REOPEN -> closed = false;
            case RESERVATIONS -> {}
        }
        if (available != entry.available()
                || reserved != entry.reserved()
                || sold != entry.sold()
                || available < 0
                || reserved < 0
                || sold < 0) {
            fail.accept("the levels do not follow from what happened: " + entry + ", must be "
                    + available + " " + reserved + " " + sold);
            available = entry.available();
            reserved = entry.reserved();
            sold = entry.sold();
        }
        moments.add(new Moment(at, available, reserved, closed));
    }

    private void add(OrderEvent event, long at) {
        long quantity = event.quantity();
        String buyer = event.id().buyer();
        Life life = lives.get(event.id());
        if (event.state() == Outcome.RESERVED) {
            if (life != null) {
                fail.accept("reserved twice under one key: " + event);
            } else if (closed) {
                fail.accept("reserved while closed: " + event);
            }
            lives.put(event.id(), new Life(at, quantity));
            available -= quantity;
            reserved += quantity;
            hold(buyer, quantity, at);
            moments.add(new Moment(at, available, reserved, closed));
            return;
        }
        if (life == null || life.state.isFinal() || life.quantity != quantity) {
            fail.accept(
                    "ended, but was " + (life == null ? "never made" : life.state) + ": " + event);
        } else {
            life.state = event.state();
            life.endedMillis = at;
        }
        reserved -= quantity;
        if (event.state() == Outcome.CONFIRMED) {
            sold += quantity;
        } else {
            available += quantity;
            hold(buyer, -quantity, at);
        }
    }

    private void hold(String buyer, long units, long at) {
        List<Held> ofBuyer = held.computeIfAbsent(buyer, first -> new ArrayList<>());
        long now = units + (ofBuyer.isEmpty() ? 0 : ofBuyer.get(ofBuyer.size() - 1).units);
        ofBuyer.add(new Held(at, now));
        if (perBuyer > 0 && now > perBuyer) {
            fail.accept(buyer + " holds " + now + " of at most " + perBuyer);
        }
    }

    /** All reservations ever made. */
    Map<ReservationId, Life> lives() {
        return lives;
    }

    /** The life of a reservation; null: it was never made. */
    @Nullable
    Life life(ReservationId id) {
        return lives.get(id);
    }

    /** available + reserved + sold, at the end. */
    long total() {
        return available + reserved + sold;
    }

    /** Whether at any moment of these a new key that asks for so many was to be told this. */
    boolean wasTrue(Outcome refusal, long quantity, long fromMillis, long untilMillis) {
        for (int i = last(untilMillis); i >= 0; i--) {
            if (moments.get(i).answerTo(quantity) == refusal) {
                return true;
            } else if (moments.get(i).atMillis < fromMillis) {
                return false;
            }
        }
        return false;
    }

    /** The last moment that began until then; -1: none. */
    private int last(long millis) {
        int low = 0;
        int high = moments.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (moments.get(middle).atMillis <= millis) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    /** The most units that a buyer held at any moment of these. */
    long mostHeld(String buyer, long fromMillis, long untilMillis) {
        long most = 0;
        List<Held> ofBuyer = held.getOrDefault(buyer, List.of());
        for (int i = ofBuyer.size() - 1; i >= 0; i--) {
            Held from = ofBuyer.get(i);
            if (from.atMillis <= untilMillis) {
                most = Math.max(most, from.units);
                if (from.atMillis < fromMillis) {
                    break;
                }
            }
        }
        return most;
    }
}
