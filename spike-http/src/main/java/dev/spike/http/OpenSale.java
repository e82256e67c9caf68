package dev.spike.http;

import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

/**
 * A sale that this node sells.
 *
 * @param rules its rules in the store
 * @param spike this node of it
 * @param traffic who asked this node for its units
 */
record OpenSale(Sale rules, Spike spike, Traffic traffic) {

    /** Where a reservation is found. */
    static String location(String saleId, ReservationId id) {
        return "/v1/sales/" + saleId + "/reservations/" + id;
    }
}
