package dev.spike.core;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes keys of 22 characters that nobody can guess, since whoever knows a reservation's id may end
 * it. Random bytes are drawn for many keys at once: each drawing takes a lock that all threads of
 * the process share. Safe for use by many threads.
 */
final class RandomKeys {

    private static final int BYTES = 16;
    private static final int KEYS = 256;

    /** Bytes for some keys, each of which is given out once. */
    private static final class Drawn {
        final byte[] bytes = new byte[KEYS * BYTES];
        final AtomicInteger next = new AtomicInteger();
    }

    private final SecureRandom random = new SecureRandom();
    private volatile Drawn drawn = draw();

    String next() {
        Drawn from = drawn;
        int key = from.next.getAndIncrement();
        while (key >= KEYS) {
            from = drawnAfter(from);
            key = from.next.getAndIncrement();
        }
        byte[] bytes = Arrays.copyOfRange(from.bytes, key * BYTES, (key + 1) * BYTES);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private synchronized Drawn drawnAfter(Drawn used) {
        if (drawn == used) {
            drawn = draw();
        }
        return drawn;
    }

    private Drawn draw() {
        Drawn fresh = new Drawn();
        random.nextBytes(fresh.bytes);
        return fresh;
    }
}
