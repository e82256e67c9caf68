package dev.spike.redis;

import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** An application's sink: it records what it accepts, and fails or hangs on demand. */
final class TestSink implements OrderSink {

    final AtomicInteger calls = new AtomicInteger();
    volatile boolean away;
    volatile Predicate<OrderEvent> refuses = event -> false;
    volatile CountDownLatch gate = new CountDownLatch(0);
    private final List<List<OrderEvent>> writes = new ArrayList<>();

    @Override
    public void write(String saleId, long total, List<OrderEvent> events) throws Exception {
        calls.incrementAndGet();
        gate.await();
        if (away) {
            throw new IOException("away");
        }
        for (OrderEvent event : events) {
            if (refuses.test(event)) {
                throw new IllegalArgumentException("cannot write " + event.id().buyer());
            }
        }
        synchronized (writes) {
            writes.add(List.copyOf(events));
        }
    }

    /** From now on writes hang, until the gate that this answers is counted down. */
    CountDownLatch hang() {
        gate = new CountDownLatch(1);
        return gate;
    }

    List<List<OrderEvent>> writes() {
        synchronized (writes) {
            return List.copyOf(writes);
        }
    }

    /** All events that were accepted, each as often as it was. */
    List<OrderEvent> events() {
        return writes().stream().flatMap(List::stream).toList();
    }

    /** The buyers of {@link #events}. */
    List<String> buyers() {
        return events().stream().map(event -> event.id().buyer()).toList();
    }
}
