package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The stock of one sale that all nodes share: the only one that may say yes.
 *
 * <p>Implementations write plain blocking code; {@link Spike} calls them from its own threads,
 * retries, and turns errors into outcomes. Every method may be called by many threads and nodes at
 * once, and each call is one atomic step: levels, per-buyer counts, reservations and order log
 * change together or not at all. A call that gets no answer throws a {@link RemoteSpikeException}.
 *
 * <p>Time is the store's own. A reservation whose deadline has passed is {@link Outcome#EXPIRED}
 * from that instant, whether or not its units have come back yet.
 */
public interface RemoteSpike {

    /** The most requests that one batch may hold. */
    int MAX_BATCH = 512;

    /** The most entries in a page of the log. */
    int LOG_PAGE = 100;

    /** The most reservations that one sweep looks at. */
    int MAX_SWEEP = 100;

    /**
     * A request for units.
     *
     * @param id under which they are to be reserved
     * @param quantity units, at least 1
     */
    record Request(ReservationId id, int quantity) {
        /**
         * A request, checked.
         *
         * @param id not null
         * @param quantity units, at least 1
         * @throws IllegalArgumentException if the quantity is not positive
         */
        public Request {
            Objects.requireNonNull(id, "id");
            Check.quantity(quantity);
        }
    }

    /**
     * A wish about a reservation.
     *
     * @param id the reservation
     * @param to {@link Outcome#CONFIRMED}, {@link Outcome#CANCELLED}, or {@link Outcome#RESERVED}
     *     to extend its hold
     */
    record Settlement(ReservationId id, Outcome to) {
        /**
         * A wish, checked.
         *
         * @param id not null
         * @param to one of those three
         * @throws IllegalArgumentException if {@code to} is another outcome
         */
        public Settlement {
            Objects.requireNonNull(id, "id");
            Check.that(
                    to == Outcome.CONFIRMED || to == Outcome.CANCELLED || to == Outcome.RESERVED,
                    "CONFIRMED, CANCELLED or RESERVED",
                    "to",
                    to);
        }
    }

    /**
     * The reply to a batch.
     *
     * @param levels the levels after it
     * @param answers one for each request, in the order of the batch; empty if the call came
     *     {@code late}
     * @param late whether the call ran after its {@code notAfter}, or reserving met levels that are
     *     not the total, and so changed nothing
     */
    record Reply(Levels levels, List<Answer> answers, boolean late) {}

    /** What {@link #open} did. */
    enum Opening {
        /** The sale was opened. */
        OPENED,
        /** The sale was open already, under the same rules; nothing changed. */
        ALREADY_OPEN,
        /** The sale was open already, under other rules; nothing changed. */
        OTHER_RULES
    }

    /**
     * What {@link #expire} did.
     *
     * @param levels the levels after it
     * @param expired how many reservations it ended, at most {@value #MAX_SWEEP}
     * @param isMore whether more are due, so that it should be called again at once
     * @param nextDeadline when there may be something to do again, and if there is more, no later
     *     than the deadline of any hold that is left; null: nothing is held, or there is no such
     *     sale
     */
    record Sweep(
            Levels levels,
            int expired,
            boolean isMore,
            @Nullable Instant nextDeadline) {}

    /**
     * A wish to change the total of a sale.
     *
     * @param id 1 to 64 of {@code A-Z a-z 0-9 _ -}; each is applied once
     * @param delta units to add; negative: to take away
     */
    record Operation(String id, long delta) {
        /**
         * A wish, checked.
         *
         * @param id 1 to 64 of {@code A-Z a-z 0-9 _ -}
         * @param delta units, from -{@value Sale#MAX_TOTAL} to {@value Sale#MAX_TOTAL}, not 0
         * @throws IllegalArgumentException if the id is malformed, or the delta is 0 or beyond
         *     {@link Sale#MAX_TOTAL} either way
         */
        public Operation {
            Check.that(ReservationId.isKey(id), "1 to 64 of A-Z a-z 0-9 _ -", "opId", id);
            Check.that(
                    delta != 0 && Math.abs(delta) <= Sale.MAX_TOTAL,
                    "from -" + Sale.MAX_TOTAL + " to " + Sale.MAX_TOTAL + " and not 0",
                    "delta",
                    delta);
        }
    }

    /**
     * What {@link #restock} did.
     *
     * @param effect what became of the wish
     * @param applied by how many units the total was changed under this operation id, now or
     *     before; may be nearer to 0 than the wish; 0 if it was used with another delta, or there
     *     is no such sale
     * @param levels the levels after it
     */
    record Restock(Effect effect, long applied, Levels levels) {

        /** What became of a wish to change the total. */
        public enum Effect {
            /** The total was changed now. */
            APPLIED,
            /** The operation id was used before with the same delta; nothing changed now. */
            REPEATED,
            /** The operation id was used before with another delta; nothing changed. */
            OTHER_DELTA,
            /** There is no such sale. */
            ABSENT
        }
    }

