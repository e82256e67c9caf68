package dev.spike.redis;

import dev.spike.core.OrderLog;
import dev.spike.core.OrderSink;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/**
 * The options of an {@link OrderRelay}; every setter answers this builder, and throws
 * {@link IllegalArgumentException} for a value out of its range. Not safe for use by many threads.
 */
public final class OrderRelayBuilder {

    private static final int MAX_NAME = 128;

    private final OrderLog.Source sale;
    private final OrderSink sink;
    String group = "orders";
    String consumer = hostName();
    int batch = 10_000;
    int tries = 5;
    Duration idle = Duration.ofSeconds(30);
    LongSupplier nanoTime = System::nanoTime;
    private @Nullable ExecutorService calls;
    private @Nullable ScheduledExecutorService timer;

    OrderRelayBuilder(OrderLog.Source sale, OrderSink sink) {
        this.sale = Objects.requireNonNull(sale, "sale");
        this.sink = Objects.requireNonNull(sink, "sink");
    }

    /**
     * The consumer group: relays of one group share the log, and every group gets all of it. Each
     * keeps the log from being trimmed; one that is no longer wanted must be destroyed
     * ({@code XGROUP DESTROY}). Default {@code orders}.
     *
     * @param name 1 to 128 visible ASCII characters
     * @return this builder
     */
    public OrderRelayBuilder group(String name) {
        this.group = requireName("group", name);
        return this;
    }

    /**
     * This relay's name in its group: the same after a restart, so that it goes on with what it
     * took, and that of no other relay that runs at the same time. Default: the host's name.
     *
     * @param name 1 to 128 visible ASCII characters
     * @return this builder
     */
    public OrderRelayBuilder consumer(String name) {
        this.consumer = requireName("consumer", name);
        return this;
    }

    /**
     * About how many events to hand to the sink at once when so many wait; a batch may exceed it by
     * what one read brings. Default 10,000.
     *
     * @param events 1 to 100,000
     * @return this builder
     */
    public OrderRelayBuilder batch(int events) {
        require(events >= 1 && events <= 100_000, "1 to 100000", "batch", events);
        this.batch = events;
        return this;
    }

    /**
     * After how many tries an event that the sink refuses goes to the dead letters. Tries while the
     * sink is away do not count. Default 5.
     *
     * @param count 2 to 1,000
     * @return this builder
     */
    public OrderRelayBuilder tries(int count) {
        require(count >= 2 && count <= 1_000, "2 to 1000", "tries", count);
        this.tries = count;
        return this;
    }

    /**
     * After how long without an acknowledgement an entry is taken from another relay of the group.
     * Default 30 s.
     *
     * @param time 10 ms to 1 day; longer than the sink ever takes for a batch
     * @return this builder
     */
    public OrderRelayBuilder takeOverAfter(Duration time) {
        require(
                time.compareTo(Duration.ofMillis(10)) >= 0
                        && time.compareTo(Duration.ofDays(1)) <= 0,
                ">= 10 ms and <= 1 d",
                "takeOverAfter",
                time);
        this.idle = time;
        return this;
    }

    /**
     * Threads of the application's own, which it also stops, after closing the relay. Default: one
     * daemon thread.
     *
     * @param callers runs the relay's turns, one at a time, each of which blocks for as long as the
     *     sink takes
     * @param timers runs short tasks, and must not be busy with long ones
     * @return this builder
     */
    public OrderRelayBuilder threads(ExecutorService callers, ScheduledExecutorService timers) {
        this.calls = Objects.requireNonNull(callers, "callers");
        this.timer = Objects.requireNonNull(timers, "timers");
        return this;
    }

    /**
     * The elapsed time in nanoseconds. Default {@link System#nanoTime}.
     *
     * @param elapsed only its differences count; safe for use by many threads
     * @return this builder
     */
    public OrderRelayBuilder nanoTime(LongSupplier elapsed) {
        this.nanoTime = Objects.requireNonNull(elapsed, "elapsed");
        return this;
    }

    /**
     * Starts a relay. Neither Redis nor the sink need be there yet.
     *
     * @return to be closed by the caller, before the connection that the sale came with
     */
    public OrderRelay start() {
        if (calls != null && timer != null) {
            return new OrderRelay(sale, sink, this, calls, timer, () -> {});
        }
        List<Thread> threads = new CopyOnWriteArrayList<>();
        ScheduledExecutorService own = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "spike-relay-" + sale.saleId());
            thread.setDaemon(true);
            threads.add(thread);
            return thread;
        });
        return new OrderRelay(sale, sink, this, own, own, () -> stop(own, threads));
    }

    /** A sink that hangs, and that no interrupt wakes, is left to itself. */
    private static void stop(ExecutorService own, List<Thread> threads) {
        own.shutdownNow();
        try {
            for (Thread thread : threads) {
                thread.join(1_000);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static String requireName(String what, String name) {
        boolean valid = !name.isEmpty()
                && name.length() <= MAX_NAME
                && name.chars().allMatch(c -> c > ' ' && c < 0x7f);
        require(valid, "1 to " + MAX_NAME + " visible ASCII characters", what, name);
        return name;
    }

    private static void require(boolean valid, String rule, String name, Object value) {
        if (!valid) {
            throw new IllegalArgumentException("must be " + rule + ": " + name + "=" + value);
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException nameless) {
            return "relay";
        }
    }
}
