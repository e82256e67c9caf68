package dev.spike.core;

import dev.spike.core.Levels.Phase;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;

/**
 * What a node knows of the shared stock, and so what it may refuse by itself. Immutable; a
 * {@link Spike} replaces it with each reply.
 *
 * <p>The gate refuses only what the shared stock refused when it last reported, or what it would
 * reserve but for the backlog of orders. It may lag behind units that came back, by three syncs at
 * most, also on a node that stood still; it never refuses a key that it knows to be used.
 */
final class Gate {

    /** A refusal ready to hand out, so that refusing allocates nothing. */
    record Refusal(Answer answer, CompletionStage<Answer> stage) {
        Refusal(Answer answer) {
            this(answer, CompletableFuture.completedStage(answer));
        }
    }

    /** Levels, null before the first, and when they were asked for and came, in elapsed time. */
    private record Report(@Nullable Levels levels, long askedNanos, long receivedNanos) {}

    private static final Map<Outcome, Refusal> REFUSALS = new EnumMap<>(Map.of(
            Outcome.SOLD_OUT, new Refusal(Answer.of(Outcome.SOLD_OUT)),
            Outcome.ALL_RESERVED, new Refusal(Answer.of(Outcome.ALL_RESERVED)),
            Outcome.NOT_OPEN, new Refusal(Answer.of(Outcome.NOT_OPEN)),
            Outcome.CLOSED, new Refusal(Answer.of(Outcome.CLOSED)),
            Outcome.UNAVAILABLE,
                    new Refusal(Answer.later(Outcome.UNAVAILABLE, Duration.ofSeconds(30)))));
    private static final Refusal BACKED_UP =
            new Refusal(Answer.later(Outcome.UNAVAILABLE, Duration.ofSeconds(1)));

    private final long mostBacklog;
    private final long maxAgeNanos;
    private final @Nullable Levels levels;
    private final long askedNanos;
    private final long receivedNanos;
    private final @Nullable UsedKeys usedKeys;
    private final @Nullable String halted;
    private final boolean outdated;

    /**
     * The largest quantity that must be asked for; any larger one gets the {@link #beyond} refusal,
     * if there is one.
     */
    private final long sellable;

    private final @Nullable Refusal beyond;

    private Gate(
            long mostBacklog,
            long maxAgeNanos,
            Report report,
            @Nullable UsedKeys usedKeys,
            @Nullable String halted,
            boolean outdated) {
        this.mostBacklog = mostBacklog;
        this.maxAgeNanos = maxAgeNanos;
        this.levels = report.levels();
        this.askedNanos = report.askedNanos();
        this.receivedNanos = report.receivedNanos();
        this.usedKeys = usedKeys;
        this.halted = halted;
        this.outdated = outdated;
        if (halted != null) {
            this.sellable = 0;
            this.beyond = REFUSALS.get(Outcome.UNAVAILABLE);
        } else if (levels != null
                && !outdated
                && levels.backlog() >= mostBacklog
                && levels.answerTo(1) == Outcome.RESERVED) {
            this.sellable = 0;
            this.beyond = BACKED_UP;
        } else if (levels != null && !outdated && !levels.isBroken()) {
            this.sellable = levels.phase() == Phase.OPEN ? levels.available() : 0;
            this.beyond =
                    REFUSALS.get(levels.answerTo((int) Math.min(sellable + 1, Integer.MAX_VALUE)));
        } else {
            this.sellable = Long.MAX_VALUE;
            this.beyond = null;
        }
    }

    /**
     * Before the first report: nothing is known, nothing is refused.
     *
     * @param mostBacklog from how many order events on that wait nothing new is reserved
     * @param maxAgeNanos how long after they were asked for levels are too old to refuse by
     */
    static Gate unknown(long mostBacklog, long maxAgeNanos) {
        return new Gate(mostBacklog, maxAgeNanos, new Report(null, 0, 0), null, null, false);
    }

    /**
     * This gate after a report that was asked for and came at these moments of the node's elapsed
     * time.
     */
    Gate with(Levels fresh, long asked, long received) {
        Report report = new Report(fresh, asked, received);
        UsedKeys stillComplete = ifComplete(usedKeys, fresh);
        return new Gate(mostBacklog, maxAgeNanos, report, stillComplete, halted, false);
    }

