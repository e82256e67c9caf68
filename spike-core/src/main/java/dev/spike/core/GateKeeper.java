package dev.spike.core;

import dev.spike.core.Levels.Phase;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.SpikeListener.Call;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Keeps a node's {@link Gate} true: every reply of the shared stock goes through here, and when
 * none comes, a sweep at least once a sync interval.
 *
 * <p>Replies of concurrent calls may come out of order; an older one never replaces a newer. Each
 * is compared with what was known when its call was <em>sent</em>: another ledger, or a sequence
 * below that, means that the shared stock lost writes, and shuts the gate for good.
 */
final class GateKeeper {

    /** How many syncs in vain make what is known too old to refuse by. */
    private static final int MAX_AGE_IN_SYNCS = 3;

    /**
     * The pause of a sweep that found more than it may end at once; the store lets others rest as
     * long.
     */
    private static final long MORE_NANOS = 800_000;

    private static final Logger LOG = System.getLogger(Spike.class.getName());

    private final RemoteSpike remote;
    private final Telling telling;
    private final long syncNanos;
    private final Executor calls;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final Supplier<RandomGenerator> random;
    private final long startNanos;
    private final AtomicBoolean loadingUsedKeys = new AtomicBoolean();
    private volatile Gate gate;

    /**
     * Of the gate; beside it, since a local NO would notice one dependent read more. Null where a
     * listener is to be told of each, so that those without one need not ask for it.
     */
    private volatile @Nullable Answer answerToAll;

    private volatile boolean reachable = true;
    private volatile boolean stopped;
    private volatile @Nullable Future<?> nextSync;
    private volatile @Nullable Instant nextDeadline;

    GateKeeper(
            RemoteSpike remote,
            Telling telling,
            SpikeBuilder options,
            Executor calls,
            ScheduledExecutorService timer) {
        this.remote = remote;
        this.telling = telling;
        this.syncNanos = options.syncEvery.toNanos();
        this.nanoTime = options.nanoTime;
        this.random = options.random;
        this.startNanos = nanoTime.getAsLong();
        this.gate = Gate.unknown(options.mostBacklog, MAX_AGE_IN_SYNCS * syncNanos);
        this.calls = calls;
        this.timer = timer;
    }

    Gate gate() {
        return gate;
    }

    /** How long ago the levels were asked for; before the first, how long ago the node started. */
    Duration levelsAge() {
        Gate seen = gate;
        long sinceNanos = seen.levels() == null ? startNanos : seen.askedNanos();
        return Duration.ofNanos(nanoTime.getAsLong() - sinceNanos);
    }

    /** How overdue the oldest hold may be that the last sweep left. */
    Duration expiryLag() {
        Instant due = nextDeadline;
        Gate seen = gate;
        if (due == null || seen.levels() == null) {
            return Duration.ZERO;
        }
        long millis = seen.storeMillisAt(nanoTime.getAsLong()) - due.toEpochMilli();
        return Duration.ofMillis(Math.max(0, millis));
    }

    /** See {@link Gate#answerToAll}. */
    @Nullable
    Answer answerToAll() {
        return answerToAll;
    }

    /** Only while holding the monitor, so that both are of the same gate. */
    private void set(Gate next) {
        gate = next;
        answerToAll = telling.isHeard() ? null : next.answerToAll();
    }

    /** Syncs now, and again and again until {@link #stop}, or until the sale halts. */
    void start() {
        if (stopped || gate.haltReason() != null) {
            return;
        }
        try {
            calls.execute(() -> startAfter(delayNanos(sweep())));
        } catch (RejectedExecutionException busy) {
            startAfter(delayNanos(null));
        }
    }

    private void startAfter(long nanos) {
        if (!stopped) {
            nextSync = timer.schedule(this::start, nanos, TimeUnit.NANOSECONDS);
        }
    }

    /**
     * When to sync again: after the sync interval, or when the next hold ends if that is sooner; so
     * units come back soon after their deadline. All nodes sweep, so each a little apart.
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
        Future<?> next = nextSync;
        if (next != null) {
            next.cancel(false);
        }
    }

    /** Sweeps, and so looks at the levels; false if no answer came. */
    boolean sync() {
        return sweep() != null;
    }

    private RemoteSpike.@Nullable Sweep sweep() {
        try {
            Gate before = gate;
            long askedNanos = nanoTime.getAsLong();
            RemoteSpike.Sweep sweep = telling.call(Call.SWEEP, 1, false, remote::expire);
            learn(sweep.levels(), before, askedNanos);
            nextDeadline = sweep.nextDeadline();
            reachable(true, "");
            return sweep;
        } catch (RemoteSpikeException noAnswer) {
            if (noAnswer.kind() == Kind.BROKEN) {
                halt(noAnswer);
            } else {
                reachable(false, noAnswer.getMessage());
            }
        } catch (RuntimeException | Error bug) {
            halt(bug);
        }
        return null;
    }

    /**
     * A refusal must be what the shared stock said lately; without an answer, it is asked again. To
     * be called every now and then: a call that hangs tells nothing.
     */
    void forgetWhatIsTooOld() {
        if (!gate.isOutdated() && gate.isTooOld(nanoTime)) {
            forget();
        }
    }

