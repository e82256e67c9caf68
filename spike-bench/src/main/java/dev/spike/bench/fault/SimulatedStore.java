package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;
import dev.spike.core.RemoteSpike;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The shared stock of a simulation: the in-memory specification on a virtual clock, which can lose
 * its last changes, as a Redis does that restarts from its file or fails over to a replica.
 */
final class SimulatedStore {

    private static final long EPOCH_MILLIS = 1_800_000_000_000L;

    private record Change(Instant at, Function<RemoteSpike, ?> call) {}

    private final Scheduler scheduler;
    private final String saleId;
    private final List<Change> changes = new ArrayList<>();
    private Instant replayedAt = Instant.EPOCH;
    private boolean isReplaying;
    private InMemorySpike stock;
    private int losses;
    private long downUntilNanos;

    SimulatedStore(Scheduler scheduler, String saleId) {
        this.scheduler = scheduler;
        this.saleId = saleId;
        this.stock = create();
    }

    private InMemorySpike create() {
        return new InMemorySpike(saleId, this::now);
    }

    Instant now() {
        return isReplaying
                ? replayedAt
                : Instant.ofEpochMilli(EPOCH_MILLIS).plusNanos(scheduler.nowNanos());
    }

    /** The virtual moment of a time of its clock. */
    long nanosAt(Instant time) {
        return Duration.between(Instant.ofEpochMilli(EPOCH_MILLIS), time).toNanos();
    }

    boolean isDown() {
        return scheduler.nowNanos() < downUntilNanos;
    }

    void downFor(long nanos) {
        downUntilNanos = scheduler.nowNanos() + nanos;
    }

    void up() {
        downUntilNanos = 0;
    }

    /** The stock, to look at. */
    RemoteSpike stock() {
        return stock;
    }

    /** How often it has lost changes. */
    int losses() {
        return losses;
    }

    /** Runs a call as one step. */
    <T> T run(Function<RemoteSpike, T> call) {
        long before = stock.levels().sequence();
        Instant at = now();
        T reply = call.apply(stock);
        if (stock.levels().sequence() > before) {
            changes.add(new Change(at, call));
        }
        return reply;
    }

    /**
     * Loses the last changes, but never that the sale was opened.
     *
     * @return how many were lost
     */
    int lose(int most) {
        int lost = Math.min(most, changes.size() - 1);
        if (lost > 0) {
            losses++;
            changes.subList(changes.size() - lost, changes.size()).clear();
            stock = create();
            isReplaying = true;
            for (Change change : changes) {
                replayedAt = change.at;
                var unused = change.call.apply(stock);
            }
            isReplaying = false;
        }
        return Math.max(0, lost);
    }

    /** The levels, with one ledger for all its life: losing the last changes keeps it. */
    static Levels named(Levels levels) {
        return levels.phase() == Levels.Phase.ABSENT
                ? levels
                : new Levels(
                        levels.phase(),
                        "ledger",
                        levels.sequence(),
                        levels.available(),
                        levels.reserved(),
                        levels.sold(),
                        levels.reservations(),
                        levels.backlog(),
                        levels.opensAt(),
                        levels.closesAt(),
                        levels.asOf());
    }
}
