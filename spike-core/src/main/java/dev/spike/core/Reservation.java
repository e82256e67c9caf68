package dev.spike.core;

import java.time.Instant;
import java.util.Objects;

/**
 * A quantity taken for a buyer.
 *
 * @param id the buyer and the caller's key
 * @param quantity units, at least 1
 * @param state {@link Outcome#RESERVED} or a final state
 * @param expiresAt when the hold ends, or would have ended, by the store's clock
 */
public record Reservation(ReservationId id, int quantity, Outcome state, Instant expiresAt) {

    /**
     * A reservation, checked.
     *
     * @param id not null
     * @param quantity units, at least 1
     * @param state {@link Outcome#RESERVED} or a final state
     * @param expiresAt not null
     * @throws IllegalArgumentException if the quantity is not positive or the state is none of a
     *     reservation
     */
    public Reservation {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(expiresAt, "expiresAt");
        Check.quantity(quantity);
        Check.stateOfReservation(state);
    }

    Reservation with(Outcome newState, Instant newDeadline) {
        return new Reservation(id, quantity, newState, newDeadline);
    }
}
