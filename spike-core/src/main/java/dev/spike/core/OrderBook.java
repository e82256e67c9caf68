package dev.spike.core;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/** The orders that an {@link OrderSink} wrote, to be compared with the reservations. Blocking. */
public interface OrderBook {

    /**
     * An order.
     *
     * @param id its reservation
     * @param quantity its units
     * @param status {@link Outcome#RESERVED} or a final state
     */
    record Order(ReservationId id, int quantity, Outcome status) {}

    /**
     * Orders that have something in common, counted.
     *
     * @param orders how many
     * @param units in them, together
     */
    record Sum(long orders, long units) {}

    /**
     * The sums over the orders of a sale, for each status that occurs.
     *
     * @param saleId their sale
     * @return for each status that occurs; empty if the book has no order of this sale
     * @throws Exception if the book gives no answer
     */
    Map<Outcome, Sum> sums(String saleId) throws Exception;

    /**
     * The orders of these reservations.
     *
     * @param saleId their sale
     * @param ids at most a thousand
     * @return in any order; those without one are left out
     * @throws Exception if the book gives no answer
     */
    List<Order> find(String saleId, Collection<ReservationId> ids) throws Exception;

    /**
     * A page of the orders of a sale, by the text of their ids, ascending in an order of the book's
     * own.
     *
     * @param saleId their sale
     * @param after the text of the last id of the page before; empty for the first page
     * @param limit the most orders that the page may have; fewer only on the last
     * @return empty after the last page
     * @throws Exception if the book gives no answer
     */
    List<Order> page(String saleId, String after, int limit) throws Exception;
}
