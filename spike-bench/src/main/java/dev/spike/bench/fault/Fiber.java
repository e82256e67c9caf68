package dev.spike.bench.fault;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.Semaphore;

/**
 * A task that may wait in the midst of it. It has a thread while it runs or waits; of all threads
 * of a {@link Scheduler}, one runs at a time.
 */
final class Fiber {

    /** Thrown where a fiber waits, when it is to wait no longer. */
    static final class Abandoned extends Error {
        private static final long serialVersionUID = 1;

        Abandoned() {
            super("the process died", null, false, false);
        }
    }

    private final Semaphore turn = new Semaphore(0);
    private final Runnable task;
    private boolean isStarted;
    private boolean isAbandoned;

    Fiber(Runnable task) {
        this.task = task;
    }

    boolean isStarted() {
        return isStarted;
    }

    /** Whether it is to end where it waits. */
    boolean isAbandoned() {
        return isAbandoned;
    }

    void abandon() {
        isAbandoned = true;
    }

    /** Lets the thread that waits in {@link #awaitTurn} go on. */
    void giveTurn() {
        turn.release();
    }

    void awaitTurn() {
        turn.acquireUninterruptibly();
    }

    /** Runs all of it on this thread; answers what it threw, unless it was abandoned. */
    @Nullable
    Throwable run() {
        isStarted = true;
        try {
            task.run();
        } catch (Abandoned asTold) {
            return null;
        } catch (RuntimeException | Error thrown) {
            return thrown;
        }
        return null;
    }
}
