package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** What must be true of one server with the stock after every step. */
final class ServerInvariants {

    /**
     * How long after it was made a request may run: a group's last moment is that of its youngest
     * request, and the oldest may have waited nearly as long.
     */
    private static final long PATIENCE =
            SimulatedNode.TIMEOUT.multipliedBy(2).plusMillis(1).toNanos();

    /** A node may know the store's clock as it was so long ago, or longer if it was paused. */
    private static final long KNOWN = 10 * World.SECOND;

    private final World world;
    private final SimulatedStore store;
    private final SimulatedBook book;
    private final Server server;
    private final Asked asked;
    private final InMemorySpike stock;
    private final Map<ReservationId, Progress> records = new HashMap<>();
    private final TreeMap<Long, LogEntry> untrimmed = new TreeMap<>();
    private final Map<String, Long> unitsOfBuyers = new HashMap<>();
    private final Set<ReservationId> buried = new HashSet<>();
    private @Nullable Levels checked;
    private int letters;
    private boolean wasBackedUp;

    ServerInvariants(
            World world, SimulatedStore store, SimulatedBook book, Server server, Asked asked) {
        this.world = world;
        this.store = store;
        this.book = book;
        this.server = server;
        this.asked = asked;
        this.stock = server.stock();
    }

    /** Whether these are of the stock that the server has now. */
    boolean areCurrent() {
        return server.stock() == stock;
    }

    void check(long mostBacklog) {
        Levels levels = stock.levels();
        Levels before = checked;
        if (before != null
                && before.sequence() == levels.sequence()
                && before.phase() == levels.phase()
                && before.backlog() == levels.backlog()) {
            return;
        }
        if (before != null && before.sequence() < levels.sequence()) {
            addWithin(before, stock.log(before.sequence()));
        }
        server.levels().add(world.now(), levels);
        checked = levels;
        if (levels.phase() == Levels.Phase.ABSENT) {
            return;
        }
        boolean isBackedUp = levels.backlog() >= mostBacklog;
        if (isBackedUp && !wasBackedUp) {
            world.happened(Happening.BACKLOG_REACHED, levels.backlog() + " events");
        }
        wasBackedUp = isBackedUp;
        if (before == null || before.sequence() != levels.sequence()) {
            checkBalance(levels, before == null);
            for (LogEntry entry : stock.log(before == null ? 0 : before.sequence())) {
                untrimmed.put(entry.sequence(), entry);
            }
        }
        checkTrimmed();
    }

    /** Levels between the reservations of one call, by which the later ones may be refused. */
    private void addWithin(Levels before, List<LogEntry> entries) {
        long available = before.available();
        long reserved = before.reserved();
        for (LogEntry entry : entries) {
            for (OrderEvent event : entry.events()) {
                if (event.state() == Outcome.RESERVED) {
                    available -= event.quantity();
                    reserved += event.quantity();
                    server.levels()
                            .add(
                                    world.now(),
                                    new Levels(
                                            before.phase(),
                                            before.ledger(),
                                            entry.sequence(),
                                            before.total(),
                                            available,
                                            reserved,
                                            before.sold(),
                                            before.reservations(),
                                            before.backlog(),
                                            before.opensAt(),
                                            before.closesAt(),
                                            before.asOf()));
                }
            }
        }
    }

