package dev.spike.core;

import java.time.Instant;
import java.util.Objects;

/**
 * A change of one reservation, as the order log records it: it was made, or came to its end.
 *
 * <p>Each event tells all of its reservation, so that whoever sees the end first can write the
 * whole order.
 *
 * @param sequence of the change; grows with every change of the sale, and is shared by the events
 *     of one batch
 * @param id the reservation
 * @param quantity its units, at least 1
 * @param state what it became: {@link Outcome#RESERVED} or a final state
 * @param reservedAt when it was made, by the store's clock
 * @param at when this happened, by the store's clock
 */
public record OrderEvent(
        long sequence,
        ReservationId id,
        int quantity,
        Outcome state,
        Instant reservedAt,
        Instant at) {

    /**
     * An event, checked.
     *
     * @param sequence of the change
     * @param id not null
     * @param quantity units, at least 1
     * @param state {@link Outcome#RESERVED} or a final state
     * @param reservedAt not null
     * @param at not null
     * @throws IllegalArgumentException if the quantity is not positive or the state is none of a
     *     reservation
     */
    public OrderEvent {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(reservedAt, "reservedAt");
        Objects.requireNonNull(at, "at");
        Check.quantity(quantity);
        Check.stateOfReservation(state);
    }
}
