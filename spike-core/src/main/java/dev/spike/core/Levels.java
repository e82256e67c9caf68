package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/**
 * The levels of a sale, as the shared stock reported them in one atomic step. In every one of them
 * {@code total = available + reserved + sold}, unless the stock is damaged, see
 * {@link #conservationError}.
 *
 * @param phase whether the sale can be bought from, by the store's clock at {@code asOf}
 * @param ledger the random id that the sale got when it was opened; empty if the sale is
 *     {@link Phase#ABSENT}. Another ledger under the same sale means that the first one was lost
 * @param sequence grows by one with every change, never goes back
 * @param total all units of the sale, which the store keeps beside the three levels
 * @param available units that can be reserved
 * @param reserved units held by unconfirmed reservations
 * @param sold units of confirmed reservations
 * @param reservations how many reservations were ever made; while it stands still, nobody got a new
 *     one
 * @param backlog how many order events are logged, from the oldest on that not everyone who reads
 *     the log has acknowledged
 * @param opensAt the sale's opening time; null: open at once
 * @param closesAt the sale's closing time; null: never, unless it is closed by hand
 * @param asOf the store's clock when it reported them
 */
public record Levels(
        Phase phase,
        String ledger,
        long sequence,
        long total,
        long available,
        long reserved,
        long sold,
        long reservations,
        long backlog,
        @Nullable Instant opensAt,
        @Nullable Instant closesAt,
        Instant asOf) {

    /** Whether a sale can be bought from. */
    public enum Phase {
        /** There is no such sale. */
        ABSENT,
        /** Its opening time has not come. */
        NOT_YET_OPEN,
        /** It sells. */
        OPEN,
        /** Its closing time has passed, or it was closed by hand. */
        CLOSED
    }

    /**
     * The levels of a sale that does not exist.
     *
     * @param asOf the store's clock
     * @return {@link Phase#ABSENT}, with an empty ledger and 0 everywhere
     */
    public static Levels absent(Instant asOf) {
        return new Levels(Phase.ABSENT, "", 0, 0, 0, 0, 0, 0, 0, null, null, asOf);
    }

    /** Whether the shared stock broke its invariants: its levels are its total, none below zero. */
    boolean isBroken() {
        return available < 0 || reserved < 0 || sold < 0 || conservationError() != 0;
    }

    /**
     * By how many units the total exceeds available + reserved + sold; other than 0 only if the
     * store is damaged; nodes halt then. An audit tells which of them is wrong.
     *
     * @return total - available - reserved - sold, units
     */
    public long conservationError() {
        return total - available - reserved - sold;
    }

    /**
     * The answer of these levels, alone, to a new request: what a shared stock says once it knows
     * that the key is new.
     *
     * @param quantity units, at least 1
     * @return {@link Outcome#NOT_OPEN}, {@link Outcome#CLOSED}, {@link Outcome#SOLD_OUT} or
     *     {@link Outcome#ALL_RESERVED}; {@link Outcome#RESERVED} if these levels can serve the
     *     quantity
     */
    public Outcome answerTo(int quantity) {
        return switch (phase) {
            case ABSENT, NOT_YET_OPEN -> Outcome.NOT_OPEN;
            case CLOSED -> Outcome.CLOSED;
            case OPEN ->
                available >= quantity
                        ? Outcome.RESERVED
                        : available == 0 && reserved > 0 ? Outcome.ALL_RESERVED : Outcome.SOLD_OUT;
        };
    }
}
