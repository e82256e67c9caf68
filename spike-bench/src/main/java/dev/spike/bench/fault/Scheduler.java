package dev.spike.bench.fault;

import org.jspecify.annotations.Nullable;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * Runs tasks one at a time, in the order of a virtual clock, and those of one moment in an order
 * drawn from a seed: so the same seed gives the same run. A task that must wait runs on a
 * {@link Fiber}.
 */
final class Scheduler {

    /** A process whose tasks it may hold up or drop. */
    interface Owner {
        /** Whether nothing of it runs any more. */
        boolean isDead();

        /** Until when nothing of it runs, in virtual nanoseconds. */
        long pausedUntil();
    }

    /** A task to come. */
    static final class Event {
        private long nanos;
        private long order;
        private final @Nullable Owner owner;
        private final Runnable task;
        private boolean cancelled;

        private Event(long nanos, long order, @Nullable Owner owner, Runnable task) {
            this.nanos = nanos;
            this.order = order;
            this.owner = owner;
            this.task = task;
        }

        void cancel() {
            cancelled = true;
        }
    }

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.<Event>comparingLong(event -> event.nanos)
                    .thenComparingLong(event -> event.order));
    private final Random random;
    private long nowNanos;

    Scheduler(Random random) {
        this.random = random;
    }

    long nowNanos() {
        return nowNanos;
    }

    /**
     * Runs a task later, or now but not within this one.
     *
     * @param owner whose task it is; null: nobody's, it runs at its time
     */
    Event after(long nanos, @Nullable Owner owner, Runnable task) {
        Event event = new Event(nowNanos + Math.max(0, nanos), random.nextLong(), owner, task);
        events.add(event);
        return event;
    }

    /** Runs the next task that is due by then; false if there is none. */
    boolean step(long endNanos) {
        Event next = events.peek();
        while (next != null && next.nanos <= endNanos) {
            events.remove();
            nowNanos = next.nanos;
            Owner owner = next.owner;
            boolean drop = next.cancelled || owner != null && owner.isDead();
            if (!drop && owner != null && owner.pausedUntil() > nowNanos) {
                next.nanos = owner.pausedUntil();
                next.order = random.nextLong();
                events.add(next);
            } else if (!drop) {
                next.task.run();
                return true;
            }
            next = events.peek();
        }
        nowNanos = Math.max(nowNanos, endNanos);
        return false;
    }
}
