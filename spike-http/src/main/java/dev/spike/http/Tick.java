package dev.spike.http;

import dev.spike.core.Levels;
import dev.spike.core.Levels.Phase;

import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.Optional;

/**
 * What those who watch a sale are shown: as this node knows it, without a call.
 *
 * @param phase {@code not_yet_open}, {@code open}, {@code closed}; {@code absent} if the store lost
 *     it, {@code stopped} if this node stopped selling it for good
 * @param perBuyer the sale's limit per buyer; 0: none
 * @param stale whether the store has been silent for so long that the levels may be old
 * @param node what was asked of this node, since it began to sell the sale
 * @param others the least number of reservations that others have made meanwhile; null: not known
 * @param asOf the store's clock when it reported the levels
 * @param upMillis this node's clock, from an arbitrary moment on: what rates are reckoned by
 */
record Tick(
        String sale,
        String phase,
        long total,
        long available,
        long reserved,
        long sold,
        int perBuyer,
        @Nullable String opensAt,
        @Nullable String closesAt,
        boolean stale,
        Node node,
        @Nullable Long others,
        String asOf,
        long upMillis) {

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
        return new Tick(
                sale.rules().id(),
                phase(levels, sale.spike().haltReason()),
                levels.total(),
                levels.available(),
                levels.reserved(),
                levels.sold(),
                sale.rules().perBuyer(),
                Json.timeOrNull(levels.opensAt()),
                Json.timeOrNull(levels.closesAt()),
                stale,
                new Node(traffic.arrivals(), traffic.refusals(), traffic.reservations()),
                others,
                Json.time(levels.asOf()),
                nanos / 1_000_000);
    }

    private static String phase(Levels levels, Optional<String> haltReason) {
        if (levels.phase() == Phase.ABSENT) {
            return "absent";
        }
        return haltReason.isPresent() ? "stopped" : levels.phase().name().toLowerCase(Locale.ROOT);
    }

    /** Whether the other says the same of the sale, at whatever time. */
    boolean saysWhat(Tick other) {
        return equals(new Tick(
                other.sale,
                other.phase,
                other.total,
                other.available,
                other.reserved,
                other.sold,
                other.perBuyer,
                other.opensAt,
                other.closesAt,
                other.stale,
                other.node,
                other.others,
                asOf,
                upMillis));
    }
}
