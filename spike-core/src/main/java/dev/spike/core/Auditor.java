package dev.spike.core;

import dev.spike.core.Audit.Place;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One audit of the levels, the reservations, the buyers, the log and the orders of a sale, page by
 * page, while it sells.
 *
 * <p>The reservations are read at different moments. Each carries the sequence of its last change,
 * and the log tells every change since the audit began; so the sums are brought forward to one
 * moment, the sequence of the levels at the end, exactly. What two pages told is counted once. If
 * the log was trimmed faster than it was read, no more than that is told.
 *
 * <p>Memory: 32 to 64 bytes for each reservation and each buyer, and the changes during the audit.
 */
final class Auditor {

    /** The difference of a total that something else wrote. */
    static final String TOTAL = "total";

    /** The difference of a buyer whose count can be corrected. */
    static final String UNITS_OF_BUYER = "units that a buyer holds or bought";

    private final RemoteSpike remote;
    private final Findings findings = new Findings();
    private final LogAuditor log;
    private final @Nullable OrderAuditor orders;
    private final UsedKeys seen = UsedKeys.empty();
    private final UsedKeys seenBuyers = UsedKeys.empty();
    private final Tally reservations = new Tally();
    private final Map<ReservationId, Long> readLate = new HashMap<>();
    private final Map<String, Long> unitsUnaccounted = new HashMap<>();
    private long unitsOfBuyers;
    private int eventsSeen;

    Auditor(RemoteSpike remote, @Nullable OrderBook book) {
        this.remote = remote;
        this.log = new LogAuditor(remote, findings);
        this.orders = book == null ? null : new OrderAuditor(remote, book, findings, seen);
    }

    /** The audit; null if there is no such sale. */
    @Nullable
    Audit run() {
        if (remote.levels().phase() == Levels.Phase.ABSENT) {
            return null;
        }
        readReservations(log.start());
        long beforeRules = remote.levels().sequence();
        Sale rules = remote.sale();
        Levels after = remote.levels();
        if (rules == null) {
            return null;
        }
        log.readTo(after.sequence());
        log.compareEnd(after);
        bringForward();
        boolean isTotalKnown = log.isTotalSame(beforeRules, after.sequence());
        long total = isTotalKnown ? rules.total() : after.total();
        long soldBefore = remote.soldBefore();
        long known = isTotalKnown ? log.knownTotal(after, total) : total;
        findings.compare(Place.LEVELS, TOTAL, known, total);
        compareLevels(after, known, soldBefore);
        compareBuyers(log.isComplete(after.sequence()));
        Map<Outcome, OrderBook.Sum> logged = log.sums();
        if (orders != null) {
            orders.finish(this::readOn);
        }
        return new Audit(
                findings.areInFlight(),
                after,
                new Audit.Sums(
                        known,
                        soldBefore,
                        reservations.sums(),
                        unitsOfBuyers,
                        logged,
                        log.first(),
                        orders == null ? null : orders.sums()),
                findings.told());
    }

    private void readReservations(long since) {
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = remote.reservations(cursor);
            List<Progress> fresh = page.reservations().stream()
                    .filter(progress -> seen.add(progress.reservation().id()))
                    .toList();
            fresh.forEach(progress -> read(progress, since));
            page.unitsOfBuyers().forEach(this::read);
            if (orders != null) {
                orders.compare(fresh);
            }
            // A page at a time, so that not much can be trimmed unread.
            log.readPage(Long.MAX_VALUE);
            cursor = page.next();
        } while (cursor != null);
    }

    private void read(Progress progress, long since) {
        Reservation reservation = progress.reservation();
        Outcome state = reservation.state();
        reservations.add(state, 1, reservation.quantity());
        if (progress.sequence() > since) {
            readLate.put(reservation.id(), progress.sequence());
        }
        if (state == Outcome.RESERVED || state == Outcome.CONFIRMED) {
            account(reservation.id().buyer(), -reservation.quantity());
        }
    }

    private void read(String buyer, long units) {
        if (seenBuyers.add(new ReservationId(buyer, "first"))) {
            unitsOfBuyers += units;
            account(buyer, units);
        }
    }

    private void account(String buyer, long units) {
        unitsUnaccounted.merge(buyer, units, Long::sum);
        unitsUnaccounted.remove(buyer, 0L);
    }

    private void bringForward() {
        for (OrderEvent event : log.events()) {
            if (event.sequence() > readLate.getOrDefault(event.id(), 0L)) {
                reservations.advance(event);
            }
            seen.add(event.id());
        }
        eventsSeen = log.events().size();
    }

    /** Notes the reservations that were made since, of which there may be orders. */
    private void readOn() {
        log.readTo(remote.levels().sequence());
        List<OrderEvent> events = log.events();
        events.subList(eventsSeen, events.size()).forEach(event -> seen.add(event.id()));
        eventsSeen = events.size();
    }

    private void compareLevels(Levels after, long total, long soldBefore) {
        if (log.isComplete(after.sequence())) {
            findings.compare(
                    Place.LEVELS, "reservations", reservations.orders(), after.reservations());
            findings.compare(
                    Place.LEVELS,
                    "reserved",
                    reservations.units(Outcome.RESERVED),
                    after.reserved());
            findings.compare(
                    Place.LEVELS,
                    "sold",
                    reservations.units(Outcome.CONFIRMED) + soldBefore,
                    after.sold());
        } else {
            findings.inFlight(
                    Place.LEVELS,
                    "changes while the audit read, which the log no longer holds; audit again",
                    0,
                    after.sequence(),
                    null);
        }
        long rest = total - after.reserved() - after.sold();
        findings.compare(Place.LEVELS, "available", rest, after.available());
        if (findings.differ(Place.LEVELS)) {
            log.tellJumps();
        }
    }

    /** Looks again at buyers that are not accounted for, and may only have changed meanwhile. */
    private void compareBuyers(boolean areEventsComplete) {
        Set<String> changed =
                log.events().stream().map(event -> event.id().buyer()).collect(Collectors.toSet());
        unitsUnaccounted.forEach((buyer, units) -> {
            RemoteSpike.Page page = remote.reservationsOf(buyer, null);
            long found = page.unitsOfBuyers().getOrDefault(buyer, 0L);
            if (areEventsComplete && !changed.contains(buyer)) {
                findings.compare(Place.BUYERS, UNITS_OF_BUYER, found - units, found, buyer);
            } else if (page.next() == null) {
                findings.compare(Place.BUYERS, UNITS_OF_BUYER, units(page), found, buyer);
            } else {
                String what = UNITS_OF_BUYER + ", which changed meanwhile; audit again";
                findings.inFlight(Place.BUYERS, what, found - units, found, buyer);
            }
        });
    }

    private static long units(RemoteSpike.Page page) {
        return page.reservations().stream()
                .map(Progress::reservation)
                .filter(reservation -> reservation.state() == Outcome.RESERVED
                        || reservation.state() == Outcome.CONFIRMED)
                .mapToLong(Reservation::quantity)
                .sum();
    }
}