    private synchronized void forget() {
        if (gate.isTooOld(nanoTime)) {
            set(gate.outdated());
        }
    }

    /**
     * Levels that were asked for after this moment: those known, or else those that a look brings.
     */
    Levels levelsSince(long nanos) {
        Gate seen = gate;
        Levels known = seen.levels();
        return known != null && seen.askedNanos() - nanos >= 0 ? known : lookBeforeCall();
    }

    /**
     * Makes a call that carries its last moment in the store's time.
     *
     * @param deadlineNanos that moment, in this node's elapsed time
     */
    List<Answer> ask(LongFunction<RemoteSpike.Reply> call, long deadlineNanos) {
        requireSelling();
        if (gate.levels() == null) {
            lookBeforeCall();
        }
        Gate before = gate;
        long askedNanos = nanoTime.getAsLong();
        RemoteSpike.Reply reply = call.apply(before.storeMillisAt(deadlineNanos));
        learn(reply.levels(), before, askedNanos);
        if (reply.late()) {
            // What came too late did nothing, but a client may have repeated it by itself.
            throw new RemoteSpikeException(Kind.UNKNOWN, "the call came too late", null);
        }
        return reply.answers();
    }

    /** Loads the used keys, in the background, unless that is under way. */
    void loadUsedKeys() {
        if (!stopped && loadingUsedKeys.compareAndSet(false, true)) {
            try {
                calls.execute(this::loadUsedKeysNow);
            } catch (RejectedExecutionException stopping) {
                loadingUsedKeys.set(false);
            }
        }
    }

    private void loadUsedKeysNow() {
        try {
            Levels known = gate.levels();
            if (known != null) {
                UsedKeys usedKeys = UsedKeys.load(remote, known.reservations());
                synchronized (this) {
                    set(gate.withUsedKeys(usedKeys));
                }
            }
        } catch (RemoteSpikeException noAnswer) {
            LOG.log(Level.DEBUG, () -> "used keys not loaded: " + noAnswer.getMessage());
        } finally {
            // At most one load in a sync interval, however often reservations come and go.
            if (!stopped) {
                timer.schedule(() -> loadingUsedKeys.set(false), syncNanos, TimeUnit.NANOSECONDS);
            }
        }
    }

    /** Shuts the gate for good. */
    void halt(Throwable cause) {
        String reason = cause instanceof RemoteSpikeException
                ? String.valueOf(cause.getMessage())
                : cause.toString();
        if (shut(reason)) {
            LOG.log(Level.ERROR, "stopped selling " + remote.saleId() + ": " + reason, cause);
            telling.halted(reason);
        }
    }

    private synchronized boolean shut(String reason) {
        boolean first = gate.haltReason() == null;
        if (first) {
            set(gate.halted(reason));
        }
        return first;
    }

    private void requireSelling() {
        String reason = gate.haltReason();
        if (reason != null) {
            throw new RemoteSpikeException(Kind.NOT_SENT, reason, null);
        }
    }

    /** A look that a call needs: without its reply, the call itself is certainly not sent. */
    private Levels lookBeforeCall() {
        requireSelling();
        try {
            return look();
        } catch (RemoteSpikeException noAnswer) {
            if (noAnswer.kind() == Kind.BROKEN) {
                halt(noAnswer);
            }
            throw new RemoteSpikeException(
                    noAnswer.kind() == Kind.UNKNOWN ? Kind.NOT_EXECUTED : Kind.NOT_SENT,
                    noAnswer.getMessage() + " (looking first)",
                    noAnswer);
        }
    }

    private Levels look() {
        Gate before = gate;
        long askedNanos = nanoTime.getAsLong();
        Levels fresh = telling.call(Call.LOOK, 1, false, remote::levels);
        learn(fresh, before, askedNanos);
        return fresh;
    }

    private void learn(Levels fresh, Gate before, long askedNanos) {
        String lost = lost(before.levels(), fresh);
        if (lost != null) {
            throw new RemoteSpikeException(Kind.BROKEN, lost, null);
        }
        synchronized (this) {
            if (gate.isOlderThan(fresh, askedNanos)) {
                set(gate.with(fresh, askedNanos, nanoTime.getAsLong()));
            }
        }
        if (fresh.isBroken()) {
            throw new RemoteSpikeException(
                    Kind.BROKEN,
                    "the shared stock is damaged: total=" + fresh.total() + " available="
                            + fresh.available() + " reserved=" + fresh.reserved() + " sold="
                            + fresh.sold(),
                    null);
        }
    }

    /**
     * Whether a report comes from another stock than the one before, and how; null: it does not.
     */
    private static @Nullable String lost(@Nullable Levels known, Levels fresh) {
        if (known == null || known.phase() == Phase.ABSENT) {
            return null;
        } else if (fresh.phase() == Phase.ABSENT) {
            return "the shared stock was lost: ledger " + known.ledger() + " is gone";
        } else if (!fresh.ledger().equals(known.ledger())) {
            return "the shared stock was replaced: ledger " + known.ledger() + " became "
                    + fresh.ledger();
        }
        return fresh.sequence() >= known.sequence()
                ? null
                : "the shared stock lost writes: sequence " + known.sequence() + " went back to "
                        + fresh.sequence();
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
