package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * The answer to one request.
 *
 * @param outcome what became of it
 * @param id the reservation's id; with {@link Outcome#UNKNOWN} that of the one that may have been
 *     made, so that it can be looked up or ended; null with every refusal
 * @param reservation the reservation that the answer is about; null when there is none, as with
 *     every refusal
 * @param repeated whether the reservation had this state before the request came: a repeat of an
 *     earlier one, or of this one, if the reply to its first try was lost
 * @param retryAfter for {@link Outcome#UNAVAILABLE} and {@link Outcome#UNKNOWN} a suggested delay
 *     before the next try; else zero
 */
public record Answer(
        Outcome outcome,
        @Nullable ReservationId id,
        @Nullable Reservation reservation,
        boolean repeated,
        Duration retryAfter) {

    /**
     * An answer about a reservation.
     *
     * @param reservation that it is about
     * @param repeated whether the reservation had this state before the request came
     * @return with the reservation's state as its outcome
     */
    public static Answer of(Reservation reservation, boolean repeated) {
        return new Answer(
                reservation.state(), reservation.id(), reservation, repeated, Duration.ZERO);
    }

    /**
     * An answer without a reservation.
     *
     * @param outcome a refusal, or {@link Outcome#NOT_FOUND}
     * @return neither repeated nor with a delay
     */
    public static Answer of(Outcome outcome) {
        return new Answer(outcome, null, null, false, Duration.ZERO);
    }

    /**
     * An answer that is none yet.
     *
     * @param outcome {@link Outcome#UNAVAILABLE} or {@link Outcome#UNKNOWN}
     * @param retryAfter a suggested delay before the next try
     * @return without an id: of a reservation that nobody need look up
     */
    public static Answer later(Outcome outcome, Duration retryAfter) {
        return new Answer(outcome, null, null, false, retryAfter);
    }

    /** {@link Outcome#UNKNOWN}, of a reservation under this id. */
    static Answer unknown(ReservationId id, Duration retryAfter) {
        return new Answer(Outcome.UNKNOWN, id, null, false, retryAfter);
    }
}
