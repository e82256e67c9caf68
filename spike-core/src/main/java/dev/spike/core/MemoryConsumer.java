package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The log of an {@link InMemorySpike} as one consumer sees it; every call is under its monitor. */
final class MemoryConsumer implements OrderLog {

    private final InMemorySpike sale;
    private final String group;
    private final String name;

    MemoryConsumer(InMemorySpike sale, String group, String name) {
        this.sale = sale;
        this.group = group;
        this.name = name;
    }

    @Override
    public @Nullable Taken takeOwn(long after, int most) {
        return sale.withLog((log, levels) ->
                taken(levels, log.takeOwn(group, name, levels.asOf(), after, most)));
    }

    @Override
    public List<Long> pending(long after, int most) {
        return Objects.requireNonNullElse(
                sale.withLog((log, levels) -> log.pending(group, name, after, most)), List.of());
    }

    @Override
    public @Nullable Taken takeIdle(Duration idle, int most) {
        return sale.withLog((log, levels) ->
                taken(levels, log.takeIdle(group, name, levels.asOf(), idle, most)));
    }

    @Override
    public @Nullable Taken takeNew(int most) {
        return sale.withLog(
                (log, levels) -> taken(levels, log.takeNew(group, name, levels.asOf(), most)));
    }

    private static Taken taken(Levels levels, List<LogEntry> entries) {
        long total = entries.stream().mapToLong(LogEntry::total).reduce(levels.total(), Math::max);
        return new Taken(total, entries, Map.of());
    }

    @Override
    public @Nullable Lag acknowledge(List<Long> sequences) {
        Check.that(
                sequences.size() <= MAX_ACKNOWLEDGED,
                "<= " + MAX_ACKNOWLEDGED,
                "sequences.size",
                sequences.size());
        return sale.withLog(
                (log, levels) -> log.acknowledge(group, sequences, levels.asOf(), sale.swept()));
    }

    @Override
    public Burial bury(long sequence, List<Dead> events, @Nullable Duration triedFor) {
        return Objects.requireNonNullElse(
                sale.withLog((log, levels) ->
                        log.bury(group, name, sequence, events, triedFor, levels.asOf())),
                Burial.NOT_NEEDED);
    }
}
