package dev.spike.bench.scenario;

import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.Reservation;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What buyers were told of their reservations, by key, and which promises were broken. No two
 * buyers of the scenario have the same key. Safe for use by many threads.
 */
final class Promises {

    private record Told(Instant expiresAt, Outcome state) {}

    private final Map<String, Told> told = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> broken = new ConcurrentLinkedQueue<>();

    /** A buyer was told of a reservation; it must be the one told of before, if there was one. */
    void reserved(Reservation reservation) {
        Told now = new Told(reservation.expiresAt(), Outcome.RESERVED);
        Told before = told.putIfAbsent(reservation.id().key(), now);
        if (before != null && !before.expiresAt.equals(now.expiresAt)) {
            broken("a repeat got another reservation: " + reservation + " after " + before);
        }
    }

    /** A buyer was told that a reservation, of which the buyer knew, is in a final state. */
    void ended(String key, Outcome state) {
        told.computeIfPresent(key, (same, before) -> new Told(before.expiresAt, state));
    }

    void broken(String what) {
        broken.add(what);
    }

    /** What was broken, each in words. */
    List<String> broken() {
        return List.copyOf(broken);
    }

    /** How many reservations buyers were told to be in this state, last. */
    long told(Outcome state) {
        return told.values().stream().filter(each -> each.state == state).count();
    }

    long reservations() {
        return told.size();
    }

    /** Holds all that was told against the records of the store, once the sale is over. */
    void check(RemoteSpike sale) {
        Map<String, Reservation> records = new HashMap<>();
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = sale.reservations(cursor);
            for (Progress progress : page.reservations()) {
                Reservation record = progress.reservation();
                records.put(record.id().key(), record);
            }
            cursor = page.next();
        } while (cursor != null);
        told.forEach((key, each) -> check(key, each, records.get(key)));
        long sold = records.values().stream()
                .filter(record -> record.state() == Outcome.CONFIRMED)
                .count();
        if (sold != told(Outcome.CONFIRMED)) {
            broken("the store has other confirmations than buyers were told of: told="
                    + told(Outcome.CONFIRMED) + ", found=" + sold);
        }
    }

    private void check(String key, Told each, @Nullable Reservation record) {
        if (record == null || !record.expiresAt().equals(each.expiresAt)) {
            broken("answered RESERVED, and not in the store: " + key + ", found=" + record);
        } else if (each.state.isFinal() && record.state() != each.state) {
            broken("told " + each.state + ", and the store says otherwise: " + record);
        }
    }
}
