package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
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
    private final Map<ReservationId, Long> askedNanos;
    private final InMemorySpike stock;
    private final Map<ReservationId, Outcome> states = new HashMap<>();
    private final TreeMap<Long, LogEntry> untrimmed = new TreeMap<>();
    private final Set<ReservationId> buried = new HashSet<>();
    private @Nullable Levels checked;
    private int letters;
    private boolean wasBackedUp;

    /** @param askedNanos when each reservation was last asked for */
    ServerInvariants(
            World world,
            SimulatedStore store,
            SimulatedBook book,
            Server server,
            Map<ReservationId, Long> askedNanos) {
        this.world = world;
        this.store = store;
        this.book = book;
        this.server = server;
        this.askedNanos = askedNanos;
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
            if (state == Outcome.RESERVED || state == Outcome.CONFIRMED) {
                units.merge(id.buyer(), (long) quantity, Long::sum);
            }
            Outcome before = states.put(id, state);
            if (before != null && before.isFinal() && before != state) {
                world.fail(id + " was " + before + " and is " + state);
            } else if (before == null && !isFirst) {
                checkMade(progress, rules);
            }
        }
        if (levels.reserved() != reserved
                || levels.sold() != sold
                || levels.available() < 0
                || levels.total() != rules.total()) {
            world.fail("does not balance: " + levels + " with " + reserved + " reserved and " + sold
                    + " sold of " + rules.total());
        }
        units.forEach((buyer, held) -> {
            if (rules.perBuyer() > 0 && held > rules.perBuyer()) {
                world.fail(buyer + " has " + held);
            }
        });
    }

    /** A reservation was made just now. */
    private void checkMade(Progress progress, Sale rules) {
        Long lastAsked = askedNanos.get(progress.reservation().id());
        if (lastAsked == null
                || world.now() > lastAsked + PATIENCE
                        && store.clockJumpedNanos() < lastAsked - KNOWN) {
            world.fail("made when nobody waited for it any more: " + progress);
        }
        Instant at = progress.reservedAt();
        if (rules.opensAt() != null && at.isBefore(rules.opensAt())
                || rules.closesAt() != null && !at.isBefore(rules.closesAt())) {
            world.fail("made while the sale was not open: " + progress + " of " + rules);
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
