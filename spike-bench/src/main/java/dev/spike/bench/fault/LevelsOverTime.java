package dev.spike.bench.fault;

import dev.spike.core.Levels;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Predicate;

/** The levels of a sale, and from when on. */
final class LevelsOverTime {

    private record Since(long nanos, Levels levels) {}

    private final Deque<Since> newestFirst = new ArrayDeque<>();

    void add(long nanos, Levels levels) {
        newestFirst.addFirst(new Since(nanos, levels));
    }

    /** Whether levels were such at any moment since then. */
    boolean wereEver(long sinceNanos, Predicate<Levels> such) {
        for (Since since : newestFirst) {
            if (such.test(since.levels)) {
                return true;
            } else if (since.nanos <= sinceNanos) {
                return false;
            }
        }
        return false;
    }
}