    /** This gate, knowing the used keys, unless more were used since the set was begun. */
    Gate withUsedKeys(UsedKeys set) {
        UsedKeys complete = ifComplete(set, levels);
        return new Gate(mostBacklog, maxAgeNanos, report(), complete, halted, outdated);
    }

    private static @Nullable UsedKeys ifComplete(@Nullable UsedKeys set, @Nullable Levels at) {
        return set != null && at != null && set.isCompleteFor(at.reservations()) ? set : null;
    }

    /** This gate, once what is known is too old to refuse by. */
    Gate outdated() {
        return new Gate(mostBacklog, maxAgeNanos, report(), usedKeys, halted, true);
    }

    /** This gate, shut for good. */
    Gate halted(String reason) {
        return new Gate(mostBacklog, maxAgeNanos, report(), usedKeys, reason, outdated);
    }

    boolean isOutdated() {
        return outdated;
    }

    private Report report() {
        return new Report(levels, askedNanos, receivedNanos);
    }

    @Nullable
    Levels levels() {
        return levels;
    }

    @Nullable
    String haltReason() {
        return halted;
    }

    /** When the levels were asked for, in the node's elapsed time. */
    long askedNanos() {
        return askedNanos;
    }

    /** Whether this report, asked for at that moment, says more than what is known. */
    boolean isOlderThan(Levels fresh, long asked) {
        return levels == null
                || fresh.sequence() > levels.sequence()
                || fresh.sequence() == levels.sequence() && asked - askedNanos >= 0;
    }

    /**
     * The store's clock, in milliseconds of the epoch, at a moment of the node's elapsed time; at
     * most as far as it really is then. Only once levels are known.
     */
    long storeMillisAt(long nanos) {
        return Objects.requireNonNull(levels)
                .asOf()
                .plusNanos(nanos - receivedNanos)
                .toEpochMilli();
    }

    /**
     * What every request under a key that nobody used before is told until there is another gate,
     * whatever its quantity; null: that depends.
     */
    @Nullable
    Answer answerToAll() {
        return sellable == 0 && beyond != null && !waitsForOpening() ? beyond.answer() : null;
    }

    /**
     * The refusal of a request under a key that nobody used before; null: the shared stock must be
     * asked.
     */
    @Nullable
    Refusal refusal(int quantity, LongSupplier nanoTime) {
        return quantity <= sellable || mayHaveOpened(nanoTime) || isTooOld(nanoTime)
                ? null
                : beyond;
    }

    /**
     * Whether what is known is too old to refuse by, counted from when it was asked for: a node may
     * stand still while the reply waits to be read, and wake with levels of before.
     */
    boolean isTooOld(LongSupplier nanoTime) {
        return levels != null && halted == null && nanoTime.getAsLong() - askedNanos > maxAgeNanos;
    }

    /**
     * The refusal of a request under a key that may have been used before; null: the shared stock
     * must be asked.
     */
    @Nullable
    Refusal refusal(String buyer, String key, int quantity, LongSupplier nanoTime) {
        boolean mayBeUsed = quantity > sellable
                && anyMayBeUsed()
                && (usedKeys == null ? !isBackedUp() : usedKeys.mayContain(buyer, key));
        return mayBeUsed ? null : refusal(quantity, nanoTime);
    }

    /** Whether so many order events wait that nothing new is reserved. */
    private boolean isBackedUp() {
        return beyond == BACKED_UP;
    }

    /** Whether the keys are needed, and not known, to refuse by itself. */
    boolean wantsUsedKeys() {
        return sellable == 0 && usedKeys == null && anyMayBeUsed();
    }

    private boolean anyMayBeUsed() {
        return halted == null && levels != null && levels.reservations() > 0;
    }

    /** Whether it may open with the time alone. */
    private boolean waitsForOpening() {
        return levels != null && levels.phase() == Phase.NOT_YET_OPEN && halted == null;
    }

    /**
     * The store reported its time somewhen after it was asked, so its clock has come at most this
     * far.
     */
    private boolean mayHaveOpened(LongSupplier nanoTime) {
        return levels != null
                && waitsForOpening()
                && (levels.opensAt() == null
                        || !levels.asOf()
                                .plusNanos(nanoTime.getAsLong() - askedNanos)
                                .isBefore(levels.opensAt()));
    }
}
