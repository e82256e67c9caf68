package dev.spike.redis;

import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * Delivers entries to a sink, and tells a sink that is away from events that it cannot write.
 *
 * <p>When a batch fails, the event that the sink accepted last is written again: if that fails too,
 * the sink is away, and nothing is held against any event. Otherwise the batch is halved, again and
 * again, until the events that fail are found, alone; and after each of them the sink must prove
 * once more that it is there.
 */
final class Delivery {

    /** The sink is away. */
    static final class Outage extends Exception {
        private static final long serialVersionUID = 1L;

        Outage(String failure) {
            super(failure);
        }
    }

    /** How many failures in a row are an outage, while the sink has never accepted anything. */
    private static final int MOST_FAILURES = 40;

    private final OrderSink sink;
    private final String saleId;
    private @Nullable OrderEvent accepted;
    private int failures;

    Delivery(OrderSink sink, String saleId) {
        this.sink = sink;
        this.saleId = saleId;
    }

    /**
     * Delivers events, in order, blocking.
     *
     * @return those that the sink does not accept, while it accepts others
     * @throws Outage if it is away; some of the events may be written
     */
    List<OrderLog.Dead> deliver(List<OrderEvent> events, long total) throws Outage {
        failures = 0;
        List<OrderLog.Dead> refused = new ArrayList<>();
        deliver(events, total, refused);
        if (!refused.isEmpty() && accepted == null) {
            throw new Outage(refused.get(0).error());
        }
        return refused;
    }

    private void deliver(List<OrderEvent> events, long total, List<OrderLog.Dead> refused)
            throws Outage {
        if (events.isEmpty()) {
            return;
        }
        try {
            sink.write(saleId, total, events);
            accepted = events.get(events.size() - 1);
            failures = 0;
            return;
        } catch (Exception failure) {
            requireSink(failure, total);
            if (events.size() == 1) {
                refused.add(new OrderLog.Dead(events.get(0), String.valueOf(failure)));
                return;
            }
        }
        int half = events.size() / 2;
        deliver(events.subList(0, half), total, refused);
        deliver(events.subList(half, events.size()), total, refused);
    }

    private void requireSink(Exception failure, long total) throws Outage {
        OrderEvent probe = accepted;
        if (Thread.currentThread().isInterrupted()
                || probe == null && ++failures >= MOST_FAILURES) {
            throw new Outage(failure.toString());
        }
        if (probe != null) {
            try {
                sink.write(saleId, total, List.of(probe));
            } catch (Exception away) {
                throw new Outage(failure.toString());
            }
        }
    }
}
