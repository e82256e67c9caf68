package dev.spike.redis;

import dev.spike.core.OrderSink;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Objects;

/**
 * The options of an {@link OrderRelay}; every setter answers this builder. Not safe for use by many
 * threads.
 */
public final class OrderRelayBuilder {

    private static final int MAX_NAME = 128;

    private final RedisSpike sale;
    private final OrderSink sink;
    String group = "orders";
    String consumer = hostName();
    int batch = 10_000;
    int tries = 5;
    Duration idle = Duration.ofSeconds(30);

    OrderRelayBuilder(RedisSpike sale, OrderSink sink) {
        this.sale = Objects.requireNonNull(sale, "sale");
        this.sink = Objects.requireNonNull(sink, "sink");
    }

    /**
     * The consumer group: relays of one group share the log, and every group gets all of it. Each
     * keeps the log from being trimmed; one that is no longer wanted must be destroyed
     * ({@code XGROUP DESTROY}). Default {@code orders}.
     */
    public OrderRelayBuilder group(String name) {
        this.group = requireName("group", name);
        return this;
    }

    /**
     * This relay's name in its group: the same after a restart, so that it goes on with what it
     * took, and another one's of no other relay that runs at the same time. Default: the host's
     * name.
     */
    public OrderRelayBuilder consumer(String name) {
        this.consumer = requireName("consumer", name);
        return this;
    }

    /**
     * About how many events to hand to the sink at once when so many wait, 1 to 100,000; a batch
     * may exceed it by what one read brings. Default 10,000.
     */
    public OrderRelayBuilder batch(int events) {
        require(events >= 1 && events <= 100_000, "1 to 100000", "batch", events);
        this.batch = events;
        return this;
    }

    /**
     * After how many tries an event that the sink refuses goes to the dead letters, 2 to 1,000.
     * Tries while the sink is away do not count. Default 5.
     */
    public OrderRelayBuilder tries(int count) {
        require(count >= 2 && count <= 1_000, "2 to 1000", "tries", count);
        this.tries = count;
        return this;
    }

    /**
     * After how long without an acknowledgement an entry is taken from another relay of the group,
     * 10 ms to 1 day; longer than the sink ever takes for a batch. Default 30 s.
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

    /** A running relay. Neither Redis nor the sink need be there yet. */
    public OrderRelay start() {
        return new OrderRelay(sale, sink, this);
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
