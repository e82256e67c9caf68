package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import dev.spike.core.Audit;
import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;
import dev.spike.core.OrderBook.Order;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Progress;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongConsumer;

/** What must be true of the orders, and what an audit must tell of them, when all has ended. */
final class LastLook {

    private static final long MOST_PATIENCE = 120 * SECOND;

    private final World world;
    private final Simulation simulation;
    private final SimulatedBook book;
    private final Operator operator;
    private final InMemorySpike stock;
    private final boolean isAllKept;
    private @Nullable Audit audit;

    LastLook(World world, Simulation simulation, SimulatedBook book, Operator operator) {
        this.world = world;
        this.simulation = simulation;
        this.book = book;
        this.operator = operator;
        this.stock = simulation.store().server().stock();
        this.isAllKept = simulation.store().losses() == 0;
    }

    /** @param letPass lets so much time pass */
    void look(LongConsumer letPass) {
        long end = world.now() + MOST_PATIENCE;
        while (stock.levels().backlog() > 0 && world.now() < end) {
            letPass.accept(SECOND);
        }
        if (stock.levels().backlog() > 0) {
            world.fail("orders that are never written: " + stock.levels());
        }
        if (isAllKept && stock.levels().total() != simulation.sale().total() + operator.applied()) {
            world.fail("restocked by " + operator.applied() + ": " + stock.levels());
        }
        Set<ReservationId> different = differentOrders();
        SimulatedNode node = simulation.cluster().any();
        node.run(() -> audit = node.spike().audit(book).orElse(null));
        letPass.accept(3 * SECOND);
        compare(Objects.requireNonNull(audit, "an audit"), different);
        world.throwIfBroken();
    }

    /** Those that differ from their reservation, all for a reason that is known. */
    private Set<ReservationId> differentOrders() {
        Set<ReservationId> different = new HashSet<>();
        Set<ReservationId> buried = new HashSet<>();
        for (OrderLog.Dead letter : stock.deadLetters()) {
            OrderEvent event = Objects.requireNonNull(letter.event());
            buried.add(event.id());
            Order order = book.of(event.id());
            // One that was committed, and failed each time all the same, is written.
            boolean isWritten = order != null
                    && (order.status() == event.state() || order.status().isFinal());
            if (isAllKept && !book.isPoison(event.id()) && !isWritten) {
                world.fail("put aside for no reason: " + letter);
            }
        }
        for (Progress progress : stock.reservations(null).reservations()) {
            ReservationId id = progress.reservation().id();
            Order order = book.of(id);
            if (!progress.orderWritten()) {
                world.fail("all is acknowledged, but not " + progress);
            }
            if (order == null
                    || order.status() != progress.reservation().state()
                    || order.quantity() != progress.reservation().quantity()) {
                different.add(id);
                boolean isLost = order != null && !isAllKept && order.status().isFinal();
                if (!buried.contains(id)
                        && !isLost
                        && !simulation.store().isAcknowledgedUnseen(id)) {
                    world.fail("has the order " + order + ": " + progress);
                }
            }
        }
        for (Order order : book.orders()) {
            if (stock.find(order.id()) == null) {
                different.add(order.id());
                if (isAllKept || !simulation.asked().wasAsked(order.id())) {
                    world.fail("an order without a reservation: " + order);
                }
            }
        }
        return different;
    }

    /** Nothing is told but these orders, and all of them. */
    private void compare(Audit audit, Set<ReservationId> different) {
        Set<ReservationId> told = new HashSet<>();
        for (Audit.Difference difference : audit.differences()) {
            if (difference.place() != Audit.Place.ORDERS || difference.id() == null) {
                world.fail("the audit tells " + difference);
            } else {
                told.add(difference.id());
            }
        }
        if (audit.levels().phase() != Levels.Phase.OPEN
                || audit.balanced() != different.isEmpty()
                || different.size() < Audit.MAX_DIFFERENCES && !told.equals(different)) {
            world.fail("the audit tells of " + told + ", and what differs is " + different);
        }
        world.happened(
                audit.balanced() ? Happening.DRAINED_BALANCED : Happening.AUDIT_TOLD,
                different.toString());
    }
}
