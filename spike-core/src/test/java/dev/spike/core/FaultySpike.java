package dev.spike.core;

import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The in-memory stock behind a network that loses calls and replies, and holds them up, on demand.
 */
class FaultySpike implements RemoteSpike {

    enum Fault {
        /** The call runs, its reply is lost. */
        REPLY_LOST(Kind.UNKNOWN),
        /** The call is lost, and the caller cannot know. */
        CALL_LOST(Kind.UNKNOWN),
        /** The store refuses to run the call. */
        REFUSED(Kind.NOT_EXECUTED),
        /** No connection was to be had. */
        NO_CONNECTION(Kind.NOT_SENT),
        /** The store is damaged. */
        DAMAGED(Kind.BROKEN);

        final Kind kind;

        Fault(Kind kind) {
            this.kind = kind;
        }
    }

    /** May be exchanged under the node's feet, as by a restart without its data. */
    volatile RemoteSpike stock;

    private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
    final AtomicInteger reserveCalls = new AtomicInteger();
    final AtomicInteger levelCalls = new AtomicInteger();
    final Queue<List<Request>> batches = new ConcurrentLinkedQueue<>();
    volatile @Nullable Fault always;
    volatile UnaryOperator<Levels> onLevels = UnaryOperator.identity();
    volatile Runnable onReserve = () -> {};
    volatile Runnable afterReserve = () -> {};
    volatile Runnable afterPage = () -> {};
    volatile CountDownLatch gate = new CountDownLatch(0);

    FaultySpike(RemoteSpike stock) {
        this.stock = stock;
    }

    /** The next calls of reserve and settle meet these, in turn. */
    void next(Fault... coming) {
        faults.addAll(List.of(coming));
    }

    /** Calls of reserve wait until the answer is counted down. */
    CountDownLatch hold() {
        gate = new CountDownLatch(1);
        return gate;
    }

    private <T> T through(Supplier<T> call) {
        Fault fault = faults.poll();
        if (fault == null) {
            fault = always;
        }
        if (fault == null) {
            return call.get();
        }
        if (fault == Fault.REPLY_LOST) {
            call.get();
        }
        throw new RemoteSpikeException(fault.kind, fault.toString(), null);
    }

    @Override
    public String saleId() {
        return stock.saleId();
    }

    @Override
    public Opening open(Sale sale) {
        return stock.open(sale);
    }

    @Override
    public @Nullable Sale sale() {
        return stock.sale();
    }

    @Override
    public long soldBefore() {
        return stock.soldBefore();
    }

    @Override
    public Levels levels() {
        levelCalls.incrementAndGet();
        if (always != null) {
            throw new RemoteSpikeException(always.kind, always.toString(), null);
        }
        return onLevels.apply(stock.levels());
    }

    @Override
    public Reply reserve(List<Request> batch, long notAfterMillis) {
        reserveCalls.incrementAndGet();
        batches.add(batch);
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        onReserve.run();
        Reply reply = through(() -> stock.reserve(batch, notAfterMillis));
        afterReserve.run();
        return reply;
    }

    @Override
    public Reply settle(List<Settlement> batch, long notAfterMillis) {
        return through(() -> stock.settle(batch, notAfterMillis));
    }

    @Override
    public Sweep expire() {
        levelCalls.incrementAndGet();
        if (always != null) {
            throw new RemoteSpikeException(always.kind, always.toString(), null);
        }
        Sweep sweep = stock.expire();
        return new Sweep(
                onLevels.apply(sweep.levels()),
                sweep.expired(),
                sweep.isMore(),
                sweep.nextDeadline());
    }

    @Override
    public Restock restock(Operation operation) {
        return through(() -> stock.restock(operation));
    }

    @Override
    public Levels closeSale() {
        return through(stock::closeSale);
    }

    @Override
    public Levels reopenSale() {
        return through(stock::reopenSale);
    }

    @Override
    public Page reservationsOf(String buyer, @Nullable String cursor) {
        return through(() -> stock.reservationsOf(buyer, cursor));
    }

    @Override
    public List<LogEntry> log(long after) {
        return through(() -> stock.log(after));
    }

    @Override
    public boolean correct(Correction correction) {
        return through(() -> stock.correct(correction));
    }

    @Override
    public Opening openClosed(Sale sale) {
        return through(() -> stock.openClosed(sale));
    }

    @Override
    public Restored restore(List<OrderBook.Order> batch) {
        return through(() -> stock.restore(batch));
    }

    @Override
    public @Nullable Progress find(ReservationId id) {
        return through(() -> stock.find(id));
    }

    @Override
    public Page reservations(@Nullable String cursor) {
        Page page = stock.reservations(cursor);
        afterPage.run();
        return page;
    }
}
