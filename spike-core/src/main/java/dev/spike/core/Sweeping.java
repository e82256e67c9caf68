package dev.spike.core;

import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.SpikeListener.Call;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * A node's sweeps: each ends holds that are overdue, whoever made them, and brings the levels to
 * the {@link GateKeeper}; at least one in a sync interval, until the sale halts.
 */
final class Sweeping {

    /**
     * The pause of a sweep that found more than it may end at once; the store lets others rest as
     * long.
     */
    private static final long MORE_NANOS = 800_000;

    private static final Logger LOG = System.getLogger(Spike.class.getName());

    private final RemoteSpike remote;
    private final GateKeeper gateKeeper;
    private final Telling telling;
    private final long syncNanos;
    private final Executor calls;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final Supplier<RandomGenerator> random;
    private volatile boolean reachable = true;
    private volatile boolean stopped;
    private volatile @Nullable Future<?> next;
    private volatile @Nullable Instant nextDeadline;

    Sweeping(
            RemoteSpike remote,
            GateKeeper gateKeeper,
            Telling telling,
            SpikeBuilder options,
            Executor calls,
            ScheduledExecutorService timer) {
        this.remote = remote;
        this.gateKeeper = gateKeeper;
        this.telling = telling;
        this.syncNanos = options.syncEvery.toNanos();
        this.nanoTime = options.nanoTime;
        this.random = options.random;
        this.calls = calls;
        this.timer = timer;
    }

    /** Sweeps now, and again and again until {@link #stop}, or until the sale halts. */
    void start() {
        if (stopped || gateKeeper.gate().haltReason() != null) {
            return;
        }
        try {
            calls.execute(() -> startAfter(delayNanos(sweep())));
        } catch (RejectedExecutionException | OutOfMemoryError noThread) {
            startAfter(delayNanos(null));
        }
    }

    private void startAfter(long nanos) {
        if (!stopped) {
            next = timer.schedule(this::start, nanos, TimeUnit.NANOSECONDS);
        }
    }

    /**
     * When to sweep again: after the sync interval, or when the next hold ends if that is sooner;
     * so units come back soon after their deadline. All nodes sweep, so each a little apart.
     */
    private long delayNanos(RemoteSpike.@Nullable Sweep sweep) {
        long delay = jittered(syncNanos);
        if (sweep != null && sweep.isMore()) {
            return Math.min(delay, MORE_NANOS);
        } else if (sweep != null && sweep.nextDeadline() != null) {
            long left = Duration.between(sweep.levels().asOf(), sweep.nextDeadline())
                    .toMillis();
            long soonest = jittered(syncNanos / 16);
            return Math.min(delay, TimeUnit.MILLISECONDS.toNanos(left) + soonest);
        }
        return delay;
    }

    private long jittered(long nanos) {
        return random.get().nextLong(nanos - nanos / 8, nanos + 1);
    }

    void stop() {
        stopped = true;
        Future<?> last = next;
        if (last != null) {
            last.cancel(false);
        }
    }

    /** Sweeps once; null: no answer came. */
    RemoteSpike.@Nullable Sweep sweep() {
        try {
            Gate before = gateKeeper.gate();
            long askedNanos = nanoTime.getAsLong();
            RemoteSpike.Sweep sweep = telling.call(Call.SWEEP, 1, false, remote::expire);
            gateKeeper.learn(sweep.levels(), before, askedNanos);
            nextDeadline = sweep.nextDeadline();
            reachable(true, "");
            return sweep;
        } catch (RemoteSpikeException noAnswer) {
            if (noAnswer.kind() == Kind.BROKEN) {
                gateKeeper.halt(noAnswer);
            } else {
                reachable(false, noAnswer.getMessage());
            }
        } catch (RuntimeException | Error bug) {
            gateKeeper.halt(bug);
        }
        return null;
    }

    /** How overdue the oldest hold may be that the last sweep left. */
    Duration lag() {
        Instant due = nextDeadline;
        Gate seen = gateKeeper.gate();
        if (due == null || seen.levels() == null) {
            return Duration.ZERO;
        }
        long millis = seen.storeMillisAt(nanoTime.getAsLong()) - due.toEpochMilli();
        return Duration.ofMillis(Math.max(0, millis));
    }

    private void reachable(boolean now, @Nullable String why) {
        if (reachable != now) {
            reachable = now;
            LOG.log(
                    now ? Level.INFO : Level.WARNING,
                    () -> "shared stock of " + remote.saleId()
                            + (now ? " answers again" : " gives no answer: " + why));
        }
    }
}
