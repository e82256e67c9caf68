package dev.spike.bench.scenario;

import dev.spike.core.Outcome;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * All refusals that buyers with a new key were given, counted by kind and by the milliseconds in
 * which they were asked for and answered: a million of them take no room. Safe for use by many
 * threads.
 *
 * <p>A refusal is false if it was not true at any moment from {@code allowed} before it was asked
 * for until it was answered, where truth is the store's own history: SOLD_OUT is true while nothing
 * is available and nothing reserved, ALL_RESERVED while nothing is available and something is
 * reserved. Both clocks are read in whole milliseconds, and a node's may differ from the store's,
 * so {@link #TOLERANCE_MILLIS} are granted at either end.
 */
final class Refusals {

    /** By how much the clock of a node may differ from the store's. */
    static final long TOLERANCE_MILLIS = 5;

    private record Kind(Outcome outcome, long askedMillis, long answeredMillis) {}

    /**
     * What the history says of them.
     *
     * @param count of all
     * @param wrong how many were false
     * @param oldestMillis the largest age of a true one: how long before the request it had ceased
     *     to be true
     */
    record Check(long count, long wrong, long oldestMillis) {}

    private final Map<Kind, LongAdder> counts = new ConcurrentHashMap<>();

    /**
     * Counts one.
     *
     * @param askedMillis of the epoch, by the store's clock, as answeredMillis
     */
    void add(Outcome outcome, long askedMillis, long answeredMillis) {
        counts.computeIfAbsent(
                        new Kind(outcome, askedMillis, answeredMillis), first -> new LongAdder())
                .increment();
    }

    /**
     * Holds each against the history.
     *
     * @param allowed how old a node's own refusal may be
     */
    Check check(Timeline history, Duration allowed) {
        long mostMillis = allowed.toMillis() + TOLERANCE_MILLIS;
        long count = 0;
        long wrong = 0;
        long oldest = 0;
        for (Map.Entry<Kind, LongAdder> entry : counts.entrySet()) {
            Kind kind = entry.getKey();
            long age = history.age(
                    kind.outcome, kind.askedMillis, kind.answeredMillis + TOLERANCE_MILLIS);
            long many = entry.getValue().sum();
            count += many;
            if (age < 0 || age > mostMillis) {
                wrong += many;
            } else {
                oldest = Math.max(oldest, age);
            }
        }
        return new Check(count, wrong, oldest);
    }
}
