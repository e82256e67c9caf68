package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A server with the shared stock: the in-memory specification on a virtual clock. It remembers all
 * changes, so that it can lose the last ones.
 */
final class Server {

    private static final long EPOCH_MILLIS = 1_800_000_000_000L;

    private record Change(Instant at, Function<InMemorySpike, ?> call) {}

    private final Scheduler scheduler;
    private final String saleId;
    private final List<Change> changes = new ArrayList<>();
    private InMemorySpike stock;
    private OverTime<Levels> levels = new OverTime<>();
    private Map<String, OverTime<Long>> unitsOfBuyers = new HashMap<>();
    private Instant replayedAt = Instant.EPOCH;
    private boolean isReplaying;
    private int ledger = 1;
    private long aheadNanos;
    private long downUntilNanos;
    private long slowUntilNanos;

    Server(Scheduler scheduler, String saleId) {
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
                : Instant.ofEpochMilli(EPOCH_MILLIS).plusNanos(scheduler.nowNanos() + aheadNanos);
    }

    /** The virtual moment of a time of its clock. */
    long nanosAt(Instant time) {
        return Duration.between(Instant.ofEpochMilli(EPOCH_MILLIS), time).toNanos() - aheadNanos;
    }

    /** From now on its clock is this far ahead of the virtual one. */
    void setClock(Duration ahead) {
        aheadNanos = ahead.toNanos();
    }

    boolean isDown() {
        return scheduler.nowNanos() < downUntilNanos;
    }

    void downFrom(long nanos) {
        scheduler.after(nanos, null, () -> downUntilNanos = Long.MAX_VALUE);
    }

    void downFor(long nanos) {
        downUntilNanos = scheduler.nowNanos() + nanos;
    }

    boolean isSlow() {
        return scheduler.nowNanos() < slowUntilNanos;
    }

    void slowFor(long nanos) {
        slowUntilNanos = scheduler.nowNanos() + nanos;
    }

    void heal() {
        downUntilNanos = 0;
        slowUntilNanos = 0;
    }

    /** The stock, to look at. */
    InMemorySpike stock() {
        return stock;
    }

    /** The levels as they were, from one step to the next. */
    OverTime<Levels> levels() {
        return levels;
    }

    /** The units that count towards a buyer's limit, from one step to the next. */
    OverTime<Long> unitsOf(String buyer) {
        return unitsOfBuyers.computeIfAbsent(buyer, none -> {
            OverTime<Long> units = new OverTime<>();
            units.add(Long.MIN_VALUE, 0L);
            return units;
        });
    }

    /** How many changes it remembers. */
    int changes() {
        return changes.size();
    }

    /**
     * Runs a call as one step.
     *
     * @param isChange whether a call with this reply is a change, though it is none of the sale
     */
    <T> T run(Function<InMemorySpike, T> call, Predicate<T> isChange) {
        long before = stock.levels().sequence();
        Instant at = now();
        T reply = call.apply(stock);
        if (stock.levels().sequence() > before || isChange.test(reply)) {
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
        int lost = Math.max(0, Math.min(most, changes.size() - 1));
        if (lost > 0) {
            changes.subList(changes.size() - lost, changes.size()).clear();
            replay();
        }
        return lost;
    }

    /** Loses everything; what is opened then has another ledger. */
    void loseAll() {
        changes.clear();
        stock = create();
        levels = new OverTime<>();
        unitsOfBuyers = new HashMap<>();
        ledger++;
    }

    /** Another server, which lacks the last changes of this one. */
    Server replica(int behind) {
        Server replica = new Server(scheduler, saleId);
        int kept = Math.min(changes.size(), Math.max(1, changes.size() - behind));
        replica.changes.addAll(changes.subList(0, kept));
        replica.ledger = ledger;
        replica.aheadNanos = aheadNanos;
        replica.replay();
        return replica;
    }

    private void replay() {
        stock = create();
        levels = new OverTime<>();
        unitsOfBuyers = new HashMap<>();
        isReplaying = true;
        for (Change change : changes) {
            replayedAt = change.at;
            var unused = change.call.apply(stock);
        }
        isReplaying = false;
    }

    /** The levels as a caller sees them, with a ledger that is the same in each run of a seed. */
    Levels named(Levels levels) {
        return levels.phase() == Levels.Phase.ABSENT
                ? levels
                : new Levels(
                        levels.phase(),
                        "ledger" + ledger,
                        levels.sequence(),
                        levels.total(),
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
