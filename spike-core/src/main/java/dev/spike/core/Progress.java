package dev.spike.core;

import java.time.Instant;

/**
 * How far a reservation has come.
 *
 * @param reservation as it is
 * @param reservedAt when it was made, by the store's clock
 * @param sequence of its last change
 * @param orderWritten whether everyone who reads the order log has acknowledged that change: the
 *     order is written as the reservation is, or was put aside, which an audit tells
 */
public record Progress(
        Reservation reservation, Instant reservedAt, long sequence, boolean orderWritten) {

    /**
     * The same at a moment of the store's clock: a hold whose deadline has passed is
     * {@link Outcome#EXPIRED}, and no order says so yet.
     *
     * @param now the store's clock, as in {@link RemoteSpike.Page#asOf}
     * @return this, if nothing is overdue by then
     */
    public Progress asOf(Instant now) {
        boolean overdue =
                reservation.state() == Outcome.RESERVED && !now.isBefore(reservation.expiresAt());
        return overdue
                ? new Progress(
                        reservation.with(Outcome.EXPIRED, reservation.expiresAt()),
                        reservedAt,
                        sequence,
                        false)
                : this;
    }
}
