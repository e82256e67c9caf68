package dev.spike.bench.fault;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * Runs tasks one at a time, in the order of a virtual clock, and those of one moment in an order
 * drawn from a seed: so the same seed gives the same run. A task that must wait runs on a
 * {@link Fiber}.
 *
 * <p>One thread drives at a time. A fiber that waits drives on itself, so that it costs no change
 * of threads when it is the next to go on; else the drive is handed to the thread of the fiber that
 * is.
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

    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "simulation");
        thread.setDaemon(true);
        return thread;
    });

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.<Event>comparingLong(event -> event.nanos)
                    .thenComparingLong(event -> event.order));
    private final Random random;
    private final Deque<Fiber> ready = new ArrayDeque<>();
    private final Set<Fiber> waiting = new LinkedHashSet<>();
    private final Semaphore over = new Semaphore(0);
    private @Nullable Fiber current;
    private Runnable afterStep = () -> {};
    private @Nullable Throwable failure;
    private boolean isInStep;
    private boolean isClosed;
    private long steps;
    private long endNanos;
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

    /**
     * Runs all that is due by then.
     *
     * @param check runs after every step
     * @return how many steps that took
     */
    long run(long until, Runnable check) {
        endNanos = until;
        afterStep = check;
        steps = 0;
        failure = null;
        THREADS.execute(() -> drive(null));
        over.acquireUninterruptibly();
        if (failure instanceof RuntimeException thrown) {
            throw thrown;
        } else if (failure != null) {
            throw new IllegalStateException("a task failed: " + failure, failure);
        }
        return steps;
    }

    /** Ends everything, also what waits. */
    void close() {
        isClosed = true;
        events.clear();
        ready.removeIf(fiber -> !fiber.isStarted());
        List.copyOf(waiting).forEach(this::abandon);
        run(nowNanos, () -> {});
    }

    /** The fiber that runs this code; null: none does. */
    @Nullable
    Fiber current() {
        return current;
    }

    /** Runs a fiber, or lets one that waits go on, after this task, as a part of it. */
    void resume(Fiber fiber) {
        if (!fiber.isStarted() || waiting.remove(fiber)) {
            ready.add(fiber);
        }
    }

    /** Ends a fiber's waiting with {@link Fiber.Abandoned}. */
    void abandon(Fiber fiber) {
        fiber.abandon();
        resume(fiber);
    }

    /** Waits, on the fiber that runs this, until it is resumed. */
    void pause() {
        Fiber own = current;
        if (own == null) {
            throw new IllegalStateException("only on a fiber may a task wait");
        }
        if (!isClosed) {
            waiting.add(own);
            current = null;
            drive(own);
            current = own;
        }
        if (isClosed || own.isAbandoned()) {
            throw new Fiber.Abandoned();
        }
    }

    /** Drives until this fiber is to go on; of none, until another thread drives. */
    private void drive(@Nullable Fiber own) {
        boolean goesOn = true;
        while (goesOn) {
            Fiber next = ready.poll();
            if (next != null && next == own) {
                return;
            } else if (next != null && own == null && !next.isStarted()) {
                runHere(next);
            } else if (next != null) {
                goesOn = false;
                handTo(next);
            } else if (!stepEnds() || !begin()) {
                goesOn = false;
                over.release();
            }
        }
        if (own != null) {
            own.awaitTurn();
        }
    }

    private void runHere(Fiber fiber) {
        current = fiber;
        Throwable thrown = fiber.run();
        current = null;
        failure = failure == null ? thrown : failure;
    }

    private void handTo(Fiber next) {
        if (next.isStarted()) {
            next.giveTurn();
        } else {
            THREADS.execute(() -> {
                runHere(next);
                drive(null);
            });
        }
    }

    /** Whether all is well after the step. */
    private boolean stepEnds() {
        if (isInStep && failure == null) {
            isInStep = false;
            guarded(afterStep);
        }
        return failure == null;
    }

    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error thrown) {
            failure = thrown;
        }
    }

    /** Runs the next task that is due; false if there is none. */
    private boolean begin() {
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
                isInStep = true;
                steps++;
                guarded(next.task);
                return true;
            }
            next = events.peek();
        }
        nowNanos = Math.max(nowNanos, endNanos);
        return false;
    }
}
