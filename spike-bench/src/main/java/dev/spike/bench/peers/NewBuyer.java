package dev.spike.bench.peers;

import dev.spike.core.ReservationId;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Buyers as clients of a sale name them, each with a key of its own. */
final class NewBuyer {

    /** So that the limit is looked at; nobody here reaches it. */
    static final int MOST_UNITS = 4;

    private NewBuyer() {}

    /** A buyer of about 13 characters and a key of 36, random, made fast. */
    static ReservationId next() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String buyer = Long.toString(random.nextLong(Long.MAX_VALUE), Character.MAX_RADIX);
        String key = new UUID(random.nextLong(), random.nextLong()).toString();
        return new ReservationId(buyer, key);
    }
}
