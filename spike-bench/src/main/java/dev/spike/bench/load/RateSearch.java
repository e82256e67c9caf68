package dev.spike.bench.load;

import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Looks for the highest rate that a server holds, until the time is over and a rate above what held
 * has failed: doubles from the first rate until one fails (or halves until one holds), then tries
 * the geometric mean of the highest that held and the lowest that failed, until they are within 5
 * %. Then it begins anew above what held, as it also tries each rate that failed a second time:
 * something else on the machine may have spoilt a try, and a server may still become warm.
 */
final class RateSearch {

    private static final double NEAR = 1.05;

    private final IntPredicate holds;
    private final BooleanSupplier hasTime;

    /**
     * @param holds tries a rate
     * @param hasTime whether another try may begin, once a rate above what held has failed
     */
    RateSearch(IntPredicate holds, BooleanSupplier hasTime) {
        this.holds = holds;
        this.hasTime = hasTime;
    }

    /**
     * Searches.
     *
     * @param first at least 1, at most {@code most}
     * @param most the search ends when this one holds
     * @return the highest rate that held; 0 if none did
     */
    int from(int first, int most) {
        int held = 0;
        int failed = Integer.MAX_VALUE;
        int rate = first;
        int highestFailed = 0;
        while (held < most && (hasTime.getAsBoolean() || highestFailed <= held)) {
            if (holdsInTwo(rate)) {
                held = rate;
            } else {
                failed = rate;
                highestFailed = Math.max(highestFailed, rate);
            }
            rate = Math.min(most, next(held, failed));
            if (rate <= held || rate >= failed) {
                failed = Integer.MAX_VALUE;
                rate = held == 0 ? first : Math.min(most, next(held, failed));
            }
        }
        return held;
    }

    private boolean holdsInTwo(int rate) {
        return IntStream.of(rate, rate).anyMatch(holds);
    }

    /** The next rate to try; one that was tried if there is none. */
    private static int next(int held, int failed) {
        if (failed == Integer.MAX_VALUE) {
            return held > Integer.MAX_VALUE / 2 ? Integer.MAX_VALUE : 2 * held;
        }
        if (held == 0) {
            return failed / 2;
        }
        return failed < held * NEAR ? held : (int) Math.round(Math.sqrt((double) held * failed));
    }
}
