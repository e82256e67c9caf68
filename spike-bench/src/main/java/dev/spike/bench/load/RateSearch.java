package dev.spike.bench.load;

import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/**
 * Looks for the highest rate that a server holds: doubles from the first rate until one fails (or
 * halves until one holds), then tries the geometric mean of the highest that held and the lowest
 * that failed, until they are within 5 % or the time is over. A rate counts as failed only when it
 * failed twice, since something else on the machine may have spoilt one try.
 */
final class RateSearch {

    private static final double NEAR = 1.05;

    private final IntPredicate holds;
    private final BooleanSupplier hasTime;

    /**
     * @param holds tries a rate
     * @param hasTime whether another try may begin
     */
    RateSearch(IntPredicate holds, BooleanSupplier hasTime) {
        this.holds = holds;
        this.hasTime = hasTime;
    }

    /** The highest rate that held; 0 if none did. */
    int from(int first) {
        int held = 0;
        int failed = Integer.MAX_VALUE;
        int rate = first;
        while (rate > held && rate < failed && hasTime.getAsBoolean()) {
            if (holdsOnce(rate)) {
                held = rate;
            } else {
                failed = rate;
            }
            rate = next(held, failed);
        }
        return held;
    }

    private boolean holdsOnce(int rate) {
        return holds.test(rate) || hasTime.getAsBoolean() && holds.test(rate);
    }

    /** The next rate to try; one that was tried if there is none. */
    private static int next(int held, int failed) {
        if (failed == Integer.MAX_VALUE) {
            return Math.multiplyExact(held, 2);
        }
        if (held == 0) {
            return failed / 2;
        }
        return failed < held * NEAR ? held : (int) Math.round(Math.sqrt((double) held * failed));
    }
}
