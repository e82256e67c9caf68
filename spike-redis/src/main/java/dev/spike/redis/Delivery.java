package dev.spike.redis;

import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.OrderSink;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Delivers events to a sink, and tells a sink that is away from events that it cannot write.
 *
 * <p>When a batch fails, the event that the sink accepted last is written again, and if that fails
 * too, or there is none, a few other events, alone, each time others. If none of them is accepted,
 * nor said to be to blame, the sink is away, and nothing is held against any event. Otherwise the
 * batch is halved, again and again, until the events that fail are found, alone; and after each of
 * them the sink must prove once more that it is there. A sink that says itself that it is away, or
 * that the events are to blame, is believed.
 */
final class Delivery {

    /** The sink is away. */
    static final class Outage extends Exception {
        private static final long serialVersionUID = 1L;

        Outage(Throwable failure) {
            super(failure.toString(), failure);
        }
    }

    /** How many other events a sink must refuse to be away. */
    private static final int MOST_OTHERS = 8;

    /** Its multiples, modulo 1, spread as evenly as can be, however many they are. */
    private static final double GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

    private final OrderSink sink;
    private final String saleId;
    private final BooleanSupplier stopping;
    private @Nullable OrderEvent accepted;
    private long tried;

    /** @param stopping ends a delivery that fails, as if the sink were away */
    Delivery(OrderSink sink, String saleId, BooleanSupplier stopping) {
        this.sink = sink;
        this.saleId = saleId;
        this.stopping = stopping;
    }

    /**
     * Delivers events, in order, blocking.
     *
     * @param others with which to find out whether the sink is there, should they fail
     * @return those that the sink does not accept, while it accepts others
     * @throws Outage if it is away; some of the events may be written
     */
    List<OrderLog.Dead> deliver(List<OrderEvent> events, List<OrderEvent> others, long total)
            throws Outage {
        List<OrderLog.Dead> refused = new ArrayList<>();
        if (!events.isEmpty()) {
            deliver(events, others, total, refused);
        }
        return refused;
    }

    private void deliver(
            List<OrderEvent> events,
            List<OrderEvent> others,
            long total,
            List<OrderLog.Dead> refused)
            throws Outage {
        Throwable failure = write(events, total);
        if (failure == null) {
            return;
        }
        boolean isAlone = events.size() == 1;
        if (!(failure instanceof OrderSink.RefusedException)
                && !isThere(others, isAlone ? events.get(0) : null, total)) {
            throw new Outage(failure);
        } else if (isAlone) {
            refused.add(new OrderLog.Dead(events.get(0), failure.toString()));
        } else {
            int half = events.size() / 2;
            deliver(events.subList(0, half), others, total, refused);
            deliver(events.subList(half, events.size()), others, total, refused);
        }
    }

    /** The failure; null: written. */
    private @Nullable Throwable write(List<OrderEvent> events, long total) throws Outage {
        try {
            sink.write(saleId, total, events);
            accepted = events.get(events.size() - 1);
            return null;
        } catch (Throwable failure) {
            // Also an Error: an event that brings one about must not hold up the others.
            if (stopping.getAsBoolean()
                    || failure instanceof InterruptedException
                    || failure instanceof OrderSink.UnavailableException) {
                throw new Outage(failure);
            }
            return failure;
        }
    }

    private boolean isThere(List<OrderEvent> others, @Nullable OrderEvent but, long total)
            throws Outage {
        if (accepted != null && answers(accepted, total)) {
            return true;
        }
        int size = others.size();
        int most = Math.min(MOST_OTHERS, size);
        for (int i = 0; i < most; i++) {
            OrderEvent other = others.get((int) (tried++ * GOLDEN_RATIO % 1 * size));
            if (!other.equals(but) && answers(other, total)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the sink accepts an event, or says itself that this is to blame. */
    private boolean answers(OrderEvent event, long total) throws Outage {
        Throwable failure = write(List.of(event), total);
        return failure == null || failure instanceof OrderSink.RefusedException;
    }
}
