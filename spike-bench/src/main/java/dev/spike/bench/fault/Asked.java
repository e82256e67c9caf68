package dev.spike.bench.fault;

import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What was asked for, and of which of that nobody knows that it was not done. */
final class Asked {

    /** Requests for the same. */
    private static final class Wish {
        private long lastNanos;
        private int asked;
        private int notDone;
        private final Set<ReservationId> done = new HashSet<>();

        /** Whether more was done than what was not said to be undone. */
        private boolean isTooMuchDone() {
            return done.size() > asked - notDone;
        }
    }

    private static final String MADE = "made";

    private final World world;
    private final Map<ReservationId, Long> askedNanos = new HashMap<>();
    private final Map<String, Wish> withoutKey = new HashMap<>();
    private final Map<String, Wish> settlements = new HashMap<>();
    private final Map<ReservationId, ReservationId> names = new HashMap<>();

    Asked(World world) {
        this.world = world;
    }

    /**
     * The name in the simulation of a reservation whose key a node draws: the same in each run of a
     * seed, as the key is not. Of any other, its own.
     */
    ReservationId named(ReservationId id) {
        // A key that was drawn has 22 characters, and no other is so long.
        if (id.key().length() < 22) {
            return id;
        }
        return names.computeIfAbsent(id, drawn -> {
            String name = MADE + names.size();
            return new ReservationId(
                    drawn.buyer().equals(drawn.key()) ? name : drawn.buyer(), name);
        });
    }

    /** Somebody asks for a reservation now. */
    void reserve(ReservationId id) {
        askedNanos.put(id, world.now());
    }

    /** Somebody asks for so many units now, under a key that the node is to draw. */
    void reserveWithoutKey(String buyer, int quantity) {
        asksFor(withoutKey.computeIfAbsent(buyer + " " + quantity, none -> new Wish()));
    }

    /** Who asked so was told that nothing was done. */
    void isNotReserved(String buyer, int quantity) {
        isNotDone(buyer + " " + quantity, withoutKey);
    }

    /** Somebody asks now that a reservation be confirmed or cancelled, or its hold extended. */
    void settle(ReservationId id, Outcome to) {
        asksFor(settlements.computeIfAbsent(id + " " + to, none -> new Wish()));
    }

    /** Who asked so was told that nothing was done. */
    void isNotSettled(ReservationId id, Outcome to) {
        isNotDone(id + " " + to, settlements);
    }

    private void asksFor(Wish wish) {
        wish.asked++;
        wish.lastNanos = world.now();
    }

    private void isNotDone(String what, Map<String, Wish> wishes) {
        Wish wish = Objects.requireNonNull(wishes.get(what), what);
        wish.notDone++;
        if (wish.isTooMuchDone()) {
            world.fail("told that nothing was done, but it was: " + what);
        }
    }

    /** Whether a node drew its key. */
    static boolean isWithoutKey(ReservationId id) {
        return id.key().startsWith(MADE);
    }

    /** Whether anybody has ever asked for this reservation. */
    boolean wasAsked(ReservationId id) {
        return askedNanos.containsKey(id) || isWithoutKey(id);
    }

    /** When a reservation that was made now was asked for last; never: the earliest moment. */
    long madeOf(ReservationId id, int quantity) {
        // Who does not know what became of a request asks again, then under its key.
        if (!isWithoutKey(id) || askedNanos.containsKey(id)) {
            return askedNanos.getOrDefault(id, Long.MIN_VALUE);
        }
        String buyer = isWithoutKey(new ReservationId("any", id.buyer())) ? "" : id.buyer();
        return done(id, buyer + " " + quantity, withoutKey);
    }

    /** When what was done now was asked for last; never: the earliest moment. */
    long settled(ReservationId id, Outcome to) {
        return done(id, id + " " + to, settlements);
    }

    private long done(ReservationId id, String what, Map<String, Wish> wishes) {
        Wish wish = wishes.get(what);
        if (wish == null) {
            return Long.MIN_VALUE;
        }
        wish.done.add(id);
        if (wish.isTooMuchDone()) {
            world.fail("done, though nobody waits for it: " + what);
        }
        return wish.lastNanos;
    }
}