    /**
     * A page of reservations.
     *
     * @param reservations those of this page
     * @param unitsOfBuyers for each buyer whose first reservation is in this page, how many units
     *     of the buyer, reserved and sold, count towards the per-buyer limit
     * @param next the cursor of the next page; null after the last
     * @param asOf the store's clock when the page was read
     */
    record Page(
            List<Progress> reservations,
            Map<String, Long> unitsOfBuyers,
            @Nullable String next,
            Instant asOf) {}

    /**
     * Levels and counts to put in place of those that damage made wrong.
     *
     * @param sequence at which they were found wrong
     * @param reserved the level as it should be, units
     * @param sold the level as it should be, units
     * @param reservations how many there are
     * @param unitsOfBuyers the counts as they should be, of at most {@value #MAX_BATCH} buyers
     */
    record Correction(
            long sequence,
            long reserved,
            long sold,
            long reservations,
            Map<String, Long> unitsOfBuyers) {
        /**
         * A correction, checked.
         *
         * @param sequence at which the levels were found wrong
         * @param reserved units, at least 0
         * @param sold units, at least 0
         * @param reservations at least 0
         * @param unitsOfBuyers at most {@value #MAX_BATCH} buyers, each with at least 0 units
         * @throws IllegalArgumentException if anything is negative or there are too many buyers
         */
        public Correction {
            Check.that(reserved >= 0, ">= 0", "reserved", reserved);
            Check.that(sold >= 0, ">= 0", "sold", sold);
            Check.that(reservations >= 0, ">= 0", "reservations", reservations);
            unitsOfBuyers = Map.copyOf(unitsOfBuyers);
            Check.that(
                    unitsOfBuyers.values().stream().allMatch(units -> units >= 0),
                    ">= 0",
                    "unitsOfBuyers",
                    unitsOfBuyers);
            Check.that(
                    unitsOfBuyers.size() <= MAX_BATCH,
                    "at most " + MAX_BATCH,
                    "unitsOfBuyers.size",
                    unitsOfBuyers.size());
        }
    }

    /**
     * What became of a batch of orders that were to be restored.
     *
     * @param levels the levels after it
     * @param effects one for each order; empty if the sale is not closed, and nothing changed
     */
    record Restored(Levels levels, List<Effect> effects) {

        /** What became of an order. */
        public enum Effect {
            /** There was no such reservation; it is recorded now. A hold begins anew. */
            ADDED,
            /** It was reserved; it has the order's final state now. */
            SETTLED,
            /** It is recorded as it is in the order, or in its final state already. */
            KNOWN,
            /** It has another quantity, or another final state; nothing changed. */
            DIFFERENT,
            /** It would take more than is available; nothing changed. */
            TOO_MANY;

            /**
             * What is to become of an order.
             *
             * @param known its reservation as it is recorded; null if there is none
             * @param available units
             */
            static Effect of(OrderBook.Order order, @Nullable Reservation known, long available) {
                Outcome status = order.status();
                if (known == null) {
                    boolean takes = status == Outcome.RESERVED || status == Outcome.CONFIRMED;
                    return takes && order.quantity() > available ? TOO_MANY : ADDED;
                }
                Outcome state = known.state();
                if (known.quantity() != order.quantity()
                        || state.isFinal() && status.isFinal() && state != status) {
                    return DIFFERENT;
                }
                return status.isFinal() && !state.isFinal() ? SETTLED : KNOWN;
            }
        }
    }

    /**
     * The id of the sale; without a call.
     *
     * @return 1 to 64 of {@code A-Z a-z 0-9 _ -}
     */
    String saleId();

    /**
     * Opens the sale if it does not exist yet; never changes one that does.
     *
     * @param sale its rules; compared with those that the sale had when it was opened, whatever
     *     changed since
     * @return whether it was opened now, and if not, whether under these rules
     * @throws IllegalArgumentException if the sale has another id than {@link #saleId}
     */
    Opening open(Sale sale);

    /**
     * As {@link #open}, but closed, as by {@link #closeSale}, until it is reopened.
     *
     * @param sale its rules, as for {@link #open}
     * @return as {@link #open} does
     * @throws IllegalArgumentException if the sale has another id than {@link #saleId}
     */
    Opening openClosed(Sale sale);

    /**
     * The rules of the sale, as they are now.
     *
     * @return with the total as it is now; null if the sale does not exist
     */
    @Nullable
    Sale sale();

    /**
     * The units that were sold before the sale was opened, of which there are no reservations; they
     * are part of the total and of what is sold.
     *
     * @return units; more than 0 only where a stock prepared by hand was adopted
     */
    long soldBefore();

    /**
     * The levels now, by one look; changes nothing.
     *
     * @return {@link Levels.Phase#ABSENT} if there is no such sale
     */
    Levels levels();

