package dev.spike.redis;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * What a relay has taken from the log and not yet delivered: first what it took before it ended,
 * then what is new, and before that, now and then, what others left. For one thread.
 */
final class Inbox {

    /** The entries that the sink refuses. */
    interface Refused {
        int count();

        /** Whether it is one of them; null: one that cannot be read. */
        boolean contains(long sequence, @Nullable LogEntry entry);
    }

    /** How many entries are taken in one call. */
    private static final int TAKEN = 100;

    /** How many entries are looked up in one call. */
    private static final int PENDING = 1_000;

    /** How many entries that the sink refuses, or holds up, end the taking of new ones. */
    private static final int MOST_WAITING = 1_000;

    /** Entries may have no events, when holds are extended. */
    private static final int MOST_HELD = 10_000;

    private final OrderLog log;
    private final OrderRelayBuilder options;
    private final Refused refused;
    private final BooleanSupplier closing;
    private final TreeMap<Long, LogEntry> held = new TreeMap<>();
    private final Map<Long, String> unreadable = new TreeMap<>();
    private int eventsHeld;
    private long total;
    private boolean readOwn;
    private long ownAfter;
    private long idleNanos;

    Inbox(OrderLog log, OrderRelayBuilder options, Refused refused, BooleanSupplier closing) {
        this.log = log;
        this.options = options;
        this.refused = refused;
        this.closing = closing;
        this.idleNanos = options.nanoTime.getAsLong();
    }

    /**
     * Takes until a batch is held, or there is nothing more; in an outage also more than a batch,
     * since the first event that the sink accepts tells that it is there.
     *
     * @return whether anything was taken
     */
    boolean fill(boolean outage) {
        boolean took = false;
        while ((eventsHeld < options.batch && held.size() < MOST_HELD
                        || outage && held.size() < MOST_WAITING)
                && !closing.getAsBoolean()
                && take()) {
            took = true;
        }
        return took;
    }

    private boolean take() {
        boolean isFull = refused.count() >= MOST_WAITING;
        int most = Math.max(1, Math.min(TAKEN, options.batch - eventsHeld));
        if (options.nanoTime.getAsLong() - idleNanos >= 0 && (readOwn || isFull)) {
            // Also when full: all that fail may wait for an entry that a dead relay took.
            if (hold(log.takeIdle(options.idle, most))) {
                return true;
            }
            idleNanos = options.nanoTime.getAsLong() + options.idle.toNanos() / 4;
            if (hasTakenUnknown()) {
                readOwnAgain();
            }
        }
        if (readOwn) {
            return !isFull && hold(log.takeNew(most));
        }
        OrderLog.Taken own = log.takeOwn(ownAfter, most);
        hold(own);
        if (own != null && own.isEmpty()) {
            readOwn = true;
        } else if (own != null) {
            ownAfter = own.last();
        }
        return own != null;
    }

    /** Whether any of the entries was not known before. */
    private boolean hold(OrderLog.@Nullable Taken taken) {
        if (taken == null) {
            return false;
        }
        boolean wasEmpty = isEmpty() && unreadable.isEmpty() && refused.count() == 0;
        total = wasEmpty ? taken.total() : Math.max(total, taken.total());
        boolean anyNew = false;
        for (LogEntry entry : taken.entries()) {
            if (!refused.contains(entry.sequence(), entry)) {
                LogEntry before = held.put(entry.sequence(), entry);
                eventsHeld += entry.events().size()
                        - (before == null ? 0 : before.events().size());
                anyNew |= before == null;
            }
        }
        for (Map.Entry<Long, String> entry : taken.unreadable().entrySet()) {
            if (!refused.contains(entry.getKey(), null)) {
                anyNew |= unreadable.put(entry.getKey(), entry.getValue()) == null;
            }
        }
        return anyNew;
    }

    /**
     * Whether this relay has taken what it does not know of: a call whose reply got lost, perhaps
     * of the relay that had this name before, may run after the own ones were read.
     */
    private boolean hasTakenUnknown() {
        List<Long> page = log.pending(0, PENDING);
        while (!page.isEmpty()) {
            if (!page.stream().allMatch(this::isKnown)) {
                return true;
            }
            page = log.pending(page.get(page.size() - 1), PENDING);
        }
        return false;
    }

    private boolean isKnown(long sequence) {
        return held.containsKey(sequence)
                || unreadable.containsKey(sequence)
                || refused.contains(sequence, null);
    }

    /** The reply to a call got lost, and it may have taken something. */
    void readOwnAgain() {
        readOwn = false;
        ownAfter = 0;
    }

    /**
     * The units that the orders may have: the most that the sale had since the oldest entry here.
     */
    long total() {
        return total;
    }

    boolean isEmpty() {
        return held.isEmpty();
    }

    List<OrderEvent> events() {
        return events(held.values());
    }

    static List<OrderEvent> events(Collection<LogEntry> entries) {
        return entries.stream().flatMap(entry -> entry.events().stream()).toList();
    }

    /** The oldest entries, at least one, with no more events than that unless it alone has more. */
    List<LogEntry> nextBatch(int mostEvents) {
        List<LogEntry> batch = new ArrayList<>();
        int events = 0;
        for (LogEntry entry : held.values()) {
            events += entry.events().size();
            if (!batch.isEmpty() && events > mostEvents) {
                break;
            }
            batch.add(entry);
        }
        return batch;
    }

    void remove(List<LogEntry> batch) {
        for (LogEntry entry : batch) {
            held.remove(entry.sequence());
            eventsHeld -= entry.events().size();
        }
    }

    /** The entries that make no sense, each with why; they are not held any longer. */
    Map<Long, String> removeUnreadable() {
        Map<Long, String> removed = Map.copyOf(unreadable);
        unreadable.clear();
        return removed;
    }
}
