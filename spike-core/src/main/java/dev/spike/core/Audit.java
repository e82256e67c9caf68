package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/**
 * The levels of a sale beside what they must be the sums of, while it may go on selling.
 *
 * @param balanced whether nothing differs but what is in flight
 * @param levels at the end of the audit; the sums over reservations are as of their sequence
 * @param sums over everything else
 * @param differences what differs, at most {@value #MAX_DIFFERENCES} of each kind
 */
public record Audit(boolean balanced, Levels levels, Sums sums, List<Difference> differences) {

    /** The most differences of each kind that an audit tells. */
    public static final int MAX_DIFFERENCES = 100;

    /** How something differs. */
    public enum Kind {
        /** It is on its way: an order that is not written yet. */
        IN_FLIGHT,
        /** Less is there than must be, or an order is behind its reservation. */
        MISSING,
        /** More is there than must be, or an order that its reservation does not account for. */
        EXTRA,
        /** A level or a count is below zero. */
        NEGATIVE
    }

    /** Where something differs, in the order in which differences are told. */
    public enum Place {
        /** The levels, beside the sums over the reservations and the total of the sale. */
        LEVELS,
        /** The units of a buyer, beside the sum over the buyer's reservations. */
        BUYERS,
        /** The orders, beside the reservations. */
        ORDERS,
        /** The log, beside the levels and itself. */
        LOG
    }

    /**
     * A difference.
     *
     * @param kind how it differs
     * @param place where
     * @param what differs, in words
     * @param expected what must be there, in units, or in the count that the words name
     * @param found what is there
     * @param id the reservation, if it is about one
     * @param buyer the buyer, if it is about one
     */
    public record Difference(
            Kind kind,
            Place place,
            String what,
            long expected,
            long found,
            @Nullable ReservationId id,
            @Nullable String buyer) {}

    /**
     * The sums.
     *
     * @param total of the sale, by its rules, units
     * @param soldBefore units sold before the sale was opened, of which there are no reservations
     * @param reservations over the reservations, for each state
     * @param buyers over the units that buyers hold or bought, as counted for the per-buyer limit
     * @param log over the events that the log still holds, for each state
     * @param logFrom the sequence of the first entry that the log still holds; 0: none
     * @param orders over the orders, for each status; null: no order book was audited
     */
    public record Sums(
            long total,
            long soldBefore,
            Map<Outcome, OrderBook.Sum> reservations,
            long buyers,
            Map<Outcome, OrderBook.Sum> log,
            long logFrom,
            @Nullable Map<Outcome, OrderBook.Sum> orders) {}
}
