package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/**
 * The way from one node to the store and back, on which calls and replies are delayed, lost, and
 * delivered twice; a call may also run long after the node gave it up.
 */
final class Link {

    /** How long a node waits for a reply, in nanoseconds. */
    static final long REPLY_TIMEOUT = Duration.ofMillis(400).toNanos();

    private final World world;
    private final Scheduler scheduler;
    private final SimulatedStore store;
    private final NodeThreads threads;
    private final Scheduler.Owner node;
    private final Faults faults;
    private long cutUntilNanos;

    Link(
            World world,
            SimulatedStore store,
            NodeThreads threads,
            Scheduler.Owner node,
            Faults faults) {
        this.world = world;
        this.scheduler = world.scheduler;
        this.store = store;
        this.threads = threads;
        this.node = node;
        this.faults = faults;
    }

    /** Nothing of this node reaches the store for a while, while others do. */
    void cutFor(long nanos) {
        cutUntilNanos = scheduler.nowNanos() + nanos;
    }

    /** What a call has come to. */
    private final class Exchange<T> {
        private final Fiber fiber = Objects.requireNonNull(scheduler.current(), "on a fiber");
        private @Nullable T reply;
        private @Nullable RuntimeException failure;
        private boolean isOver;

        private void end(@Nullable T got, @Nullable RuntimeException failed) {
            if (!isOver) {
                isOver = true;
                reply = got;
                failure = failed;
                scheduler.resume(fiber);
            }
        }
    }

    /**
     * Calls the store, and waits on the fiber that runs this.
     *
     * @param isChange see {@link Server#run}
     * @throws RemoteSpikeException if there is no reply
     */
    <T> @Nullable T call(BiFunction<Server, InMemorySpike, T> call, Predicate<T> isChange) {
        if (node.isDead()) {
            throw new Fiber.Abandoned();
        }
        Server server = store.serverOf(node);
        boolean isAway = server.isDown() || scheduler.nowNanos() < cutUntilNanos;
        Faults.Fate fate = faults.draw(world.random, isAway);
        if (fate != Faults.Fate.DELIVERED) {
            world.note(node + " calls, which is " + fate);
        }
        if (fate == Faults.Fate.NO_CONNECTION) {
            throw new RemoteSpikeException(Kind.NOT_SENT, "no connection", null);
        }
        Exchange<T> exchange = new Exchange<>();
        if (fate != Faults.Fate.CALL_LOST) {
            deliver(server, call, isChange, exchange, fate);
        }
        if (fate == Faults.Fate.DELIVERED_TWICE) {
            deliver(server, call, isChange, exchange, fate);
        }
        scheduler.after(REPLY_TIMEOUT, node, () -> exchange.end(null, noReply()));
        threads.pause();
        if (exchange.failure != null) {
            throw exchange.failure;
        }
        return exchange.reply;
    }

    private static RemoteSpikeException noReply() {
        return new RemoteSpikeException(Kind.UNKNOWN, "no reply", null);
    }

    /** Runs the call in the store after a while, and brings its reply unless that is lost. */
    private <T> void deliver(
            Server server,
            BiFunction<Server, InMemorySpike, T> call,
            Predicate<T> isChange,
            Exchange<T> exchange,
            Faults.Fate fate) {
        scheduler.after(faults.delay(world.random, fate, server.isSlow()), null, () -> {
            if (server.isDown()) {
                return;
            }
            if (fate == Faults.Fate.REFUSED) {
                reply(() -> exchange.end(
                        null, new RemoteSpikeException(Kind.NOT_EXECUTED, "refused", null)));
                return;
            }
            int before = server.changes();
            T result = server.run(stock -> call.apply(server, stock), isChange);
            if (store.isOld(server) && server.changes() > before) {
                world.happened(Happening.SPLIT_BRAIN_CHANGE, "of " + node);
            }
            if (fate != Faults.Fate.REPLY_LOST) {
                reply(() -> exchange.end(result, null));
            }
        });
    }

    private void reply(Runnable end) {
        scheduler.after(faults.delay(world.random, Faults.Fate.DELIVERED, false), node, end);
    }
}
