package dev.spike.bench.fault;

import dev.spike.core.OrderBook;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The order book of a simulation, by the rules of the demo server's: each write is all or nothing,
 * an order is written once and never leaves a final status, and none is added that makes them more
 * units than the total. It may be away or slow, refuse some orders for good, and fail after it
 * committed; and a node may die before or after.
 */
final class SimulatedBook implements OrderBook {

    private static final long USUAL_NANOS = Duration.ofMillis(5).toNanos();
    private static final long SLOW_NANOS = Duration.ofMillis(1_500).toNanos();

    private final World world;
    private final TreeMap<String, Order> orders = new TreeMap<>();
    private final int poisonIn;
    private final int failsIn;
    private boolean isFrank;
    private boolean isHealed;
    private long units;
    private long awayUntilNanos;
    private long slowUntilNanos;

    SimulatedBook(World world) {
        this.world = world;
        this.poisonIn = world.oneIn(4) ? 30 : 0;
        this.failsIn = world.oneIn(2) ? 30 : 0;
    }

    void awayFor(long nanos) {
        awayUntilNanos = world.now() + nanos;
    }

    void slowFor(long nanos) {
        slowUntilNanos = world.now() + nanos;
    }

    /** From now on it says of all that it refuses that this is to blame. */
    void beFrank() {
        isFrank = true;
    }

    /** From now on it refuses only what it must. */
    void heal() {
        isHealed = true;
        awayUntilNanos = 0;
        slowUntilNanos = 0;
    }

    /** Units of orders that are reserved or confirmed. */
    long units() {
        return units;
    }

    /** Whether it refuses all orders of this reservation. */
    boolean isPoison(ReservationId id) {
        return poisonIn > 0 && Math.floorMod(id.toString().hashCode(), poisonIn) == 0;
    }

    @Nullable
    Order of(ReservationId id) {
        return orders.get(id.toString());
    }

    Collection<Order> orders() {
        return orders.values();
    }

    /** The way of a node's relay to it. */
    OrderSink sinkOf(SimulatedNode node, NodeThreads threads) {
        return (saleId, total, events) -> write(node, threads, total, events);
    }

    private void write(SimulatedNode node, NodeThreads threads, long total, List<OrderEvent> events)
            throws Exception {
        if (node.isDead()) {
            throw new Fiber.Abandoned();
        }
        boolean mayFail = !isHealed && failsIn > 0;
        if (mayFail && world.oneIn(failsIn)) {
            dies(node, Happening.RELAY_DIED_BEFORE_WRITE);
        }
        boolean isSlow = world.now() < slowUntilNanos;
        threads.sleep(world.below(isSlow ? SLOW_NANOS : USUAL_NANOS));
        if (world.now() < awayUntilNanos) {
            throw world.oneIn(2)
                    ? new OrderSink.UnavailableException(new IOException("no connection"))
                    : new IOException("no connection");
        }
        commit(total, events);
        if (mayFail && world.oneIn(failsIn)) {
            dies(node, Happening.RELAY_DIED_AFTER_WRITE);
        }
        if (mayFail && world.oneIn(failsIn)) {
            world.happened(Happening.BOOK_COMMITTED_AND_FAILED, events.size() + " events");
            throw new IOException("connection lost while committing");
        }
        threads.sleep(world.below(USUAL_NANOS));
    }

    private void dies(SimulatedNode node, Happening when) {
        world.happened(when, "on " + node);
        node.die();
        throw new Fiber.Abandoned();
    }

    private void commit(long total, List<OrderEvent> events) throws OrderSink.RefusedException {
        Map<String, Order> changed = new TreeMap<>();
        long added = 0;
        long freed = 0;
        for (OrderEvent event : events) {
            if (isPoison(event.id())) {
                world.happened(Happening.BOOK_REFUSED_POISON, event.id().toString());
                if (!isFrank && event.id().toString().hashCode() % 2 == 0) {
                    throw new IllegalArgumentException("cannot write " + event.id());
                }
                throw new OrderSink.RefusedException("cannot write " + event.id(), null);
            }
            String key = event.id().toString();
            Order known = changed.containsKey(key) ? changed.get(key) : orders.get(key);
            if (known == null) {
                changed.put(key, new Order(event.id(), event.quantity(), event.state()));
                added += isActive(event.state()) ? event.quantity() : 0;
            } else if (!known.status().isFinal() && event.state().isFinal()) {
                changed.put(key, new Order(event.id(), known.quantity(), event.state()));
                freed += isActive(event.state()) ? 0 : known.quantity();
            }
        }
        if (added > 0 && units + added - freed > total) {
            world.happened(
                    Happening.BOOK_REFUSED_UNITS,
                    units + " + " + added + " - " + freed + " of " + total);
            throw new OrderSink.RefusedException("more than " + total, null);
        }
        orders.putAll(changed);
        units += added - freed;
    }

    private static boolean isActive(Outcome status) {
        return status == Outcome.RESERVED || status == Outcome.CONFIRMED;
    }

    @Override
    public Map<Outcome, Sum> sums(String saleId) {
        Map<Outcome, Sum> sums = new EnumMap<>(Outcome.class);
        orders.values()
                .forEach(order -> sums.merge(
                        order.status(),
                        new Sum(1, order.quantity()),
                        (a, b) -> new Sum(a.orders() + b.orders(), a.units() + b.units())));
        return sums;
    }

    @Override
    public List<Order> find(String saleId, Collection<ReservationId> ids) {
        return ids.stream().flatMap(id -> Stream.ofNullable(of(id))).toList();
    }

    @Override
    public List<Order> page(String saleId, String after, int limit) {
        return orders.tailMap(after, false).values().stream().limit(limit).toList();
    }
}
