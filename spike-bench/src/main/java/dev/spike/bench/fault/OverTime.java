package dev.spike.bench.fault;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Predicate;

/** What something was, and from when on. */
final class OverTime<T> {

    private record Since<T>(long nanos, T value) {}

    private final Deque<Since<T>> newestFirst = new ArrayDeque<>();

    void add(long nanos, T value) {
        newestFirst.addFirst(new Since<>(nanos, value));
    }

    /** Whether it was such at any moment since then. */
    boolean wasEver(long sinceNanos, Predicate<T> such) {
        for (Since<T> since : newestFirst) {
            if (such.test(since.value)) {
                return true;
            } else if (since.nanos < sinceNanos) {
                return false;
            }
        }
        return false;
    }
}
