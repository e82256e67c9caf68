package dev.spike.core;

import dev.spike.core.Levels.Phase;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.SpikeListener.Call;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * Keeps a node's {@link Gate} true: every reply of the shared stock goes through here, and when
 * none comes, that of {@link Sweeping}.
 *
 * <p>Replies of concurrent calls may come out of order; an older one never replaces a newer. Each
 * is compared with what was known when its call was <em>sent</em>: another ledger, or a sequence
 * below that, means that the shared stock lost writes, and shuts the gate for good.
 */
final class GateKeeper {

    /** How many syncs in vain make what is known too old to refuse by. */
    private static final int MAX_AGE_IN_SYNCS = 3;

    private static final Logger LOG = System.getLogger(Spike.class.getName());

    private final RemoteSpike remote;
    private final Telling telling;
    private final long syncNanos;
    private final Executor calls;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final long startNanos;
    private final AtomicBoolean loadingUsedKeys = new AtomicBoolean();
    private volatile Gate gate;

    /**
     * Of the gate; beside it, since a local NO would notice one dependent read more. Null where a
     * listener is to be told of each, so that those without one need not ask for it.
     */
    private volatile @Nullable Answer answerToAll;

    private volatile boolean stopped;

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

    /** Loads nothing more. */
    void stop() {
        stopped = true;
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
            } catch (RejectedExecutionException | OutOfMemoryError noThread) {
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

    /**
     * Takes in what a reply told.
     *
     * @param before what was known when its call was sent, at {@code askedNanos}
     */
    void learn(Levels fresh, Gate before, long askedNanos) {
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
}
