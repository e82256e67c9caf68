package dev.spike.core;

import dev.spike.core.OrderLog.Burial;
import dev.spike.core.OrderLog.Dead;
import dev.spike.core.OrderLog.Lag;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The log of an {@link InMemorySpike}, and how far each group has come with it. Only to be used
 * under the monitor of that.
 */
final class MemoryLog {

    /** An entry, and how many order events were logged before it. */
    private record Logged(LogEntry entry, long eventsBefore) {}

    /** Who took an entry, and when, by the store's clock. */
    private record Pending(String consumer, Instant takenAt) {
        boolean isIdle(Instant now, Duration time) {
            return Duration.between(takenAt, now).compareTo(time) >= 0;
        }
    }

    private static final class Group {
        private long delivered;
        private final TreeMap<Long, Pending> pending = new TreeMap<>();

        /** Up to which sequence it has acknowledged everything. */
        long acknowledged() {
            return pending.isEmpty() ? delivered : pending.firstKey() - 1;
        }
    }

    /** Their sequences follow one another. */
    private final List<Logged> entries = new ArrayList<>();

    private final Map<String, Group> groups = new HashMap<>();
    private final List<Dead> dead = new ArrayList<>();
    private long events;
    private long acknowledged;
    private long acknowledgedEvents;

    void add(LogEntry entry) {
        entries.add(new Logged(entry, events));
        events += entry.events().size();
    }

    /** Entries after that sequence. */
    List<LogEntry> read(long after, int most) {
        return entries.subList(indexAfter(after), entries.size()).stream()
                .limit(most)
                .map(Logged::entry)
                .toList();
    }

    private int indexAfter(long sequence) {
        if (entries.isEmpty()) {
            return 0;
        }
        long index = sequence + 1 - entries.get(0).entry().sequence();
        return (int) Math.max(0, Math.min(index, entries.size()));
    }

    /** Order events that are logged and not acknowledged by everyone who reads the log. */
    long backlog() {
        return events - acknowledgedEvents;
    }

    /** Whether everyone who reads the log has acknowledged all entries up to this one. */
    boolean isAcknowledged(long sequence) {
        return sequence <= acknowledged;
    }

    List<LogEntry> takeNew(String group, String consumer, Instant now, int most) {
        Group of = group(group);
        List<LogEntry> taken = read(of.delivered, most);
        for (LogEntry entry : taken) {
            of.pending.put(entry.sequence(), new Pending(consumer, now));
            of.delivered = entry.sequence();
        }
        return taken;
    }

    List<LogEntry> takeOwn(String group, String consumer, Instant now, long after, int most) {
        return takeAgain(
                group, consumer, now, after, most, entry -> entry.consumer.equals(consumer));
    }

    List<LogEntry> takeIdle(String group, String consumer, Instant now, Duration idle, int most) {
        return takeAgain(
                group,
                consumer,
                now,
                0,
                most,
                entry -> !entry.consumer.equals(consumer) && entry.isIdle(now, idle));
    }

    List<Long> pending(String group, String consumer, long after, int most) {
        Group of = groups.get(group);
        if (of == null) {
            return List.of();
        }
        return of.pending.tailMap(after, false).entrySet().stream()
                .filter(entry -> entry.getValue().consumer.equals(consumer))
                .limit(most)
                .map(Map.Entry::getKey)
                .toList();
    }

    private List<LogEntry> takeAgain(
            String group,
            String consumer,
            Instant now,
            long after,
            int most,
            Predicate<Pending> which) {
        List<LogEntry> taken = new ArrayList<>();
        group(group).pending.tailMap(after, false).entrySet().stream()
                .filter(entry -> which.test(entry.getValue()))
                .limit(most)
                .forEach(entry -> {
                    entry.setValue(new Pending(consumer, now));
                    taken.addAll(read(entry.getKey() - 1, 1));
                });
        return taken;
    }

    private Group group(String name) {
        return groups.computeIfAbsent(name, none -> new Group());
    }

    /** @param swept the last entry whose holds have all ended */
    Lag acknowledge(String group, List<Long> sequences, Instant now, long swept) {
        Group own = groups.get(group);
        if (own != null) {
            sequences.forEach(own.pending::remove);
        }
        if (!groups.isEmpty()) {
            acknowledged = groups.values().stream()
                    .mapToLong(Group::acknowledged)
                    .min()
                    .orElseThrow();
            acknowledgedEvents = eventsUpTo(acknowledged);
        }
        long waiting = own == null ? 0 : own.acknowledged();
        Logged oldest = firstAfter(waiting);
        long left = events - eventsUpTo(waiting);
        boolean isAgeKnown = left > 0 && oldest != null && !oldest.entry().at().isAfter(now);
        if (!groups.isEmpty()) {
            entries.subList(0, indexAfter(Math.min(acknowledged, swept))).clear();
        }
        return new Lag(
                left,
                isAgeKnown
                        ? Duration.between(
                                Objects.requireNonNull(oldest).entry().at(), now)
                        : Duration.ZERO,
                dead.size());
    }

    private long eventsUpTo(long sequence) {
        Logged next = firstAfter(sequence);
        return next == null ? events : next.eventsBefore;
    }

    private @Nullable Logged firstAfter(long sequence) {
        int index = indexAfter(sequence);
        return index < entries.size() ? entries.get(index) : null;
    }

    Burial bury(
            String group,
            String consumer,
            long sequence,
            List<Dead> letters,
            @Nullable Duration triedFor,
            Instant now) {
        Group of = groups.get(group);
        if (of == null || !of.pending.containsKey(sequence)) {
            return Burial.NOT_NEEDED;
        }
        TreeMap<Long, Pending> pending = of.pending;
        if (pending.firstKey() != sequence
                || triedFor != null && othersHaveOneFor(triedFor, pending, consumer, now)) {
            return Burial.NOT_YET;
        }
        dead.addAll(letters);
        pending.remove(sequence);
        return Burial.DONE;
    }

    private static boolean othersHaveOneFor(
            Duration time, TreeMap<Long, Pending> pending, String consumer, Instant now) {
        return pending.values().stream()
                .anyMatch(entry -> !entry.consumer.equals(consumer) && entry.isIdle(now, time));
    }

    List<Dead> deadLetters() {
        return List.copyOf(dead);
    }
}
