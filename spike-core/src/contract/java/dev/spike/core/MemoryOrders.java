package dev.spike.core;

import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The orders of one sale, in memory: written once, and never back from a final state. */
public final class MemoryOrders implements OrderSink, OrderBook {

    private final TreeMap<String, Order> orders = new TreeMap<>();

    @Override
    public synchronized void write(String saleId, long total, List<OrderEvent> events) {
        for (OrderEvent event : events) {
            Order order = new Order(event.id(), event.quantity(), event.state());
            orders.merge(
                    event.id().toString(),
                    order,
                    (known, coming) -> known.status().isFinal()
                            ? known
                            : new Order(known.id(), known.quantity(), coming.status()));
        }
    }

    @Override
    public synchronized Map<Outcome, Sum> sums(String saleId) {
        Map<Outcome, Sum> sums = new EnumMap<>(Outcome.class);
        orders.values()
                .forEach(order -> sums.merge(
                        order.status(),
                        new Sum(1, order.quantity()),
                        (a, b) -> new Sum(a.orders() + b.orders(), a.units() + b.units())));
        return sums;
    }

    @Override
    public synchronized List<Order> find(String saleId, Collection<ReservationId> ids) {
        if (ids.size() > 1_000) {
            throw new IllegalArgumentException("must be <= 1000: ids.size=" + ids.size());
        }
        return ids.stream()
                .flatMap(id -> Stream.ofNullable(orders.get(id.toString())))
                .toList();
    }

    @Override
    public synchronized List<Order> page(String saleId, String after, int limit) {
        return orders.tailMap(after, false).values().stream().limit(limit).toList();
    }

    /** The order of a reservation. */
    public synchronized Order of(ReservationId id) {
        return Objects.requireNonNull(orders.get(id.toString()), () -> "no order of " + id);
    }

    /** Puts an order in place of any other, as no sink would. */
    public synchronized void plant(ReservationId id, int quantity, Outcome status) {
        orders.put(id.toString(), new Order(id, quantity, status));
    }

    /** Loses an order. */
    public synchronized void lose(ReservationId id) {
        orders.remove(id.toString());
    }

    public synchronized int size() {
        return orders.size();
    }
}
