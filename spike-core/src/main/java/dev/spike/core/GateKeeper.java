package dev.spike.core;

import dev.spike.core.Levels.Phase;
import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * Keeps a node's {@link Gate} true: every reply of the shared stock goes through here, and when
 * none comes, a look now and then.
 *
 * <p>Replies of concurrent calls may come out of order; an older one never replaces a newer. Each
 * is compared with what was known when its call was <em>sent</em>: another ledger, or a sequence
 * below that, means that the shared stock lost writes, and shuts the gate for good.
 */
final class GateKeeper {

    private static final Logger LOG = System.getLogger(Spike.class.getName());

    private final RemoteSpike remote;
    private final long syncNanos;
    private final Executor calls;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final AtomicBoolean loadingHolders = new AtomicBoolean();
    private volatile Gate gate = Gate.UNKNOWN;
    private volatile boolean reachable = true;
    private volatile boolean stopped;

    GateKeeper(
            RemoteSpike remote,
            Duration syncEvery,
            Executor calls,
            ScheduledExecutorService timer,
            LongSupplier nanoTime) {
        this.remote = remote;
        this.syncNanos = syncEvery.toNanos();
        this.calls = calls;
        this.timer = timer;
        this.nanoTime = nanoTime;
    }

    Gate gate() {
        return gate;
    }

    /** Looks at the levels now, and again and again until {@link #stop}. */
    void start() {
        calls.execute(() -> {
            sync();
            if (!stopped) {
                long jittered = ThreadLocalRandom.current()
                        .nextLong(syncNanos - syncNanos / 8, syncNanos + 1);
                timer.schedule(this::start, jittered, TimeUnit.NANOSECONDS);
            }
        });
    }

    void stop() {
        stopped = true;
    }

    /** Looks at the levels, and at the rules if they may matter; false if no answer came. */
    boolean sync() {
        try {
            if (look().phase() == Phase.NOT_YET_OPEN) {
                Sale sale = remote.sale();
                synchronized (this) {
                    gate = gate.withOpening(sale == null ? null : sale.opensAt());
                }
            }
            reachable(true, "");
            return true;
        } catch (RemoteSpikeException noAnswer) {
            reachable(false, noAnswer.getMessage());
            if (noAnswer.kind() == Kind.BROKEN) {
                halt(noAnswer.getMessage());
            }
            return false;
        } catch (RuntimeException bug) {
            halt(String.valueOf(bug));
            return false;
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
        if (gate.levels() == null) {
            lookBeforeCall();
        }
        Gate before = gate;
        long askedNanos = nanoTime.getAsLong();
        RemoteSpike.Reply reply = call.apply(before.storeMillisAt(deadlineNanos));
        learn(reply.levels(), before, askedNanos);
        if (reply.late()) {
            throw new RemoteSpikeException(Kind.NOT_EXECUTED, "the call came too late", null);
        }
        return reply.answers();
    }

    /** Loads the keys that hold units, in the background, unless that is under way. */
    void loadHolders() {
        if (loadingHolders.compareAndSet(false, true)) {
            calls.execute(() -> {
                try {
                    Levels known = gate.levels();
                    if (known != null) {
                        HolderSet holders = HolderSet.load(remote, known.reservations());
                        synchronized (this) {
                            gate = gate.withHolders(holders);
                        }
                    }
                } catch (RemoteSpikeException noAnswer) {
                    LOG.log(Level.DEBUG, () -> "holders not loaded: " + noAnswer.getMessage());
                } finally {
                    // At most one load per sync interval, however often reservations come and go
                    // meanwhile.
                    timer.schedule(
                            () -> loadingHolders.set(false), syncNanos, TimeUnit.NANOSECONDS);
                }
            });
        }
    }

    /** Shuts the gate for good. */
    synchronized void halt(@Nullable String reason) {
        if (gate.haltReason() == null) {
            gate = gate.halted(String.valueOf(reason));
            LOG.log(Level.ERROR, () -> "stopped selling " + remote.saleId() + ": " + reason);
        }
    }

    /** A look that a call needs: without its reply, the call itself is certainly not sent. */
    private Levels lookBeforeCall() {
        try {
            return look();
        } catch (RemoteSpikeException noAnswer) {
            if (noAnswer.kind() != Kind.UNKNOWN) {
                throw noAnswer;
            }
            throw new RemoteSpikeException(
                    Kind.NOT_EXECUTED, noAnswer.getMessage() + " (looking first)", noAnswer);
        }
    }

    private Levels look() {
        Gate before = gate;
        long askedNanos = nanoTime.getAsLong();
        Levels fresh = remote.levels();
        learn(fresh, before, askedNanos);
        return fresh;
    }

    private synchronized void learn(Levels fresh, Gate before, long askedNanos) {
        Levels known = before.levels();
        if (known != null && known.phase() != Phase.ABSENT) {
            if (!fresh.ledger().equals(known.ledger())) {
                halt("the shared stock was lost or replaced: ledger " + known.ledger() + " became "
                        + (fresh.phase() == Phase.ABSENT ? "absent" : fresh.ledger()));
            } else if (fresh.sequence() < known.sequence()) {
                halt("the shared stock lost writes: sequence " + known.sequence() + " went back to "
                        + fresh.sequence());
            }
        }
        if (gate.haltReason() != null) {
            throw new RemoteSpikeException(Kind.BROKEN, gate.haltReason(), null);
        }
        if (gate.isOlderThan(fresh, askedNanos)) {
            gate = gate.with(fresh, askedNanos, nanoTime.getAsLong());
        }
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
