package dev.spike.bench.peers;

/**
 * A way to sell one shared stock of {@value #TOTAL} units, which is fresh when this is made. Safe
 * for use by many threads.
 */
public interface Peer extends AutoCloseable {

    /** More than a measurement can sell, and no more than each design can hold. */
    int TOTAL = 1_000_000_000;

    /** The most threads that take units at once. */
    int MAX_THREADS = 64;

    /** Takes one unit, blocking; false if there was none. */
    boolean takeOne();

    /** How many units are gone from the shared stock, as the store itself tells. */
    long taken();

    /** Deletes the stock, and ends all that this started. */
    @Override
    void close();
}
