package dev.spike.http;

import dev.spike.core.Answer;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.LongAdder;

/**
 * How many asked this server for units of a sale, over either path, and what they were told. Safe
 * for use by many threads; an addition costs some nanoseconds.
 */
final class Traffic {

    private final LongAdder arrivals = new LongAdder();
    private final LongAdder refusals = new LongAdder();
    private final LongAdder unavailable = new LongAdder();
    private final LongAdder reservations = new LongAdder();
    private final @Nullable Long before;

    /**
     * @param before how many reservations the sale had before anybody asked here; null: not known
     */
    Traffic(@Nullable Long before) {
        this.before = before;
    }

    /** Before the request goes anywhere. */
    void arrived() {
        arrivals.increment();
    }

    /** What one that has arrived was told. */
    void answered(Answer answer) {
        switch (answer.outcome()) {
            case RESERVED, CONFIRMED -> {
                if (!answer.repeated()) {
                    reservations.increment();
                }
            }
            case UNAVAILABLE -> unavailable.increment();
            case UNKNOWN -> {}
            default -> refusals.increment();
        }
    }

    /** One that has arrived turned out to be malformed. */
    void refused() {
        refusals.increment();
    }

    /** How many have asked. */
    long arrivals() {
        return arrivals.sum();
    }

    /** How many were told that they get no unit. */
    long refusals() {
        return refusals.sum();
    }

    /** How many were told that they have a reservation, each once. */
    long reservations() {
        return reservations.sum();
    }

    /**
     * How many reservations others have made meanwhile, at least: all but those that may be of who
     * asked here. Null if it is not known how many there were before.
     *
     * @param all reservations of the sale; must have been read before this call
     */
    @Nullable
    Long ofOthers(long all) {
        if (before == null) {
            return null;
        }
        // In this order: who is refused has arrived, so nobody who may have one is left out.
        long without = refusals.sum() + unavailable.sum();
        return Math.max(0, all - before - (arrivals.sum() - without));
    }
}
