package dev.spike.bench.fault;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;

/** How often calls meet which fault, and what they have met. */
final class Faults {

    /** What becomes of a call. */
    enum Fate {
        DELIVERED,
        /** It runs, perhaps long after the node gave it up. */
        LATE,
        DELIVERED_TWICE,
        CALL_LOST,
        REPLY_LOST,
        /** The store refuses to run it. */
        REFUSED,
        NO_CONNECTION
    }

    private static final Fate[] BAD = {
        Fate.LATE,
        Fate.DELIVERED_TWICE,
        Fate.CALL_LOST,
        Fate.REPLY_LOST,
        Fate.REFUSED,
        Fate.NO_CONNECTION
    };
    private static final long USUAL_DELAY = Duration.ofMillis(2).toNanos();
    private static final long SLOW_DELAY = Duration.ofMillis(500).toNanos();
    private static final long LATEST = Duration.ofSeconds(3).toNanos();

    private final Map<Fate, Long> met = new EnumMap<>(Fate.class);
    private double share;

    /** @param share of the calls that meet a fault, 0 to 1 */
    Faults(double share) {
        this.share = share;
    }

    /** From now on none. */
    void heal() {
        share = 0;
    }

    /** How many calls have met what. */
    Map<Fate, Long> met() {
        return met;
    }

    /** @param isAway whether the store cannot be reached at all */
    Fate draw(Random random, boolean isAway) {
        Fate fate = Fate.DELIVERED;
        if (isAway) {
            fate = random.nextBoolean() ? Fate.NO_CONNECTION : Fate.CALL_LOST;
        } else if (random.nextDouble() < share) {
            fate = BAD[random.nextInt(BAD.length)];
        }
        met.merge(fate, 1L, Long::sum);
        return fate;
    }

    /** In nanoseconds, one way. */
    long delay(Random random, Fate fate, boolean isSlow) {
        long most = fate == Fate.LATE || fate == Fate.DELIVERED_TWICE
                ? LATEST
                : isSlow ? SLOW_DELAY : USUAL_DELAY;
        return (long) (random.nextDouble() * most) + 1;
    }

    /** The most that {@link #delay} is. */
    static long longestDelay() {
        return LATEST;
    }
}
