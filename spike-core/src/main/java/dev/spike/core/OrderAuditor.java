package dev.spike.core;

import dev.spike.core.Audit.Difference;
import dev.spike.core.Audit.Kind;
import dev.spike.core.Audit.Place;
import dev.spike.core.OrderBook.Order;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** The part of an audit that holds the orders against the reservations. */
final class OrderAuditor {

    private static final int PAGE = 500;

    private final RemoteSpike remote;
    private final OrderBook book;
    private final Findings findings;
    private final UsedKeys reservations;
    private long matched;
    private long inFlight;

    /** @param reservations those that the audit has read, or read of in the log */
    OrderAuditor(RemoteSpike remote, OrderBook book, Findings findings, UsedKeys reservations) {
        this.remote = remote;
        this.book = book;
        this.findings = findings;
        this.reservations = reservations;
    }

    /** Holds the orders of these reservations against them. */
    void compare(List<Progress> page) {
        for (int from = 0; from < page.size(); from += PAGE) {
            List<Progress> some = page.subList(from, Math.min(from + PAGE, page.size()));
            Map<ReservationId, Order> orders = find(ids(some));
            matched += orders.size();
            List<Progress> different = some.stream()
                    .filter(progress -> !isOrderOf(
                            progress, orders.get(progress.reservation().id())))
                    .toList();
            List<Progress> suspects =
                    different.stream().filter(Progress::orderWritten).toList();
            inFlight += different.size() - suspects.size();
            if (!suspects.isEmpty()) {
                compareAgain(ids(suspects));
            }
        }
    }

    /**
     * Reservations and orders may have changed between the two looks. So the reservations are read
     * first now: an order cannot be behind one that says that it is written, only ahead of it.
     */
    private void compareAgain(List<ReservationId> ids) {
        Map<ReservationId, Progress> now = new HashMap<>();
        for (ReservationId id : ids) {
            Progress progress = remote.find(id);
            if (progress != null) {
                now.put(id, progress);
            }
        }
        Map<ReservationId, Order> orders = find(ids);
        for (ReservationId id : ids) {
            Progress progress = now.get(id);
            Order order = orders.get(id);
            if (progress != null
                    && progress.reservation().state() == Outcome.RESERVED
                    && order != null
                    && order.status().isFinal()) {
                progress = remote.find(id);
            }
            if (progress == null || !progress.orderWritten()) {
                inFlight++;
            } else if (!isOrderOf(progress, order)) {
                report(progress.reservation(), order);
            }
        }
    }

    private static List<ReservationId> ids(List<Progress> page) {
        return page.stream().map(progress -> progress.reservation().id()).toList();
    }

    private static boolean isOrderOf(Progress progress, @Nullable Order order) {
        return order != null
                && order.status() == progress.reservation().state()
                && order.quantity() == progress.reservation().quantity();
    }

    private void report(Reservation reservation, @Nullable Order order) {
        boolean isBehind = order == null
                || order.status() == Outcome.RESERVED && order.quantity() == reservation.quantity();
        String found = order == null ? "there is none" : "it is " + order.status();
        findings.add(new Difference(
                isBehind ? Kind.MISSING : Kind.EXTRA,
                Place.ORDERS,
                "order of a reservation that is " + reservation.state() + ": " + found,
                reservation.quantity(),
                order == null ? 0 : order.quantity(),
                reservation.id(),
                reservation.id().buyer()));
    }

    /**
     * Looks for orders without a reservation, if there are more orders than were found.
     *
     * @param readOn adds the reservations that were made meanwhile
     */
    void finish(Runnable readOn) {
        if (inFlight > 0) {
            String what = "reservations whose order is not written as they are";
            findings.inFlight(Place.ORDERS, what, inFlight, 0, null);
        }
        if (sums().values().stream().mapToLong(OrderBook.Sum::orders).sum() > matched) {
            lookForOthers(readOn);
        }
    }

    private void lookForOthers(Runnable readOn) {
        List<Order> page = List.of();
        do {
            String after = page.isEmpty() ? "" : page.get(page.size() - 1).id().toString();
            page = ask(() -> book.page(remote.saleId(), after, PAGE));
            if (!page.stream().allMatch(this::isKnown)) {
                readOn.run();
            }
            page.stream().filter(order -> !isKnown(order)).forEach(this::compareBack);
        } while (page.size() == PAGE);
    }

    private boolean isKnown(Order order) {
        return reservations.mayContain(order.id().buyer(), order.id().key());
    }

    private void compareBack(Order order) {
        ReservationId id = order.id();
        if (remote.find(id) == null) {
            findings.add(new Difference(
                    Kind.EXTRA,
                    Place.ORDERS,
                    withoutReservation(order.status()),
                    0,
                    order.quantity(),
                    id,
                    id.buyer()));
        }
    }

    /** The difference of an order that there is no reservation of. */
    static String withoutReservation(Outcome status) {
        return "order that is " + status + ": there is no such reservation";
    }

    Map<Outcome, OrderBook.Sum> sums() {
        return ask(() -> book.sums(remote.saleId()));
    }

    private Map<ReservationId, Order> find(List<ReservationId> ids) {
        Map<ReservationId, Order> found = new HashMap<>();
        ask(() -> book.find(remote.saleId(), ids)).forEach(order -> found.put(order.id(), order));
        return found;
    }

    /** What the book answers; as an error of the store if it does not. */
    static <T> T ask(Callable<T> question) {
        try {
            return question.call();
        } catch (Exception noAnswer) {
            if (noAnswer instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new RemoteSpikeException(
                    RemoteSpikeException.Kind.NOT_EXECUTED,
                    "the order book gives no answer: " + noAnswer,
                    noAnswer);
        }
    }
}