    private void checkBalance(Levels levels, boolean isFirst) {
        long reserved = 0;
        long sold = 0;
        Map<String, Long> units = new HashMap<>();
        Sale rules = Objects.requireNonNull(stock.sale());
        for (Progress progress : stock.reservations(null).reservations()) {
            ReservationId id = progress.reservation().id();
            Outcome state = progress.reservation().state();
            int quantity = progress.reservation().quantity();
            if (state == Outcome.RESERVED) {
                reserved += quantity;
            } else if (state == Outcome.CONFIRMED) {
                sold += quantity;
            }
            boolean counts = state == Outcome.RESERVED || state == Outcome.CONFIRMED;
            units.merge(id.buyer(), counts ? quantity : 0L, Long::sum);
            Progress before = records.put(id, progress);
            if (before == null && !isFirst) {
                checkMade(progress, rules);
            } else if (before != null && before.sequence() != progress.sequence()) {
                checkSettled(before, progress);
            }
            checkHeld(progress, rules);
        }
        if (levels.reserved() != reserved
                || levels.sold() != sold
                || levels.available() < 0
                || levels.total() != rules.total()) {
            world.fail("does not balance: " + levels + " with " + reserved + " reserved and " + sold
                    + " sold of " + rules.total());
        }
        units.forEach((buyer, held) -> {
            if (!held.equals(unitsOfBuyers.put(buyer, held))) {
                server.unitsOf(buyer).add(world.now(), held);
            }
            if (rules.perBuyer() > 0 && held > rules.perBuyer()) {
                world.fail(buyer + " has " + held);
            }
        });
    }

    private void checkHeld(Progress progress, Sale rules) {
        Instant latest = progress.reservedAt().plus(rules.maxHold());
        if (progress.reservation().state() == Outcome.RESERVED
                && progress.reservation().expiresAt().isAfter(latest)) {
            world.fail("held for too long: " + progress);
        }
    }

    /** A reservation was made just now. */
    private void checkMade(Progress progress, Sale rules) {
        Reservation made = progress.reservation();
        requireLately(asked.madeOf(made.id(), made.quantity()), progress);
        Instant at = progress.reservedAt();
        if (rules.opensAt() != null && at.isBefore(rules.opensAt())
                || rules.closesAt() != null && !at.isBefore(rules.closesAt())) {
            world.fail("made while the sale was not open: " + progress + " of " + rules);
        }
    }

    /** A reservation was ended or its hold extended just now. */
    private void checkSettled(Progress before, Progress after) {
        Reservation was = before.reservation();
        Outcome state = after.reservation().state();
        boolean isOverdue = !server.now().isBefore(was.expiresAt());
        if (was.state().isFinal() || isOverdue != (state == Outcome.EXPIRED)) {
            world.fail("became " + after.reservation() + " at " + server.now() + ": " + before);
        }
        if (state != Outcome.EXPIRED) {
            requireLately(asked.settled(was.id(), state), after);
        }
    }

    private void requireLately(long askedNanos, Progress done) {
        if (askedNanos == Long.MIN_VALUE
                || world.now() > askedNanos + PATIENCE
                        && store.clockJumpedNanos() < askedNanos - KNOWN) {
            world.fail("done when nobody waited for it any more: " + done);
        }
    }

    /** What leaves the log is written, or put aside. */
    private void checkTrimmed() {
        List<LogEntry> first = stock.log(0);
        long kept = first.isEmpty()
                ? Objects.requireNonNull(checked).sequence() + 1
                : first.get(0).sequence();
        if (untrimmed.isEmpty() || untrimmed.firstKey() >= kept) {
            return;
        }
        world.happened(Happening.LOG_TRIMMED, "before " + kept);
        List<OrderLog.Dead> dead = stock.deadLetters();
        for (; letters < dead.size(); letters++) {
            OrderEvent event = dead.get(letters).event();
            if (event != null) {
                buried.add(event.id());
            }
        }
        for (Progress progress : records.values()) {
            if (progress.reservation().state() == Outcome.RESERVED && progress.sequence() < kept) {
                world.fail("trimmed before " + kept + ", but it has yet to end: " + progress);
            }
        }
        Map<Long, LogEntry> gone = untrimmed.headMap(kept);
        for (LogEntry entry : gone.values()) {
            for (OrderEvent event : entry.events()) {
                OrderBook.Order order = book.of(event.id());
                boolean isWritten = order != null
                        && (order.status() == event.state() || order.status().isFinal());
                if (!isWritten && !buried.contains(event.id()) && store.losses() == 0) {
                    world.fail("trimmed, but neither written nor put aside: " + event);
                }
            }
        }
        gone.clear();
    }
}
