package dev.spike.core;

import dev.spike.core.Audit.Difference;
import dev.spike.core.Audit.Kind;
import dev.spike.core.Audit.Place;
import dev.spike.core.OrderBook.Sum;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One audit of the levels, the reservations, the buyers and the log of a sale, page by page, while
 * it sells.
 *
 * <p>The reservations are read at different moments. Each carries the sequence of its last change,
 * and the log tells every change since the audit began; so the sums are brought forward to one
 * moment, the sequence of the levels at the end, exactly. What two pages told is counted once.
 * Memory: 32 to 64 bytes for each reservation, and the changes during the audit.
 */
final class Auditor {

    private final RemoteSpike remote;
    private final @Nullable OrderAuditor orders;
    private final Findings findings = new Findings();
    private final UsedKeys seen = UsedKeys.empty();
    private final UsedKeys seenBuyers = UsedKeys.empty();
    private final Tally reservations = new Tally();
    private final Tally logged = new Tally();
    private final Map<ReservationId, Long> readLate = new HashMap<>();
    private final Map<String, Long> unitsUnaccounted = new HashMap<>();
    private long unitsOfBuyers;
    private long logFrom;
    private boolean logComplete;

    Auditor(RemoteSpike remote, @Nullable OrderBook book) {
        this.remote = remote;
        this.orders = book == null ? null : new OrderAuditor(remote, book, findings, seen);
    }

    /** Orders or units by state. */
    static final class Tally {
        private final Map<Outcome, Sum> sums = new EnumMap<>(Outcome.class);

        void add(Outcome state, long orders, long units) {
            sums.merge(
                    state,
                    new Sum(orders, units),
                    (a, b) -> new Sum(a.orders() + b.orders(), a.units() + b.units()));
        }

        /** Counts an event that follows what is counted already. */
        void advance(OrderEvent event) {
            if (event.state() != Outcome.RESERVED) {
                add(Outcome.RESERVED, -1, -event.quantity());
            }
            add(event.state(), 1, event.quantity());
        }

        long units(Outcome state) {
            return sums.getOrDefault(state, new Sum(0, 0)).units();
        }

        long orders() {
            return sums.values().stream().mapToLong(Sum::orders).sum();
        }

        Map<Outcome, Sum> sums() {
            sums.values().removeIf(sum -> sum.orders() == 0 && sum.units() == 0);
            return Map.copyOf(sums);
        }
    }

    /** The differences found, at most a hundred of each kind. */
    static final class Findings {
        private final List<Difference> all = new ArrayList<>();
        private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);

        void add(Difference difference) {
            if (counts.merge(difference.kind(), 1, Integer::sum) <= Audit.MAX_DIFFERENCES) {
                all.add(difference);
            }
        }

        void compare(Place place, String what, long expected, long found) {
            compare(place, what, expected, found, null);
        }

        void compare(Place place, String what, long expected, long found, @Nullable String buyer) {
            if (found < 0) {
                add(new Difference(Kind.NEGATIVE, place, what, expected, found, null, buyer));
            } else if (found != expected) {
                Kind kind = found < expected ? Kind.MISSING : Kind.EXTRA;
                add(new Difference(kind, place, what, expected, found, null, buyer));
            }
        }

