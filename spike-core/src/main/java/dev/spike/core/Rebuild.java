package dev.spike.core;

import dev.spike.core.OrderBook.Order;
import dev.spike.core.RemoteSpike.Opening;
import dev.spike.core.RemoteSpike.Restored;
import dev.spike.core.RemoteSpike.Restored.Effect;
import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A sale that was rebuilt from its order book, after the shared stock came back empty or without
 * its last writes. The sale is closed meanwhile and afterwards, until somebody reopens it.
 *
 * <p>What is rebuilt: each order that the stock does not know is recorded under its id, reserved
 * with a new hold or in its final state; a reservation whose order is further is settled as that.
 * Nothing is taken back. It may be repeated, also after it broke off. What never reached the order
 * book is lost.
 *
 * @param dryRun whether it only told
 * @param effects how many orders came to which effect; those that did not occur are left out
 * @param refused the orders that are {@link Effect#DIFFERENT} or {@link Effect#TOO_MANY}, the first
 *     {@value #MOST_REFUSED}: the stock and the book contradict each other, and somebody must look
 * @param levels the levels after it; of a dry run, those before it
 */
public record Rebuild(
        boolean dryRun, Map<Effect, Long> effects, List<Order> refused, Levels levels) {

    /** The most refused orders that are told one by one. */
    public static final int MOST_REFUSED = 1_000;

    /**
     * Whether the stock has all that the order book has.
     *
     * @return false if any order was refused
     */
    public boolean complete() {
        return refused.isEmpty();
    }

    /**
     * Rebuilds a sale; blocking. No node should sell it meanwhile: start them afterwards.
     *
     * @param remote its stock
     * @param rules as it was opened with; the total as it was last
     * @param book its orders
     * @param dryRun whether to change nothing, and tell what would be done; the rules are not
     *     compared then, and the reservations that there are must fit into memory
     * @return what was done, or would be
     * @throws IllegalArgumentException if the sale exists under other rules
     * @throws RemoteSpikeException if the stock or the book gave no answer
     */
    public static Rebuild run(RemoteSpike remote, Sale rules, OrderBook book, boolean dryRun) {
        return dryRun ? tell(remote, rules, book) : restore(remote, rules, book);
    }

    private static Rebuild restore(RemoteSpike remote, Sale rules, OrderBook book) {
        if (remote.openClosed(rules) == Opening.OTHER_RULES) {
            throw new IllegalArgumentException(
                    "must be the rules that it was opened with: sale=" + rules);
        }
        remote.closeSale();
        Sums sums = new Sums();
        eachPage(book, rules.id(), page -> {
            Restored restored = remote.restore(page);
            if (restored.effects().isEmpty()) {
                throw new RemoteSpikeException(
                        Kind.NOT_EXECUTED, "the sale was reopened while it was rebuilt", null);
            }
            for (int i = 0; i < page.size(); i++) {
                sums.add(page.get(i), restored.effects().get(i));
            }
        });
        return sums.rebuild(false, remote.levels());
    }

    private static Rebuild tell(RemoteSpike remote, Sale rules, OrderBook book) {
        Map<ReservationId, Reservation> known = reservations(remote);
        Levels levels = remote.levels();
        AtomicLong available = new AtomicLong(
                levels.phase() == Levels.Phase.ABSENT ? rules.total() : levels.available());
        Sums sums = new Sums();
        eachPage(
                book,
                rules.id(),
                page -> page.forEach(order -> {
                    Effect effect = Effect.of(order, known.get(order.id()), available.get());
                    available.addAndGet(change(order, effect));
                    sums.add(order, effect);
                }));
        return sums.rebuild(true, levels);
    }

    /** Those first that give units back: others may need them. */
    private static void eachPage(OrderBook book, String saleId, Consumer<List<Order>> use) {
        for (boolean holding : new boolean[] {false, true}) {
            for (List<Order> page = page(book, saleId, null);
                    !page.isEmpty();
                    page = page(book, saleId, page)) {
                List<Order> some =
                        page.stream().filter(order -> holds(order) == holding).toList();
                if (!some.isEmpty()) {
                    use.accept(some);
                }
            }
        }
    }

    private static boolean holds(Order order) {
        return order.status() == Outcome.RESERVED || order.status() == Outcome.CONFIRMED;
    }

    /** By how much what is available changes. */
    private static long change(Order order, Effect effect) {
        return switch (effect) {
            case ADDED -> holds(order) ? -order.quantity() : 0;
            case SETTLED -> holds(order) ? 0 : order.quantity();
            case KNOWN, DIFFERENT, TOO_MANY -> 0;
        };
    }

    private static Map<ReservationId, Reservation> reservations(RemoteSpike remote) {
        Map<ReservationId, Reservation> known = new HashMap<>();
        String cursor = null;
        do {
            RemoteSpike.Page page = remote.reservations(cursor);
            page.reservations().stream()
                    .map(Progress::reservation)
                    .forEach(reservation -> known.put(reservation.id(), reservation));
            cursor = page.next();
        } while (cursor != null);
        return known;
    }

    private static List<Order> page(OrderBook book, String saleId, @Nullable List<Order> before) {
        String after = before == null ? "" : before.get(before.size() - 1).id().toString();
        return OrderAuditor.ask(() -> book.page(saleId, after, RemoteSpike.MAX_BATCH));
    }

    /** What was done so far. */
    private static final class Sums {
        private final Map<Effect, Long> effects = new EnumMap<>(Effect.class);
        private final List<Order> refused = new ArrayList<>();

        void add(Order order, Effect effect) {
            effects.merge(effect, 1L, Long::sum);
            boolean isRefused = effect == Effect.DIFFERENT || effect == Effect.TOO_MANY;
            if (isRefused && refused.size() < MOST_REFUSED) {
                refused.add(order);
            }
        }

        Rebuild rebuild(boolean dryRun, Levels levels) {
            return new Rebuild(dryRun, Map.copyOf(effects), List.copyOf(refused), levels);
        }
    }
}
