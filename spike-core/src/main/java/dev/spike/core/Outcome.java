package dev.spike.core;

/**
 * What became of a request. {@link #CONFIRMED}, {@link #CANCELLED} and {@link #EXPIRED} are the
 * final states of a reservation: once answered for a reservation, its answer never changes.
 */
public enum Outcome {
    /** The units are held for the buyer until the reservation's deadline. */
    RESERVED,
    /** Final: the reservation was confirmed in time; its units are sold. */
    CONFIRMED,
    /** Final: the reservation was cancelled; its units are available again. */
    CANCELLED,
    /**
     * Final: the hold time passed unconfirmed; its units are, or are about to be, available again.
     */
    EXPIRED,
    /** The shared stock said that fewer units are available than were asked for. */
    SOLD_OUT,
    /**
     * The shared stock said that no unit is available, but some are only reserved and may come
     * back.
     */
    ALL_RESERVED,
    /**
     * The buyer holds or bought so many units that this quantity would exceed the sale's per-buyer
     * limit; or, when extending, the hold would exceed the longest that the sale allows.
     */
    LIMIT_REACHED,
    /** The key was used before by this buyer, with another quantity. */
    MISMATCH,
    /** The sale does not exist, or its opening time has not come. */
    NOT_OPEN,
    /** The sale's closing time has passed, or it was closed by hand. */
    CLOSED,
    /** There is no reservation under this id. */
    NOT_FOUND,
    /**
     * Nothing was done, certainly: the request was never sent, or refused before it ran. Try again
     * later.
     */
    UNAVAILABLE,
    /**
     * No reply came: done or not, nobody knows yet. Repeating the same key resolves it; else the
     * hold expires.
     */
    UNKNOWN;

    /**
     * Whether this is a final state of a reservation.
     *
     * @return true for {@link #CONFIRMED}, {@link #CANCELLED} and {@link #EXPIRED} alone
     */
    public boolean isFinal() {
        return this == CONFIRMED || this == CANCELLED || this == EXPIRED;
    }
}
