package dev.spike.bench.fault;

import dev.spike.core.Levels;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * The way from one node to the store and back, on which calls and replies are delayed, lost, and
 * delivered twice; a call may also run long after the node gave it up. Each method waits on the
 * {@link Fiber} that calls it.
 */
final class Network implements RemoteSpike {

    private static final long REPLY_TIMEOUT = Duration.ofMillis(400).toNanos();

    /** What the node knew of the sequence, and whether it was told of less since. */
    private long knownSequence;

    private boolean wasToldLess;

    private long cutUntilNanos;
    private final Scheduler scheduler;
    private final Random random;
    private final SimulatedStore store;
    private final NodeThreads threads;
    private final Scheduler.Owner node;
    private final Faults faults;

    Network(
            Scheduler scheduler,
            Random random,
            SimulatedStore store,
            NodeThreads threads,
            Scheduler.Owner node,
            Faults faults) {
        this.scheduler = scheduler;
        this.random = random;
        this.store = store;
        this.threads = threads;
        this.node = node;
        this.faults = faults;
    }

    /** Nothing of this node reaches the store for a while, while others do. */
    void cutFor(long nanos) {
        cutUntilNanos = scheduler.nowNanos() + nanos;
    }

    /** Whether a reply told of a lower sequence than the node knew when it asked. */
    boolean wasToldLess() {
        return wasToldLess;
    }

    /** What a call has come to. */
    private final class Exchange<T> {
        private final Fiber fiber = Fiber.current();
        private @Nullable T reply;
        private @Nullable RuntimeException failure;
        private boolean isOver;

        private void end(@Nullable T got, @Nullable RuntimeException failed) {
            if (!isOver) {
                isOver = true;
                reply = got;
                failure = failed;
                fiber.resume();
            }
        }
    }

    private <T> T call(Function<RemoteSpike, T> call, ToLongFunction<T> sequence) {
        if (node.isDead()) {
            throw new Fiber.Abandoned();
        }
        Faults.Fate fate =
                faults.draw(random, store.isDown() || scheduler.nowNanos() < cutUntilNanos);
        if (fate == Faults.Fate.NO_CONNECTION) {
            throw new RemoteSpikeException(Kind.NOT_SENT, "no connection", null);
        }
        long known = knownSequence;
        Exchange<T> exchange = new Exchange<>();
        if (fate != Faults.Fate.CALL_LOST) {
            deliver(call, exchange, fate);
        }
        if (fate == Faults.Fate.DELIVERED_TWICE) {
            deliver(call, exchange, fate);
        }
        scheduler.after(REPLY_TIMEOUT, node, () -> exchange.end(null, noReply()));
        threads.await(exchange.fiber);
        if (exchange.failure != null) {
            throw exchange.failure;
        }
        T reply = Objects.requireNonNull(exchange.reply);
        long told = sequence.applyAsLong(reply);
        wasToldLess |= told >= 0 && told < known;
        knownSequence = Math.max(knownSequence, told);
        return reply;
    }

    private static RemoteSpikeException noReply() {
        return new RemoteSpikeException(Kind.UNKNOWN, "no reply", null);
    }

    /** Runs the call in the store after a while, and brings its reply unless that is lost. */
    private <T> void deliver(
            Function<RemoteSpike, T> call, Exchange<T> exchange, Faults.Fate fate) {
        scheduler.after(faults.delay(random, fate), null, () -> {
            if (store.isDown()) {
                return;
            }
            if (fate == Faults.Fate.REFUSED) {
                reply(() -> exchange.end(
                        null, new RemoteSpikeException(Kind.NOT_EXECUTED, "refused", null)));
                return;
            }
            T result = store.run(call);
            if (fate != Faults.Fate.REPLY_LOST) {
                reply(() -> exchange.end(result, null));
            }
        });
    }

    private void reply(Runnable end) {
        scheduler.after(faults.delay(random, Faults.Fate.DELIVERED), node, end);
    }

    private static long none(Object reply) {
        return -1;
    }

    @Override
    public String saleId() {
        return store.stock().saleId();
    }

    @Override
    public Opening open(Sale sale) {
        return call(remote -> remote.open(sale), Network::none);
    }

    @Override
    public @Nullable Sale sale() {
        return store.stock().sale();
    }

    @Override
    public long soldBefore() {
        return 0;
    }

    @Override
    public Levels levels() {
        return call(remote -> SimulatedStore.named(remote.levels()), Levels::sequence);
    }

    @Override
    public Reply reserve(List<Request> batch, long notAfterMillis) {
        return call(
                remote -> named(remote.reserve(batch, notAfterMillis)),
                reply -> reply.levels().sequence());
    }

    @Override
    public Reply settle(List<Settlement> batch, long notAfterMillis) {
        return call(
                remote -> named(remote.settle(batch, notAfterMillis)),
                reply -> reply.levels().sequence());
    }

    private static Reply named(Reply reply) {
        return new Reply(SimulatedStore.named(reply.levels()), reply.answers(), reply.late());
    }

    @Override
    public Sweep expire() {
        return call(
                remote -> {
                    Sweep sweep = remote.expire();
                    return new Sweep(
                            SimulatedStore.named(sweep.levels()),
                            sweep.expired(),
                            sweep.isMore(),
                            sweep.nextDeadline());
                },
                sweep -> sweep.levels().sequence());
    }

    @Override
    public Restock restock(Operation operation) {
        return call(
                remote -> {
                    Restock done = remote.restock(operation);
                    return new Restock(
                            done.effect(), done.applied(), SimulatedStore.named(done.levels()));
                },
                done -> done.levels().sequence());
    }

    @Override
    public Levels closeSale() {
        return call(remote -> SimulatedStore.named(remote.closeSale()), Levels::sequence);
    }

    @Override
    public Levels reopenSale() {
        return call(remote -> SimulatedStore.named(remote.reopenSale()), Levels::sequence);
    }

    @Override
    public @Nullable Progress find(ReservationId id) {
        return store.stock().find(id);
    }

    @Override
    public Page reservations(@Nullable String cursor) {
        return call(remote -> remote.reservations(cursor), Network::none);
    }

    @Override
    public Page reservationsOf(String buyer, @Nullable String cursor) {
        return call(remote -> remote.reservationsOf(buyer, cursor), Network::none);
    }

    @Override
    public List<LogEntry> log(long after) {
        return call(remote -> remote.log(after), Network::none);
    }

    @Override
    public boolean correct(Correction correction) {
        return call(remote -> remote.correct(correction), Network::none);
    }

    @Override
    public Opening openClosed(Sale sale) {
        return call(remote -> remote.openClosed(sale), Network::none);
    }

    @Override
    public Restored restore(List<OrderBook.Order> batch) {
        return call(remote -> remote.restore(batch), Network::none);
    }
}
