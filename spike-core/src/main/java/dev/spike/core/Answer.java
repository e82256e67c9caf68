package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Duration;

/**
 * The answer to one request.
 *
 * @param outcome what became of it
 * @param reservation the reservation that the answer is about; null when there is none, as with
 *     every refusal
 * @param repeated whether the reservation had this state before the request came: a repeat of an
 *     earlier one, or of this one, if the reply to its first try was lost
 * @param retryAfter for {@link Outcome#UNAVAILABLE} and {@link Outcome#UNKNOWN} a suggested delay
 *     before the next try; else zero
 */
public record Answer(
        Outcome outcome, @Nullable Reservation reservation, boolean repeated, Duration retryAfter) {

    /** An answer about a reservation, which is in the state that the outcome says. */
    public static Answer of(Reservation reservation, boolean repeated) {
        return new Answer(reservation.state(), reservation, repeated, Duration.ZERO);
    }

    /** An answer without a reservation. */
    public static Answer of(Outcome outcome) {
        return new Answer(outcome, null, false, Duration.ZERO);
    }

    /**
     * {@link Outcome#UNAVAILABLE} or {@link Outcome#UNKNOWN}, with a suggested delay before the
     * next try.
     */
    public static Answer later(Outcome outcome, Duration retryAfter) {
        return new Answer(outcome, null, false, retryAfter);
    }
}
