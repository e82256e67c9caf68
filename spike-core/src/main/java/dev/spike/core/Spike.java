package dev.spike.core;

import dev.spike.core.Gate.Refusal;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.SpikeListener.Call;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * One sale on one node: the pre-deduction. A request goes through, in order:
 *
 * <ol>
 *   <li><b>local NO</b>: what the shared stock cannot serve, as far as this node knows, is refused
 *       at once, without any call, lock or allocation,
 *   <li><b>quota</b>: the request takes its units from this node's {@link LocalSpike}; when that is
 *       used up, the node looks at the shared levels first, and nobody is refused for want of
 *       quota,
 *   <li><b>group commit</b>: one call to the {@link RemoteSpike} is in flight, two when a whole
 *       batch waits, and what arrives meanwhile is the next call's batch; each request gets its own
 *       answer,
 *   <li><b>no answer</b>: the same batch is sent again until its deadline; then what may have run
 *       is {@link Outcome#UNKNOWN}, and what certainly never ran is {@link Outcome#UNAVAILABLE}.
 * </ol>
 *
 * <p>A background look at the levels reopens the local gate when units came back through another
 * node, and ends the holds whose time has passed. A repeat under the same buyer and key gets the
 * same answer on every node, also when the sale is sold out. When the shared stock turns out to
 * have lost writes or to be damaged, the node stops selling this sale for good and
 * {@link #haltReason} says why.
 *
 * <p>Safe for use by many threads. The {@code Async} methods never block; their stages complete
 * normally, at the latest a twentieth of the timeout after it has passed, on a thread of this
 * class. A continuation must not block there: it would hold up every other answer of this sale, so
 * hand slow ones to an executor of yours. Requests that do not wait for each other's answers may be
 * served in any order. The methods that reserve, settle or find never throw for want of an answer;
 * all throw {@link IllegalArgumentException} for malformed arguments and
 * {@link NullPointerException} for null. A thread that is interrupted before it calls a blocking
 * method is told {@link Outcome#UNAVAILABLE}, one that is interrupted while it waits,
 * {@link Outcome#UNKNOWN}; both stay interrupted. After {@link #close}, requests that would need
 * the shared stock are {@link Outcome#UNAVAILABLE}.
 */
public final class Spike implements AutoCloseable {

    private static final Duration AFTER_INTERRUPT = Duration.ofMillis(100);

    private final RemoteSpike remote;
    private final Telling telling;
    private final GateKeeper gateKeeper;
    private final Sweeping sweeping;
    private final Reserving reserving;
    private final GroupCommit<Reserving.Asked> reserves;
    private final GroupCommit<Settlement> settles;
    private final RandomKeys keys = new RandomKeys();
    private final LongSupplier nanoTime;
    private final Duration timeout;
    private final int queueLimit;
    private final Runnable stopThreads;
    private final Future<?> ticking;
    private final AtomicBoolean closed = new AtomicBoolean();

    Spike(
            RemoteSpike remote,
            SpikeBuilder options,
            Executor calls,
            ScheduledExecutorService timer,
            Runnable stopThreads) {
        this.remote = remote;
        this.nanoTime = options.nanoTime;
        this.timeout = options.timeout;
        this.queueLimit = options.queueLimit;
        this.stopThreads = stopThreads;
        this.telling = new Telling(remote.saleId(), options);
        this.gateKeeper = new GateKeeper(remote, telling, options, calls, timer);
        this.reserving = new Reserving(remote, gateKeeper, telling, options);
        this.reserves = new GroupCommit<>(reserving, options, calls, timer);
        this.settles =
                new GroupCommit<>(new Settling(remote, gateKeeper, telling), options, calls, timer);
        this.sweeping = new Sweeping(remote, gateKeeper, telling, options, calls, timer);
        sweeping.start();
        long tickNanos = Math.max(1_000_000, timeout.toNanos() / 20);
        this.ticking = timer.scheduleWithFixedDelay(
                this::tick, tickNanos, tickNanos, TimeUnit.NANOSECONDS);
    }

    /**
     * A node of a sale with the default options; see {@link #builder}.
     *
     * @param remote the shared stock of the sale, which need not be open yet; not closed with the
     *     node
     * @return a running node, to be closed
     */
    public static Spike start(RemoteSpike remote) {
        return builder(remote).start();
    }

    /**
     * Options for a node of a sale.
     *
     * @param remote the shared stock of the sale, which need not be open yet; not closed with the
     *     node
     * @return options, each with its default
     */
    public static SpikeBuilder builder(RemoteSpike remote) {
        return new SpikeBuilder(remote);
    }

    /**
     * Reserves units for a buyer without a name, who is one of its own. Blocks until answered, at
     * most about the timeout.
     *
     * @param quantity units, at least 1
     * @return with {@link Outcome#RESERVED}, or why not
     */
    public Answer reserve(int quantity) {
        Check.quantity(quantity);
        Answer no = gateKeeper.answerToAll();
        return no != null ? no : reserveNew(quantity);
    }

    private Answer reserveNew(int quantity) {
        Refusal refusal = refusal(quantity);
        return refusal != null
                ? refusal.answer()
                : await(() -> ask(newAnonymousId(), true, quantity));
    }

    /**
     * Reserves units under a new key. Blocks until answered, at most about the timeout.
     *
     * @param buyer see {@link ReservationId}
     * @param quantity units, at least 1
     * @return with {@link Outcome#RESERVED}, or why not
     */
    public Answer reserve(String buyer, int quantity) {
        Refusal refusal = refusal(buyer, quantity);
        return refusal != null
                ? refusal.answer()
                : await(() -> ask(new ReservationId(buyer, keys.next()), true, quantity));
    }

    /**
     * Reserves units under the caller's key. Blocks until answered, at most about the timeout.
     *
     * @param buyer see {@link ReservationId}
     * @param key see {@link ReservationId}; a repeat with the same buyer, key and quantity gets the
     *     same reservation
     * @param quantity units, at least 1
     * @return with {@link Outcome#RESERVED}; with a final state, if an earlier reservation under
     *     this key has come to it; or why not
     */
    public Answer reserve(String buyer, String key, int quantity) {
        Refusal refusal = refusal(buyer, key, quantity);
        return refusal != null
                ? refusal.answer()
                : await(() -> ask(new ReservationId(buyer, key), false, quantity));
    }

    /**
     * Like {@link #reserve(int)}, without blocking.
     *
     * @param quantity units, at least 1
     * @return with {@link Outcome#RESERVED}, or why not; never completes exceptionally
     */
    public CompletionStage<Answer> reserveAsync(int quantity) {
        Refusal refusal = refusal(quantity);
        return refusal != null
                ? refusal.stage()
                : ask(newAnonymousId(), true, quantity).minimalCompletionStage();
    }

    /**
     * Like {@link #reserve(String, int)}, without blocking.
     *
     * @param buyer see {@link ReservationId}
     * @param quantity units, at least 1
     * @return with {@link Outcome#RESERVED}, or why not; never completes exceptionally
     */
    public CompletionStage<Answer> reserveAsync(String buyer, int quantity) {
        Refusal refusal = refusal(buyer, quantity);
        return refusal != null
                ? refusal.stage()
                : ask(new ReservationId(buyer, keys.next()), true, quantity)
                        .minimalCompletionStage();
    }

    /**
     * Like {@link #reserve(String, String, int)}, without blocking.
     *
     * @param buyer see {@link ReservationId}
     * @param key see {@link ReservationId}; with {@link Outcome#UNKNOWN}, ask again under the same
     *     one
     * @param quantity units, at least 1
     * @return with {@link Outcome#RESERVED}, a final state, or why not; never completes
     *     exceptionally
     */
    public CompletionStage<Answer> reserveAsync(String buyer, String key, int quantity) {
        Refusal refusal = refusal(buyer, key, quantity);
        return refusal != null
                ? refusal.stage()
                : ask(new ReservationId(buyer, key), false, quantity).minimalCompletionStage();
    }

    /**
     * Confirms a reservation: its units are sold. Blocks until answered, at most about the timeout.
     *
     * @param id of the reservation, from {@link Answer#id}
     * @return with the final state of the reservation: {@link Outcome#CONFIRMED}, or another that
     *     came first; else {@link Outcome#NOT_FOUND}, {@link Outcome#UNAVAILABLE} or
     *     {@link Outcome#UNKNOWN}
     */
    public Answer confirm(ReservationId id) {
        return await(() -> settle(id, Outcome.CONFIRMED));
    }

    /**
     * Like {@link #confirm}, without blocking.
     *
     * @param id of the reservation
     * @return what {@link #confirm} answers; never completes exceptionally
     */
    public CompletionStage<Answer> confirmAsync(ReservationId id) {
        return settle(id, Outcome.CONFIRMED).minimalCompletionStage();
    }

    /**
     * Cancels a reservation: its units are available again, at once on this node. Blocks until
     * answered, at most about the timeout.
     *
     * @param id of the reservation, from {@link Answer#id}
     * @return with the final state of the reservation: {@link Outcome#CANCELLED}, or another that
     *     came first; else as {@link #confirm}
     */
    public Answer cancel(ReservationId id) {
        return await(() -> settle(id, Outcome.CANCELLED));
    }

    /**
     * Like {@link #cancel}, without blocking.
     *
     * @param id of the reservation
     * @return what {@link #cancel} answers; never completes exceptionally
     */
    public CompletionStage<Answer> cancelAsync(ReservationId id) {
        return settle(id, Outcome.CANCELLED).minimalCompletionStage();
    }

    /**
     * Extends the hold of an unconfirmed reservation: its hold time starts anew. Blocks until
     * answered, at most about the timeout.
     *
     * @param id of the reservation, from {@link Answer#id}
     * @return with {@link Outcome#RESERVED} and the new deadline; {@link Outcome#LIMIT_REACHED} if
     *     that would be later than the sale's {@link Sale#maxHold} allows; a final state, if the
     *     reservation has come to it; else {@link Outcome#NOT_FOUND}, {@link Outcome#UNAVAILABLE}
     *     or {@link Outcome#UNKNOWN}
     */
    public Answer extend(ReservationId id) {
        return await(() -> settle(id, Outcome.RESERVED));
    }

    /**
     * Like {@link #extend}, without blocking.
     *
     * @param id of the reservation
     * @return what {@link #extend} answers; never completes exceptionally
     */
    public CompletionStage<Answer> extendAsync(ReservationId id) {
        return settle(id, Outcome.RESERVED).minimalCompletionStage();
    }

    /**
     * Looks a reservation up in the shared stock, blocking.
     *
     * @param id of the reservation
     * @return with its state, {@link Outcome#NOT_FOUND} or {@link Outcome#UNAVAILABLE}
     */
    public Answer find(ReservationId id) {
        try {
            return progress(id)
                    .map(found -> Answer.of(found.reservation(), true))
                    .orElse(Answer.of(Outcome.NOT_FOUND));
        } catch (RemoteSpikeException noAnswer) {
            return Answer.later(Outcome.UNAVAILABLE, timeout);
        }
    }

    /**
     * Looks up how far a reservation has come, and whether its order is written; blocking.
     *
     * @param id of the reservation
     * @return empty if there is no such reservation
     * @throws RemoteSpikeException if the shared stock gave no answer
     */
    public Optional<Progress> progress(ReservationId id) {
        return Optional.ofNullable(telling.call(Call.FIND, 1, false, () -> remote.find(id)));
    }

    /**
     * Looks up a page of a buyer's reservations, blocking: the first one, then the others from the
     * newest on.
     *
     * @param buyer see {@link ReservationId}
     * @param cursor null for the first page, then {@link RemoteSpike.Page#next}
     * @return those of the page, each as it is by the store's clock, and the cursor of the next
     * @throws RemoteSpikeException if the shared stock gave no answer
     */
    public RemoteSpike.Page reservationsOf(String buyer, @Nullable String cursor) {
        RemoteSpike.Page page =
                telling.call(Call.FIND, 1, false, () -> remote.reservationsOf(buyer, cursor));
        return new RemoteSpike.Page(
                page.reservations().stream()
                        .map(progress -> progress.asOf(page.asOf()))
                        .toList(),
                page.unitsOfBuyers(),
                page.next(),
                page.asOf());
    }

    /**
     * Opens the sale in the shared stock if it does not exist yet, blocking; this node sells it at
     * once.
     *
     * @param sale its rules, under the id of this node's stock
     * @return whether it was opened now, and if not, whether under these rules
     * @throws RemoteSpikeException if the shared stock gave no answer; opening again is safe
     * @throws IllegalArgumentException if the sale has another id than the stock
     */
    public RemoteSpike.Opening open(Sale sale) {
        RemoteSpike.Opening opening = remote.open(sale);
        sweeping.sweep();
        return opening;
    }

    /**
     * The rules of the sale as they are in the shared stock, blocking.
     *
     * @return with the total as it is now; empty if there is none
     * @throws RemoteSpikeException if the shared stock gave no answer
     */
    public Optional<Sale> sale() {
        return Optional.ofNullable(remote.sale());
    }

    /**
     * Raises or lowers the total while selling, blocking; see {@link RemoteSpike#restock}. This
     * node knows it at once, the others with their next sync.
     *
     * @param opId names this change, so that repeating it is safe
     * @param delta units to add; negative: to take away, as far as they are available
     * @return by how much the total was changed, now or when it was first asked for
     * @throws RemoteSpikeException if the shared stock gave no answer
     * @throws IllegalArgumentException if opId or delta is malformed, see
     *     {@link RemoteSpike.Operation}
     */
    public RemoteSpike.Restock restock(String opId, long delta) {
        RemoteSpike.Restock restock = remote.restock(new RemoteSpike.Operation(opId, delta));
        sweeping.sweep();
        return restock;
    }

    /**
     * Closes the sale by hand, blocking: new reservations are {@link Outcome#CLOSED}, those there
     * are live on.
     *
     * @return the levels after it; {@link Levels.Phase#ABSENT} if there is no such sale
     * @throws RemoteSpikeException if the shared stock gave no answer; closing again is safe
     */
    public Levels closeSale() {
        Levels levels = remote.closeSale();
        sweeping.sweep();
        return levels;
    }

    /**
     * Opens a closed sale again, blocking, whether it was closed by hand or by its closing time,
     * which is then gone.
     *
     * @return the levels after it; {@link Levels.Phase#ABSENT} if there is no such sale
     * @throws RemoteSpikeException if the shared stock gave no answer; reopening again is safe
     */
    public Levels reopenSale() {
        Levels levels = remote.reopenSale();
        sweeping.sweep();
        return levels;
    }

    /**
     * Compares the levels with the reservations, the buyers' counts, the log and, if one is given,
     * the orders; blocking, page by page, also while selling. Changes nothing.
     *
     * @param book the orders; null: not audited
     * @return empty if there is no such sale
     * @throws RemoteSpikeException if the shared stock or the book gave no answer
     */
    public Optional<Audit> audit(@Nullable OrderBook book) {
        return Optional.ofNullable(new Auditor(remote, book).run());
    }

    /**
     * Audits, and puts right what can be: levels and buyers' counts by the reservations, missing
     * orders by writing them again. Never takes an order away. Blocking. Levels and counts are only
     * corrected if the sale did not change meanwhile.
     *
     * @param dryRun only tell what would be done
     * @param book the orders; null: not audited
     * @param sink where orders are written; null: none are
     * @return empty if there is no such sale
     * @throws RemoteSpikeException if the audit got no answer from the shared stock or the book
     */
    public Optional<Repair> repair(
            boolean dryRun, @Nullable OrderBook book, @Nullable OrderSink sink) {
        return audit(book).map(audit -> new Repairs(remote, sink, audit).run(dryRun));
    }

    /**
     * Looks at the shared levels now and ends holds that are due, blocking.
     *
     * @return the levels as they are now; empty if the shared stock gave no answer
     */
    public Optional<Levels> sync() {
        return sweeping.sweep() != null ? levels() : Optional.empty();
    }

    /**
     * The levels as this node last saw them, without a call.
     *
     * @return empty until the shared stock has answered once
     */
    public Optional<Levels> levels() {
        return Optional.ofNullable(gateKeeper.gate().levels());
    }

    /**
     * How long ago the {@link #levels} were asked for, by this node's elapsed time; while there are
     * none, how long ago the node started. Replies and the background look keep it below about the
     * sync interval, unless the shared stock does not answer, or the node has halted.
     *
     * @return at least zero
     */
    public Duration levelsAge() {
        return gateKeeper.levelsAge();
    }

    /**
     * How long the oldest hold is overdue that this node knows of and does not know to be ended.
     * Its units come back with the next sweep of any node.
     *
     * @return at most so long; zero: none is
     */
    public Duration expiryLag() {
        return sweeping.lag();
    }

    /**
     * How many requests for units wait for a call to the shared stock; those in one do not.
     *
     * @return at most {@link #queueLimit}
     */
    public int reservesQueued() {
        return reserves.queued();
    }

    /**
     * How many requests to confirm, cancel or extend wait for a call to the shared stock.
     *
     * @return at most {@link #queueLimit}
     */
    public int settlesQueued() {
        return settles.queued();
    }

    /**
     * How many requests of each kind may wait; see {@link SpikeBuilder#queueLimit}.
     *
     * @return at least 1
     */
    public int queueLimit() {
        return queueLimit;
    }

    /**
     * The units that this node may still ask for before it looks at the shared levels again.
     *
     * @return units, at least 0
     */
    public long quota() {
        return reserving.quota();
    }

    /**
     * The units that this node has reserved for buyers since it started, also those that came back
     * later.
     *
     * @return units; not those of repeats
     */
    public long unitsReserved() {
        return reserving.unitsReserved();
    }

    /**
     * Why this node stopped selling this sale for good; without a call.
     *
     * @return in words, for an operator; empty while it sells
     */
    public Optional<String> haltReason() {
        return Optional.ofNullable(gateKeeper.gate().haltReason());
    }

    /**
     * Refuses new requests, waits until those under way are answered, at most about the timeout,
     * and stops the threads that it started. Interrupted, it no longer waits: what is under way is
     * then given up.
     */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            long end = nanoTime.getAsLong() + timeout.plusMillis(200).toNanos();
            sweeping.stop();
            gateKeeper.stop();
            reserves.refuse();
            settles.refuse();
            reserves.finish(end);
            settles.finish(end);
            ticking.cancel(false);
            stopThreads.run();
            reserves.giveUpAll();
            settles.giveUpAll();
        }
    }

    private @Nullable Refusal refusal(int quantity) {
        Check.quantity(quantity);
        return told(gateKeeper.gate().refusal(quantity, nanoTime));
    }

    private @Nullable Refusal refusal(String buyer, int quantity) {
        ReservationId.requireBuyer(buyer);
        return refusal(quantity);
    }

    private @Nullable Refusal refusal(String buyer, String key, int quantity) {
        Check.quantity(quantity);
        ReservationId.requireBuyer(buyer);
        ReservationId.requireKey(key);
        Gate gate = gateKeeper.gate();
        if (gate.wantsUsedKeys()) {
            gateKeeper.loadUsedKeys();
        }
        return told(gate.refusal(buyer, key, quantity, nanoTime));
    }

    private @Nullable Refusal told(@Nullable Refusal refusal) {
        if (refusal != null) {
            telling.answered(refusal.answer().outcome(), true);
        }
        return refusal;
    }

    private CompletableFuture<Answer> ask(ReservationId id, boolean isNewKey, int quantity) {
        return reserves.submit(reserving.ask(id, isNewKey, quantity));
    }

    private CompletableFuture<Answer> settle(ReservationId id, Outcome to) {
        return settles.submit(new Settlement(Objects.requireNonNull(id, "id"), to));
    }

    private ReservationId newAnonymousId() {
        String key = keys.next();
        return new ReservationId(key, key);
    }

    /** An interrupted caller sends nothing; one interrupted while waiting cannot know. */
    private static Answer await(Supplier<CompletableFuture<Answer>> request) {
        if (Thread.currentThread().isInterrupted()) {
            return Answer.later(Outcome.UNAVAILABLE, AFTER_INTERRUPT);
        }
        try {
            return request.get().get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return Answer.later(Outcome.UNKNOWN, AFTER_INTERRUPT);
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private void tick() {
        gateKeeper.forgetWhatIsTooOld();
        reserves.giveUpOverdue();
        settles.giveUpOverdue();
    }
}
