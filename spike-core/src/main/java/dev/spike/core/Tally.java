package dev.spike.core;

import dev.spike.core.OrderBook.Sum;

import java.util.EnumMap;
import java.util.Map;

/** How many reservations or events there are in each state, and how many units in them. */
final class Tally {

    private final Map<Outcome, Sum> sums = new EnumMap<>(Outcome.class);

    void add(Outcome state, long orders, long units) {
        sums.merge(
                state,
                new Sum(orders, units),
                (a, b) -> new Sum(a.orders() + b.orders(), a.units() + b.units()));
    }

    /** Counts an event that follows what is counted already. */
    void advance(OrderEvent event) {
        if (event.state() != Outcome.RESERVED) {
            add(Outcome.RESERVED, -1, -event.quantity());
        }
        add(event.state(), 1, event.quantity());
    }

    long units(Outcome state) {
        return sums.getOrDefault(state, new Sum(0, 0)).units();
    }

    long orders() {
        return sums.values().stream().mapToLong(Sum::orders).sum();
    }

    Map<Outcome, Sum> sums() {
        sums.values().removeIf(sum -> sum.orders() == 0 && sum.units() == 0);
        return Map.copyOf(sums);
    }
}
