package dev.spike.bench.fault;

import java.util.ArrayDeque;
import java.util.Deque;

/** How many units were available, and from when on. */
final class AvailableOverTime {

    private record Since(long nanos, long available) {}

    private final Deque<Since> newestFirst = new ArrayDeque<>();

    void add(long nanos, long available) {
        newestFirst.addFirst(new Since(nanos, available));
    }

    /** The fewest that were available at any moment since then. */
    long least(long sinceNanos) {
        long least = Long.MAX_VALUE;
        for (Since since : newestFirst) {
            least = Math.min(least, since.available);
            if (since.nanos <= sinceNanos) {
                break;
            }
        }
        return least;
    }
}
