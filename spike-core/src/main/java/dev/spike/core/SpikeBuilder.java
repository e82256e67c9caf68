package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * The options of a {@link Spike}; every setter answers this builder, and throws
 * {@link IllegalArgumentException} for a value out of its range. Not safe for use by many threads.
 */
public final class SpikeBuilder {

    private final RemoteSpike remote;
    int nodes = 1;
    double buffer = 0.5;
    long quota;
    Duration timeout = Duration.ofSeconds(1);
    int queueLimit = 16_384;
    long mostBacklog = Long.MAX_VALUE;
    Duration syncEvery = Duration.ofSeconds(1);
    LongSupplier nanoTime = System::nanoTime;
    Supplier<RandomGenerator> random = ThreadLocalRandom::current;

    @Nullable
    SpikeListener listener;

    private @Nullable ExecutorService calls;
    private @Nullable ScheduledExecutorService timer;

    SpikeBuilder(RemoteSpike remote) {
        this.remote = Objects.requireNonNull(remote, "remote");
    }

    /**
     * How many nodes share the stock. Default 1.
     *
     * @param count at least 1
     * @return this builder
     */
    public SpikeBuilder nodes(int count) {
        Check.that(count >= 1, ">= 1", "nodes", count);
        this.nodes = count;
        return this;
    }

    /**
     * By how much the quotas of all nodes together exceed the stock, as a fraction. Default 0.5.
     *
     * @param fraction 0 to 100
     * @return this builder
     */
    public SpikeBuilder buffer(double fraction) {
        Check.that(fraction >= 0 && fraction <= 100, ">= 0 and <= 100", "buffer", fraction);
        this.buffer = fraction;
        return this;
    }

    /**
     * A fixed quota instead of the share derived from nodes and buffer. Default 0.
     *
     * @param units at least 1; 0: derived
     * @return this builder
     */
    public SpikeBuilder quota(long units) {
        Check.that(units >= 0, ">= 0", "quota", units);
        this.quota = units;
        return this;
    }

    /**
     * How long a request waits for its answer. Default 1 s.
     *
     * @param time 1 ms to 1 h
     * @return this builder
     */
    public SpikeBuilder timeout(Duration time) {
        Check.that(
                isBetween(time, Duration.ofMillis(1), Duration.ofHours(1)),
                ">= 1 ms and <= 1 h",
                "timeout",
                time);
        this.timeout = time;
        return this;
    }

    /**
     * How many requests may wait for a call; what comes beyond is UNAVAILABLE. Default 16,384.
     *
     * @param requests at least 1
     * @return this builder
     */
    public SpikeBuilder queueLimit(int requests) {
        Check.that(requests >= 1, ">= 1", "queueLimit", requests);
        this.queueLimit = requests;
        return this;
    }

    /**
     * From how many order events on, logged and not yet acknowledged by everyone who reads the log,
     * new reservations are UNAVAILABLE. Default: no bound, for applications that have no relay.
     * What is in flight when the bound is reached may exceed it.
     *
     * @param events at least 1
     * @return this builder
     */
    public SpikeBuilder orderBacklog(long events) {
        Check.that(events >= 1, ">= 1", "orderBacklog", events);
        this.mostBacklog = events;
        return this;
    }

    /**
     * How often to look at the shared levels, less up to an eighth of jitter. Default 1 s.
     *
     * @param time 1 ms to 1 h
     * @return this builder
     */
    public SpikeBuilder syncEvery(Duration time) {
        Check.that(
                isBetween(time, Duration.ofMillis(1), Duration.ofHours(1)),
                ">= 1 ms and <= 1 h",
                "syncEvery",
                time);
        this.syncEvery = time;
        return this;
    }

    /**
     * Threads of the application's own, which it also stops, after closing the spike. Default: a
     * few daemon threads.
     *
     * @param callers runs blocking calls, up to six at once
     * @param timers runs short tasks, and must not be busy with long ones
     * @return this builder
     */
    public SpikeBuilder threads(ExecutorService callers, ScheduledExecutorService timers) {
        this.calls = Objects.requireNonNull(callers, "callers");
        this.timer = Objects.requireNonNull(timers, "timers");
        return this;
    }

    /**
     * The elapsed time in nanoseconds. Default {@link System#nanoTime}.
     *
     * @param elapsed only its differences count; safe for use by many threads
     * @return this builder
     */
    public SpikeBuilder nanoTime(LongSupplier elapsed) {
        this.nanoTime = Objects.requireNonNull(elapsed, "elapsed");
        return this;
    }

    /**
     * Where the jitter of retries and syncs comes from. Default: a generator for each thread.
     *
     * @param jitter safe for use by many threads
     * @return this builder
     */
    public SpikeBuilder random(RandomGenerator jitter) {
        Objects.requireNonNull(jitter, "jitter");
        this.random = () -> jitter;
        return this;
    }

    /**
     * Is told what the node does. Default: nobody, which costs nothing.
     *
     * @param told see there what it must heed
     * @return this
     */
    public SpikeBuilder listener(SpikeListener told) {
        this.listener = Objects.requireNonNull(told, "told");
        return this;
    }

    /**
     * A running node. It need not reach the shared stock yet.
     *
     * @return to be closed by the caller
     */
    public Spike start() {
        if (calls != null && timer != null) {
            return new Spike(remote, this, calls, timer, () -> {});
        }
        ThreadFactory daemons = task -> {
            Thread thread = new Thread(task, "spike-" + remote.saleId());
            thread.setDaemon(true);
            return thread;
        };
        ExecutorService ownCalls = Executors.newCachedThreadPool(daemons);
        ScheduledExecutorService ownTimer = Executors.newSingleThreadScheduledExecutor(daemons);
        return new Spike(remote, this, ownCalls, ownTimer, () -> stop(ownCalls, ownTimer));
    }

    /** The calls first, since they still use the timer. */
    private static void stop(ExecutorService calls, ExecutorService timer) {
        calls.shutdown();
        try {
            calls.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        timer.shutdownNow();
    }

    private static boolean isBetween(Duration time, Duration least, Duration most) {
        return time.compareTo(least) >= 0 && time.compareTo(most) <= 0;
    }
}