    /**
     * Reserves for each request of the batch, in order. For each, the first that holds of:
     *
     * <ol>
     *   <li>the key is known: the state of its reservation, as a repeat; {@link Outcome#MISMATCH}
     *       if the quantity is another one,
     *   <li>what {@link Levels#answerTo} says, unless it is {@link Outcome#RESERVED},
     *   <li>{@link Outcome#LIMIT_REACHED}, if the buyer's units, reserved and sold, and this
     *       quantity exceed the limit (those of an expired reservation count until they are
     *       available again),
     *   <li>{@link Outcome#RESERVED}, until the hold time has passed.
     * </ol>
     *
     * @param batch 1 to {@value #MAX_BATCH} requests; a buyer or a key may occur more than once
     * @param notAfterMillis the store's time, in milliseconds of the epoch, after which the call
     *     must change nothing
     * @return an answer for each request, in the order of the batch, unless the call came late
     * @throws IllegalArgumentException if the batch is empty or too large
     */
    Reply reserve(List<Request> batch, long notAfterMillis);

    /**
     * Confirms or cancels each reservation of the batch, or extends its hold, in order. An answer
     * carries the final state of the reservation, which is another than the wished one if that came
     * first, or {@link Outcome#EXPIRED} if the wish came too late; or it is
     * {@link Outcome#NOT_FOUND}.
     *
     * <p>Extending starts the hold time anew: the answer is {@link Outcome#RESERVED} with the new
     * deadline, or {@link Outcome#LIMIT_REACHED}, and nothing changed, if that would be later than
     * the sale's {@link Sale#maxHold} after the reservation was made.
     *
     * @param batch 1 to {@value #MAX_BATCH} wishes
     * @param notAfterMillis as for {@link #reserve}
     * @return an answer for each wish, in the order of the batch, unless the call came late
     * @throws IllegalArgumentException if the batch is empty or too large
     */
    Reply settle(List<Settlement> batch, long notAfterMillis);

    /**
     * Ends unconfirmed reservations whose deadline has passed, the oldest first; their units are
     * available again. Bounded: looks at {@value #MAX_SWEEP} reservations. Any number of nodes may
     * call it at once; they share the work, and do nothing when another one has just swept.
     *
     * @return what it ended, and when to call it again
     */
    Sweep expire();

    /**
     * Raises or lowers the total, once for each operation id. A reduction takes only units that are
     * available; no total grows beyond {@link Sale#MAX_TOTAL}.
     *
     * @param operation the wish; a repeat of it is told what it did the first time
     * @return by how much the total was changed, and the levels after it
     */
    Restock restock(Operation operation);

    /**
     * Closes the sale from now on; reservations live on. Without effect if it is closed.
     *
     * @return the levels after it; {@link Levels.Phase#ABSENT} if there is no such sale
     */
    Levels closeSale();

    /**
     * Takes back {@link #closeSale}, and the closing time if it has passed. Without effect if the
     * sale is not closed.
     *
     * @return the levels after it; {@link Levels.Phase#ABSENT} if there is no such sale
     */
    Levels reopenSale();

    /**
     * The reservation under this id, and how far it is.
     *
     * @param id its buyer and key
     * @return as it is by the store's clock; null if there is none, or no such sale
     */
    @Nullable
    Progress find(ReservationId id);

    /**
     * Reads all reservations page by page, as they are recorded, while selling goes on: each that
     * existed when the first page was read is in at least one page. A hold whose deadline has
     * passed is {@link Outcome#RESERVED} here until {@link #expire} or a settlement ended it.
     *
     * @param cursor null for the first page, then {@link Page#next}
     * @return those of the page; none, and no next page, if there is no such sale
     */
    Page reservations(@Nullable String cursor);

    /**
     * Reads a buyer's reservations page by page, as they are recorded: the first one, then the
     * others from the newest on. A hold whose deadline has passed is {@link Outcome#RESERVED} here,
     * too.
     *
     * @param buyer see {@link ReservationId}
     * @param cursor null for the first page, then {@link Page#next}
     * @return those of the page; none, and no next page, if the buyer has none
     * @throws IllegalArgumentException if the buyer or the cursor is malformed
     */
    Page reservationsOf(String buyer, @Nullable String cursor);

    /**
     * Reads the order log, a page of at most {@value #LOG_PAGE} entries. Entries that everybody has
     * done with may be gone.
     *
     * @param after the sequence of the last entry that is not wanted; 0: from the start
     * @return the entries, ascending; none: there is none yet
     */
    List<LogEntry> log(long after);

    /**
     * Puts right what damage made wrong, as one more change in the log; the total stays as it is.
     *
     * @param correction the levels and counts as they should be, and the sequence at which they
     *     were found wrong
     * @return false, and nothing changed, if the sale changed since
     * @throws IllegalArgumentException if reserved and sold exceed the total
     */
    boolean correct(Correction correction);

    /**
     * Records, in a sale that is closed, what an order book tells of reservations that the store
     * lost, in order. Never takes anything back, and does not look at the buyers' limits.
     *
     * @param batch 1 to {@value #MAX_BATCH} orders, each of another reservation
     * @return what became of each order; of none, if the sale is not closed
     */
    Restored restore(List<OrderBook.Order> batch);
}
