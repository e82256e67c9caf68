package dev.spike.bench.fault;

import dev.spike.bench.fault.Told.Verb;
import dev.spike.bench.rig.Wait;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The load: buyers who reserve, repeat themselves at other nodes, confirm, cancel, extend, look up
 * or leave, and operators who change the total and the hours. Who does not know what was done asks
 * again until it is known.
 */
final class Shoppers implements AutoCloseable {

    private static final int MOST_AT_ONCE = 200;
    private static final int NEIGHBOURS = 50;
    private static final int PLENTY = 1_000;

    private final Asker asker;
    private final int nodes;
    private final int perBuyer;
    private final int holdMillis;
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "shoppers");
                thread.setDaemon(true);
                return thread;
            });
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger keys = new AtomicInteger();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean closing;

    Shoppers(Asker asker, int nodes, Sale sale) {
        this.asker = asker;
        this.nodes = nodes;
        this.perBuyer = sale.perBuyer();
        this.holdMillis = (int) sale.hold().toMillis();
    }

    /**
     * Lets them come from now on.
     *
     * @param perSecond how many buyers, on the average, unless too many are under way
     */
    void start(int perSecond) {
        timer.scheduleAtFixedRate(
                () -> {
                    if (!closing && underWay.get() < MOST_AT_ONCE) {
                        begin(this::visit);
                    }
                },
                0,
                1_000_000 / perSecond,
                TimeUnit.MICROSECONDS);
        begin(this::operate);
    }

    private void begin(Supplier<CompletableFuture<?>> what) {
        underWay.incrementAndGet();
        what.get().whenComplete((done, failure) -> {
            if (failure != null) {
                failures.add(failure);
            }
            underWay.decrementAndGet();
        });
    }

    private CompletableFuture<?> visit() {
        // Each comes some ten times, near each other, so that many reach their limit, but not all.
        int visit = keys.incrementAndGet();
        String buyer = "buyer-" + (visit / 10 + draw(0, NEIGHBOURS));
        ReservationId id = new ReservationId(buyer, "key-" + visit + "-of-soak");
        int quantity = draw(1, Math.min(3, perBuyer) + 1);
        return untilKnown(Verb.RESERVE, id, quantity).thenCompose(told -> {
            if (told.outcome() == Outcome.RESERVED) {
                return goOn(id, quantity);
            }
            // Told no, which must be as true of the same key elsewhere.
            return isDrawn(15) ? untilKnown(Verb.RESERVE, id, quantity) : done(told);
        });
    }

    /** With a reservation in hand. */
    private CompletableFuture<Told> goOn(ReservationId id, int quantity) {
        CompletableFuture<Told> repeated = isDrawn(25)
                ? untilKnown(Verb.RESERVE, id, isDrawn(10) ? quantity + 1 : quantity)
                : after(draw(0, 500), () -> untilKnown(Verb.FIND, id, quantity));
        return repeated.thenCompose(same -> {
                    int what = draw(0, 100);
                    if (what < 12) {
                        return untilKnown(Verb.CONFIRM, id, quantity);
                    } else if (what < 35) {
                        return untilKnown(Verb.CANCEL, id, quantity);
                    } else if (what < 45) {
                        return after(
                                        draw(0, holdMillis),
                                        () -> untilKnown(Verb.EXTEND, id, quantity))
                                .thenCompose(longer -> after(
                                        draw(0, holdMillis),
                                        () -> untilKnown(Verb.CONFIRM, id, quantity)));
                    }
                    return done(same);
                })
                .thenCompose(settled -> isDrawn(60)
                        ? after(
                                draw(0, 2 * holdMillis),
                                () -> untilKnown(
                                        isDrawn(50) ? Verb.FIND : Verb.RESERVE, id, quantity))
                        : done(settled));
    }

    /** Asks one node after the other until one knows. */
    private CompletableFuture<Told> untilKnown(Verb verb, ReservationId id, int quantity) {
        return untilKnown(() -> asker.ask(verb, anyNode(), id, quantity));
    }

    private CompletableFuture<Told> untilKnown(Supplier<CompletableFuture<Told>> request) {
        return request.get()
                .thenCompose(told -> told.isOpen()
                        ? after(draw(100, 1_500), () -> untilKnown(request))
                        : done(told));
    }

    /** What operators do, one thing after the other. */
    private CompletableFuture<?> operate() {
        int what = draw(0, 100);
        CompletableFuture<Told> done;
        if (what < 50) {
            done = restock(draw(1, 20));
        } else if (what < 80) {
            done = restock(-draw(1, 16));
        } else if (what < 88) {
            // Plenty for a while: a refusal from before is false then.
            done = restock(PLENTY)
                    .thenCompose(more ->
                            after(draw(holdMillis, 2 * holdMillis), () -> restock(-PLENTY)));
        } else {
            done = untilKnown(() -> asker.hours(Verb.CLOSE, anyNode()))
                    .thenCompose(closed -> after(draw(200, 1_000), this::reopen));
        }
        return done.thenCompose(told -> after(draw(300, 1_200), () -> {
            if (closing) {
                return reopen();
            }
            begin(this::operate);
            return done(told);
        }));
    }

    private CompletableFuture<Told> restock(long delta) {
        String opId = "operation-" + keys.incrementAndGet();
        return untilKnown(() -> asker.restock(anyNode(), opId, delta));
    }

    private CompletableFuture<Told> reopen() {
        return untilKnown(() -> asker.hours(Verb.REOPEN, anyNode()));
    }

    private <T> CompletableFuture<T> after(long millis, Supplier<CompletableFuture<T>> next) {
        Executor later = CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS, timer);
        return CompletableFuture.supplyAsync(next, later).thenCompose(begun -> begun);
    }

    private static CompletableFuture<Told> done(Told told) {
        return CompletableFuture.completedFuture(told);
    }

    private int anyNode() {
        return draw(0, nodes);
    }

    private static boolean isDrawn(int percent) {
        return draw(0, 100) < percent;
    }

    private static int draw(int from, int to) {
        return ThreadLocalRandom.current().nextInt(from, to);
    }

    /** Lets nobody come any more, and waits until all know what was done. */
    void finish() {
        closing = true;
        Wait.until("all requests are answered", () -> underWay.get() == 0);
    }

    /** What went wrong with the load itself. */
    List<Throwable> failures() {
        return List.copyOf(failures);
    }

    @Override
    public void close() {
        closing = true;
        timer.shutdownNow();
    }
}
