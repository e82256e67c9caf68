package dev.spike.bench.scenario;

import dev.spike.core.RemoteSpike;

/**
 * The store's clock, read without a call: this machine's, set right once by the quickest of some
 * looks at the store. True to {@link Refusals#TOLERANCE_MILLIS} on one machine, where both are the
 * same clock; over a network, to that and half of the quickest round trip.
 */
final class StoreClock {

    private static final int LOOKS = 50;

    private final long aheadMillis;

    StoreClock(RemoteSpike sale) {
        long quickestNanos = Long.MAX_VALUE;
        long ahead = 0;
        for (int look = 0; look < LOOKS; look++) {
            long millis = System.currentTimeMillis();
            long start = System.nanoTime();
            long store = sale.levels().asOf().toEpochMilli();
            long nanos = System.nanoTime() - start;
            if (nanos < quickestNanos) {
                quickestNanos = nanos;
                ahead = store - millis - nanos / 2_000_000;
            }
        }
        aheadMillis = ahead;
    }

    /** Milliseconds of the epoch. */
    long millis() {
        return System.currentTimeMillis() + aheadMillis;
    }
}
