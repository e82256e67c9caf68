package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The keys under which reservations of a sale were made, as 64-bit hashes: what a node must know
 * before it may answer "sold out" to a key by itself, because a repeat must be told of its
 * reservation.
 *
 * <p>Complete for the first {@code reservations} reservations ever made, so it stays complete while
 * the shared stock reports that count. A hash of an unused key may collide with that of a used one;
 * that key is then answered by the shared stock, never wrongly. Immutable once loaded. Open
 * addressing with linear probing, at most half full; 0 marks a free slot, so the hash 0 is stored
 * as 1.
 */
final class UsedKeys {

    private final long reservations;

    /** Random, so that nobody can make keys that collide. */
    private final long seed = new SplittableRandom().nextLong();

    private long[] slots = new long[1024];
    private int size;

    private UsedKeys(long reservations) {
        this.reservations = reservations;
    }

    /** An empty set, to be filled by {@link #add}. */
    static UsedKeys empty() {
        return new UsedKeys(0);
    }

    /**
     * Loads the set, page by page.
     *
     * @param reservations how many reservations had been made at some moment before this call
     */
    static UsedKeys load(RemoteSpike remote, long reservations) {
        UsedKeys set = new UsedKeys(reservations);
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = remote.reservations(cursor);
            for (Progress progress : page.reservations()) {
                set.add(progress.reservation().id());
            }
            cursor = page.next();
        } while (cursor != null);
        return set;
    }

    /** Whether the set knows every key of a sale in which this many reservations were ever made. */
    boolean isCompleteFor(long reservationsEver) {
        return reservations == reservationsEver;
    }

    /** Whether the key may have been used; false is certain. */
    boolean mayContain(String buyer, String key) {
        long hash = nonZero(ReservationId.hash64(seed, buyer, key));
        return slots[slotOf(slots, hash)] == hash;
    }

    /** Adds the key of a reservation; false if it was there. */
    boolean add(ReservationId id) {
        if (size * 2 >= slots.length) {
            long[] wider = new long[slots.length * 2];
            Arrays.stream(slots)
                    .filter(hash -> hash != 0)
                    .forEach(hash -> wider[slotOf(wider, hash)] = hash);
            slots = wider;
        }
        long hash = nonZero(ReservationId.hash64(seed, id.buyer(), id.key()));
        int slot = slotOf(slots, hash);
        if (slots[slot] != 0) {
            return false;
        }
        slots[slot] = hash;
        size++;
        return true;
    }

    private static long nonZero(long hash) {
        return hash == 0 ? 1 : hash;
    }

    /** The slot that holds the hash, or the free one where it belongs. */
    private static int slotOf(long[] slots, long hash) {
        int mask = slots.length - 1;
        int slot = (int) hash & mask;
        while (slots[slot] != 0 && slots[slot] != hash) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
