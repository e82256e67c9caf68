package dev.spike.bench.scenario;

import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * A simulated buyer, who wants one unit.
 *
 * @param name of the buyer
 * @param key of the first request
 * @param paying what the buyer does once promised a unit
 * @param repeats whether the buyer sends the first request twice, whatever the first answer
 */
record Buyer(String name, String key, Paying paying, boolean repeats) {

    /** What a buyer does once promised a unit. */
    enum Paying {
        /** Pays before the hold ends. */
        IN_TIME,
        /** Pays after the hold has ended. */
        LATE,
        /** Is never seen again. */
        NEVER
    }

    static final double NEVER_PAY = 0.15;
    static final double PAY_LATE = 0.10;
    static final double REPEAT = 0.20;

    /** The same buyers, in the same order, for the same seed. */
    static List<Buyer> crowd(long seed, int count) {
        Random random = new Random(seed);
        return IntStream.range(0, count)
                .mapToObj(i -> new Buyer(
                        "buyer-" + i,
                        new UUID(random.nextLong(), random.nextLong()).toString(),
                        paying(random.nextDouble()),
                        random.nextDouble() < REPEAT))
                .toList();
    }

    /** Buyers who ask once and never pay. */
    static List<Buyer> askingOnce(long seed, int count) {
        return crowd(seed, count).stream()
                .map(buyer -> new Buyer(buyer.name, buyer.key, Paying.NEVER, false))
                .toList();
    }

    /** The same buyer, coming back: with a new key, and the money at hand. */
    Buyer again() {
        return new Buyer(name, key + "-again", Paying.IN_TIME, false);
    }

    private static Paying paying(double share) {
        if (share < NEVER_PAY) {
            return Paying.NEVER;
        }
        return share < NEVER_PAY + PAY_LATE ? Paying.LATE : Paying.IN_TIME;
    }
}
