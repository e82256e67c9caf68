package dev.spike.bench.fault;

import dev.spike.bench.fault.Scheduler.Event;
import dev.spike.bench.fault.Scheduler.Owner;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a simulated node: what is executed runs on a {@link Fiber}, since it may wait for
 * the store; what is scheduled runs at its virtual time, and must not wait.
 */
final class NodeThreads extends AbstractExecutorService implements ScheduledExecutorService {

    private final Scheduler scheduler;
    private final Owner node;
    private final Set<Fiber> waiting = new LinkedHashSet<>();

    NodeThreads(Scheduler scheduler, Owner node) {
        this.scheduler = scheduler;
        this.node = node;
    }

    @Override
    public void execute(Runnable task) {
        scheduler.after(0, node, () -> scheduler.resume(new Fiber(task)));
    }

    /** Waits, on a fiber, until that is resumed. */
    void pause() {
        Fiber own = Objects.requireNonNull(scheduler.current(), "on a fiber");
        waiting.add(own);
        try {
            scheduler.pause();
        } finally {
            waiting.remove(own);
        }
    }

    /** Waits, on a fiber, for so long. */
    void sleep(long nanos) {
        Fiber own = Objects.requireNonNull(scheduler.current(), "on a fiber");
        scheduler.after(nanos, node, () -> scheduler.resume(own));
        pause();
    }

    /** Ends all that waits: the node is dead. */
    void abandon() {
        List.copyOf(waiting).forEach(scheduler::abandon);
    }

    private final class Timed<V extends @Nullable Object> extends FutureTask<V>
            implements ScheduledFuture<V> {

        private final long everyNanos;
        private @Nullable Event event;
        private long dueNanos;

        Timed(Callable<V> task, long delayNanos, long everyNanos) {
            super(task);
            this.everyNanos = everyNanos;
            schedule(delayNanos);
        }

        private void schedule(long delayNanos) {
            dueNanos = scheduler.nowNanos() + delayNanos;
            event = scheduler.after(delayNanos, node, this);
        }

        @Override
        public void run() {
            if (everyNanos == 0) {
                super.run();
            } else if (super.runAndReset()) {
                schedule(everyNanos);
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            if (event != null) {
                event.cancel();
            }
            return super.cancel(false);
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(dueNanos - scheduler.nowNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(
                    getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return new Timed<@Nullable Object>(
                () -> {
                    command.run();
                    return null;
                },
                unit.toNanos(delay),
                0);
    }

    @Override
    public <V extends @Nullable Object> ScheduledFuture<V> schedule(
            Callable<V> callable, long delay, TimeUnit unit) {
        return new Timed<>(callable, unit.toNanos(delay), 0);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(
            Runnable command, long initialDelay, long period, TimeUnit unit) {
        return scheduleWithFixedDelay(command, initialDelay, period, unit);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(
            Runnable command, long initialDelay, long delay, TimeUnit unit) {
        return new Timed<@Nullable Object>(
                () -> {
                    command.run();
                    return null;
                },
                unit.toNanos(initialDelay),
                unit.toNanos(delay));
    }

    @Override
    public void shutdown() {
        throw new UnsupportedOperationException("a node dies, it is not closed");
    }

    @Override
    public List<Runnable> shutdownNow() {
        throw new UnsupportedOperationException("a node dies, it is not closed");
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return false;
    }
}
