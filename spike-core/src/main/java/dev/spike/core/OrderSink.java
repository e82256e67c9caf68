package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * Where the application writes its orders. A relay calls it, from one thread, with what the order
 * log holds.
 *
 * <p>Delivery is at least once: the same events come again after a crash or a failure, also alone
 * or in other batches, and not always in the order of the log: with several relays, and after a
 * failure. So write an order by its reservation's id, and never change a final status back.
 */
@FunctionalInterface
public interface OrderSink {

    /** The sink is away: what it was to write is not to blame, and comes again until it is back. */
    final class UnavailableException extends Exception {
        private static final long serialVersionUID = 1L;

        /**
         * The sink is away.
         *
         * @param cause why; the message tells it and its root cause
         */
        public UnavailableException(Throwable cause) {
            super(message(cause), cause);
        }

        private static String message(Throwable cause) {
            Throwable root = cause;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            return cause.getMessage() + (root == cause ? "" : " (" + root + ")");
        }
    }

    /** The sink is there, and what it was to write is to blame. */
    final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        /**
         * The sink refuses what it was to write.
         *
         * @param message what is wrong
         * @param cause what the sink met; null: nothing but its own rules
         */
        public RefusedException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Writes the orders of these events, blocking, all or none.
     *
     * @param saleId their sale
     * @param total the most units, without those sold before it was opened, that the sale had since
     *     it logged these events, as far as the relay knows: orders that are reserved or confirmed
     *     can never be more, once those that came before are written
     * @param events at least one, in the order of the log; a reservation may occur more than once
     * @throws UnavailableException if the sink is away; they come again, for as long as it takes
     * @throws RefusedException if any of them is to blame: each comes again a few times, alone, and
     *     is then put aside
     * @throws Exception if they were not written, for whatever reason; they come again, with
     *     growing delays. One that fails again and again, while others are written, is put aside
     */
    void write(String saleId, long total, List<OrderEvent> events) throws Exception;
}