        boolean areInFlight() {
            return counts.keySet().stream().allMatch(kind -> kind == Kind.IN_FLIGHT);
        }
    }

    /** The audit; null if there is no such sale. */
    @Nullable
    Audit run() {
        Levels before = remote.levels();
        Sale rules = remote.sale();
        if (rules == null || before.phase() == Levels.Phase.ABSENT) {
            return null;
        }
        readReservations(before.sequence());
        Levels after = remote.levels();
        readLog(before.sequence(), after);
        long soldBefore = remote.soldBefore();
        compareLevels(after, soldBefore);
        compareTotal(rules, after);
        unitsUnaccounted.keySet().forEach(this::checkBuyer);
        if (orders != null) {
            orders.finish();
        }
        return new Audit(
                findings.areInFlight(),
                after,
                new Audit.Sums(
                        rules.total(),
                        soldBefore,
                        reservations.sums(),
                        unitsOfBuyers,
                        logged.sums(),
                        logFrom,
                        orders == null ? null : orders.sums()),
                List.copyOf(findings.all));
    }

    private void readReservations(long since) {
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = remote.reservations(cursor);
            List<Progress> fresh = page.reservations().stream()
                    .filter(progress -> seen.add(progress.reservation().id()))
                    .toList();
            fresh.forEach(progress -> read(progress, since));
            page.unitsOfBuyers().forEach((buyer, units) -> read(buyer, units));
            if (orders != null) {
                orders.compare(fresh);
            }
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

    /** Holds the log against itself and the levels, and brings the sums forward to these. */
    private void readLog(long since, Levels after) {
        @Nullable LogEntry last = null;
        for (List<LogEntry> page = remote.log(0);
                !page.isEmpty() && (last == null || last.sequence() < after.sequence());
                page = remote.log(last.sequence())) {
            for (LogEntry entry : page) {
                if (entry.sequence() > after.sequence()) {
                    break;
                }
                if (last == null) {
                    logFrom = entry.sequence();
                } else {
                    compareEntries(last, entry);
                }
                entry.events().forEach(event -> read(event, since));
                last = entry;
            }
            if (last == null) {
                break;
            }
        }
        if (last != null) {
            findings.compare(Place.LOG, "last sequence", after.sequence(), last.sequence());
            findings.compare(Place.LOG, "available", after.available(), last.available());
            findings.compare(Place.LOG, "reserved", after.reserved(), last.reserved());
            findings.compare(Place.LOG, "sold", after.sold(), last.sold());
        }
        logComplete = since == after.sequence() || last != null && logFrom <= since + 1;
    }

    private void read(OrderEvent event, long since) {
        logged.add(event.state(), 1, event.quantity());
        if (event.sequence() > readLate.getOrDefault(event.id(), since)) {
            reservations.advance(event);
        }
    }

    private void compareEntries(LogEntry last, LogEntry entry) {
        String at = " of log entry " + entry.sequence();
        if (entry.sequence() != last.sequence() + 1) {
            findings.compare(
                    Place.LOG,
                    "number of entries before " + entry.sequence(),
                    entry.sequence() - last.sequence() - 1,
                    0);
        } else if (!entry.events().isEmpty()) {
            Tally change = new Tally();
            entry.events().forEach(change::advance);
            long reserved = last.reserved() + change.units(Outcome.RESERVED);
            long sold = last.sold() + change.units(Outcome.CONFIRMED);
            long total = last.available() + last.reserved() + last.sold();
            findings.compare(Place.LOG, "reserved" + at, reserved, entry.reserved());
            findings.compare(Place.LOG, "sold" + at, sold, entry.sold());
            findings.compare(
                    Place.LOG, "available" + at, total - reserved - sold, entry.available());
        }
    }

    private void compareLevels(Levels after, long soldBefore) {
        if (!logComplete) {
            findings.add(new Difference(
                    Kind.IN_FLIGHT,
                    Place.LEVELS,
                    "changes while the audit read, which the log no longer holds; audit again",
                    0,
                    after.sequence(),
                    null,
                    null));
            return;
        }
        findings.compare(Place.LEVELS, "reservations", reservations.orders(), after.reservations());
        findings.compare(
                Place.LEVELS, "reserved", reservations.units(Outcome.RESERVED), after.reserved());
        findings.compare(
                Place.LEVELS,
                "sold",
                reservations.units(Outcome.CONFIRMED) + soldBefore,
                after.sold());
    }

    /** The total by the rules, unless it changed meanwhile. */
    private void compareTotal(Sale rules, Levels after) {
        Sale now = remote.sale();
        long rest = rules.total() - after.reserved() - after.sold();
        if (now != null && now.total() == rules.total()) {
            findings.compare(Place.LEVELS, "available", rest, after.available());
        }
    }

    /** Counts a buyer's units again, at one moment if they fit into a page. */
    private void checkBuyer(String buyer) {
        long sequence = remote.levels().sequence();
        long expected = 0;
        long found = 0;
        int pages = 0;
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = remote.reservationsOf(buyer, cursor);
            found += page.unitsOfBuyers().getOrDefault(buyer, 0L);
            for (Progress progress : page.reservations()) {
                Outcome state = progress.reservation().state();
                boolean holds = state == Outcome.RESERVED || state == Outcome.CONFIRMED;
                expected += holds ? progress.reservation().quantity() : 0;
            }
            pages++;
            cursor = page.next();
        } while (cursor != null);
        String what = "units that a buyer holds or bought";
        if (pages == 1 || remote.levels().sequence() == sequence) {
            findings.compare(Place.BUYERS, what, expected, found, buyer);
        } else if (expected != found) {
            findings.add(new Difference(
                    Kind.IN_FLIGHT, Place.BUYERS, what, expected, found, null, buyer));
        }
    }
}
