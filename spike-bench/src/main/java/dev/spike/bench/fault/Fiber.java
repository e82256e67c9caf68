package dev.spike.bench.fault;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * A thread of its own that runs only while whoever resumes it waits, so that one of all threads
 * runs at a time.
 */
final class Fiber {

    private static final ThreadLocal<@Nullable Fiber> CURRENT = new ThreadLocal<>();
    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "fiber");
        thread.setDaemon(true);
        return thread;
    });

    /** Thrown where a fiber waits, when it is to wait no longer. */
    static final class Abandoned extends Error {
        private static final long serialVersionUID = 1;

        Abandoned() {
            super("the process died", null, false, false);
        }
    }

    private final Semaphore run = new Semaphore(0);
    private final Semaphore back = new Semaphore(0);
    private final Runnable task;
    private boolean isStarted;
    private boolean isAbandoned;
    private @Nullable Throwable failure;

    Fiber(Runnable task) {
        this.task = task;
    }

    /** The one that runs this code. */
    static Fiber current() {
        Fiber current = CURRENT.get();
        if (current == null) {
            throw new IllegalStateException("only on a fiber may a task wait");
        }
        return current;
    }

    /** Runs it until it waits or ends; throws what its task threw. */
    void resume() {
        if (isStarted) {
            run.release();
        } else {
            isStarted = true;
            THREADS.execute(this::runTask);
        }
        back.acquireUninterruptibly();
        Throwable thrown = failure;
        if (thrown != null && !(thrown instanceof Abandoned)) {
            throw new IllegalStateException("a task failed: " + thrown, thrown);
        }
    }

    /** Ends its waiting with {@link Abandoned}. */
    void abandon() {
        isAbandoned = true;
        resume();
    }

    /** Waits, on this fiber, until it is resumed. */
    void pause() {
        back.release();
        run.acquireUninterruptibly();
        if (isAbandoned) {
            throw new Abandoned();
        }
    }

    private void runTask() {
        CURRENT.set(this);
        try {
            task.run();
        } catch (RuntimeException | Error thrown) {
            failure = thrown;
        } finally {
            CURRENT.remove();
            back.release();
        }
    }
}
