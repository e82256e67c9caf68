package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.util.List;
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

    /** A request for units. {@code quantity} is at least 1. */
    record Request(ReservationId id, int quantity) {
        /** @throws IllegalArgumentException if the quantity is not positive */
        public Request {
            Objects.requireNonNull(id, "id");
            Check.quantity(quantity);
        }
    }

    /**
     * A wish to end a reservation: {@code to} is {@link Outcome#CONFIRMED} or
     * {@link Outcome#CANCELLED}.
     */
    record Settlement(ReservationId id, Outcome to) {
        /** @throws IllegalArgumentException if {@code to} is another outcome */
        public Settlement {
            Objects.requireNonNull(id, "id");
            Check.that(
                    to == Outcome.CONFIRMED || to == Outcome.CANCELLED,
                    "CONFIRMED or CANCELLED",
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
     * @param late whether the call ran after its {@code notAfter}, and so changed nothing
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
     * A page of reservations.
     *
     * @param reservations those of this page
     * @param next the cursor of the next page; null after the last
     */
    record Page(List<Reservation> reservations, @Nullable String next) {}

    /** The id of the sale. */
    String saleId();

    /**
     * Opens the sale if it does not exist yet; never changes one that does.
     *
     * @throws IllegalArgumentException if the sale has another id than {@link #saleId}
     */
    Opening open(Sale sale);

    /** The rules of the sale; null if it does not exist. */
    @Nullable
    Sale sale();

    /** The levels now. */
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
     */
    Reply reserve(List<Request> batch, long notAfterMillis);

    /**
     * Confirms or cancels each reservation of the batch, in order. An answer carries the final
     * state of the reservation, which is another than the wished one if that came first, or
     * {@link Outcome#EXPIRED} if the wish came too late; or it is {@link Outcome#NOT_FOUND}.
     *
     * @param batch 1 to {@value #MAX_BATCH} wishes
     * @param notAfterMillis as for {@link #reserve}
     */
    Reply settle(List<Settlement> batch, long notAfterMillis);

    /** The reservation under this id; null if there is none. */
    @Nullable
    Reservation find(ReservationId id);

    /**
     * Reads all reservations page by page, while selling goes on: each that existed when the first
     * page was read is in at least one page.
     *
     * @param cursor null for the first page, then {@link Page#next}
     */
    Page reservations(@Nullable String cursor);
}
