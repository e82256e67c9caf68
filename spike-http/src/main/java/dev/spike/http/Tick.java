package dev.spike.http;

import com.fasterxml.jackson.annotation.JsonUnwrapped;

import dev.spike.core.Levels;

import org.jspecify.annotations.Nullable;

/**
 * What those who watch a sale are shown: as this node knows it, without a call.
 *
 * @param what what is said of it, at whatever time
 * @param asOf the store's clock when it reported the levels
 * @param upMillis this node's clock, from an arbitrary moment on: what rates are reckoned by
 */
record Tick(@JsonUnwrapped What what, String asOf, long upMillis) {

    /**
     * What is worth telling when it is another than before.
     *
     * @param perBuyer the sale's limit per buyer; 0: none
     * @param stale whether the store has been silent for so long that the levels may be old
     * @param node what was asked of this node, since it began to sell the sale
     * @param others the least number of reservations that others have made meanwhile; null: not
     *     known
     */
    record What(
            @JsonUnwrapped SaleLevels levels,
            int perBuyer,
            @Nullable String opensAt,
            @Nullable String closesAt,
            boolean stale,
            Node node,
            @Nullable Long others) {}

    /**
     * This node's share.
     *
     * @param arrivals requests for units
     * @param refusals of these, how many were told that they get none
     * @param reservations of these, how many got a new reservation
     */
    record Node(long arrivals, long refusals, long reservations) {}

    /**
     * A sale as it is now.
     *
     * @param stale see above
     * @param others see above
     * @param nanos the node's elapsed time
     */
    static Tick of(OpenSale sale, Levels levels, boolean stale, @Nullable Long others, long nanos) {
        Traffic traffic = sale.traffic();
        What what = new What(
                SaleLevels.of(sale, levels),
                sale.rules().perBuyer(),
                Json.timeOrNull(levels.opensAt()),
                Json.timeOrNull(levels.closesAt()),
                stale,
                new Node(traffic.arrivals(), traffic.refusals(), traffic.reservations()),
                others);
        return new Tick(what, Json.time(levels.asOf()), nanos / 1_000_000);
    }
}
