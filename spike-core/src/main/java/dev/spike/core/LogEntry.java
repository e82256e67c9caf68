package dev.spike.core;

import java.time.Instant;
import java.util.List;

/**
 * An entry of the order log: one change of the sale.
 *
 * @param sequence of the change
 * @param at when, by the store's clock
 * @param available the level after it, units
 * @param reserved the level after it, units
 * @param sold the level after it, units
 * @param events the reservations that were made or came to their end; empty for a change of the
 *     total, of the opening, or of holds alone
 */
public record LogEntry(
        long sequence,
        Instant at,
        long available,
        long reserved,
        long sold,
        List<OrderEvent> events) {

    /**
     * The sum {@code available + reserved + sold}.
     *
     * @return the sale's total after this change, units
     */
    public long total() {
        return available + reserved + sold;
    }
}
