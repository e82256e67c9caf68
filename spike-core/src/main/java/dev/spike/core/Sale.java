package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.regex.Pattern;

/**
 * One stock of identical units under one id, with its rules. A value: the {@code with} methods
 * answer a changed copy.
 *
 * @param id 1 to 64 of {@code A-Z a-z 0-9 _ -}
 * @param total the units to sell, 0 to {@value #MAX_TOTAL}
 * @param perBuyer how many units one buyer may hold or have bought, over all nodes; 0: no limit
 * @param hold how long an unconfirmed reservation lives, 1 ms to 366 days, counted in whole
 *     milliseconds
 * @param maxHold how long it lives at most when its hold is extended, hold to 366 days, counted in
 *     whole milliseconds
 * @param opensAt in whole milliseconds, 1970 to 9999, as closesAt; before this instant of the
 *     store's clock every request is {@link Outcome#NOT_OPEN}; null: open at once
 * @param closesAt from this instant of the store's clock every request is {@link Outcome#CLOSED};
 *     null: never
 */
public record Sale(
        String id,
        long total,
        int perBuyer,
        Duration hold,
        Duration maxHold,
        @Nullable Instant opensAt,
        @Nullable Instant closesAt) {

    /** The largest stock: one thousand million units. */
    public static final long MAX_TOTAL = 1_000_000_000L;

    /** The hold time of {@link #of}: 5 minutes. */
    public static final Duration DEFAULT_HOLD = Duration.ofMinutes(5);

    private static final Duration LONGEST_HOLD = Duration.ofDays(366);
    private static final Instant LATEST = Instant.parse("9999-12-31T00:00:00Z");
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    /**
     * Rules, checked.
     *
     * @param id 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @param total units, 0 to {@value #MAX_TOTAL}
     * @param perBuyer units, at least 0
     * @param hold 1 ms to 366 days; what is less than a millisecond is cut off, here and below
     * @param maxHold hold to 366 days
     * @param opensAt 1970 to 9999, before closesAt; or null
     * @param closesAt 1970 to 9999; or null
     * @throws IllegalArgumentException if a rule is out of its range; the message names it
     */
    public Sale {
        requireId(id);
        Check.that(total >= 0 && total <= MAX_TOTAL, ">= 0 and <= " + MAX_TOTAL, "total", total);
        Check.that(perBuyer >= 0, ">= 0", "perBuyer", perBuyer);
        Check.that(
                hold.compareTo(Duration.ofMillis(1)) >= 0 && hold.compareTo(LONGEST_HOLD) <= 0,
                ">= 1 ms and <= 366 d",
                "hold",
                hold);
        hold = hold.truncatedTo(ChronoUnit.MILLIS);
        Check.that(
                maxHold.compareTo(hold) >= 0 && maxHold.compareTo(LONGEST_HOLD) <= 0,
                ">= hold=" + hold + " and <= 366 d",
                "maxHold",
                maxHold);
        maxHold = maxHold.truncatedTo(ChronoUnit.MILLIS);
        opensAt = wholeMillis("opensAt", opensAt);
        closesAt = wholeMillis("closesAt", closesAt);
        Check.that(
                opensAt == null || closesAt == null || opensAt.isBefore(closesAt),
                "before closesAt=" + closesAt,
                "opensAt",
                String.valueOf(opensAt));
    }

    private static @Nullable Instant wholeMillis(String name, @Nullable Instant instant) {
        if (instant == null) {
            return null;
        }
        Check.that(
                !instant.isBefore(Instant.EPOCH) && instant.isBefore(LATEST),
                "from 1970 to 9999",
                name,
                instant);
        return instant.truncatedTo(ChronoUnit.MILLIS);
    }

    /**
     * A sale that is open from now on, without a per-buyer limit, with a hold time of
     * {@link #DEFAULT_HOLD} that can be extended to twice as long.
     *
     * @param id 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @param total units, 0 to {@value #MAX_TOTAL}
     * @return the rules, to be changed by the {@code with} methods
     * @throws IllegalArgumentException if id or total is malformed
     */
    public static Sale of(String id, long total) {
        return new Sale(id, total, 0, DEFAULT_HOLD, DEFAULT_HOLD.multipliedBy(2), null, null);
    }

    /**
     * This sale with another total.
     *
     * @param units 0 to {@value #MAX_TOTAL}
     * @return the changed copy
     * @throws IllegalArgumentException if it is out of range
     */
    public Sale withTotal(long units) {
        return new Sale(id, units, perBuyer, hold, maxHold, opensAt, closesAt);
    }

    /**
     * This sale with a limit of units per buyer.
     *
     * @param units that one buyer may hold or have bought, over all nodes; 0: no limit
     * @return the changed copy
     * @throws IllegalArgumentException if it is negative
     */
    public Sale withPerBuyer(int units) {
        return new Sale(id, total, units, hold, maxHold, opensAt, closesAt);
    }

    /**
     * This sale with another hold time, which can be extended to twice as long.
     *
     * @param time how long an unconfirmed reservation lives, 1 ms to 366 days
     * @return the changed copy; its {@link #maxHold} is twice the time, 366 days at most
     * @throws IllegalArgumentException if it is out of range
     */
    public Sale withHold(Duration time) {
        Duration twice = time.compareTo(LONGEST_HOLD) > 0 ? time : time.multipliedBy(2);
        Duration longest = twice.compareTo(LONGEST_HOLD) > 0 ? LONGEST_HOLD : twice;
        return new Sale(id, total, perBuyer, time, longest, opensAt, closesAt);
    }

    /**
     * This sale with another bound for extended holds.
     *
     * @param time how long after it was made a hold may end at the latest, {@link #hold} to 366
     *     days; the hold time: none can be extended
     * @return the changed copy
     * @throws IllegalArgumentException if it is out of range
     */
    public Sale withMaxHold(Duration time) {
        return new Sale(id, total, perBuyer, hold, time, opensAt, closesAt);
    }

    /**
     * This sale with other opening hours, which are those of the store's clock.
     *
     * @param opens from this instant on, inclusive, 1970 to 9999; null: at once
     * @param closes until this instant, exclusive, 1970 to 9999; null: for good
     * @return the changed copy
     * @throws IllegalArgumentException if either is out of range, or it does not open before it
     *     closes
     */
    public Sale withOpening(@Nullable Instant opens, @Nullable Instant closes) {
        return new Sale(id, total, perBuyer, hold, maxHold, opens, closes);
    }

    /**
     * Checks a sale id.
     *
     * @param id to be checked
     * @return the id
     * @throws IllegalArgumentException if it is not 1 to 64 of {@code A-Z a-z 0-9 _ -}
     */
    public static String requireId(String id) {
        Check.that(ID.matcher(id).matches(), "1 to 64 of A-Z a-z 0-9 _ -", "sale", id);
        return id;
    }
}
