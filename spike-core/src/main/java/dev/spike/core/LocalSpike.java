package dev.spike.core;

/**
 * A node's quota: how many units it may still ask the shared stock for before it must look at the
 * shared levels again. It never says "sold out"; running out of quota only means to look.
 *
 * <p>Safe for use by many threads; no method blocks.
 */
public interface LocalSpike {

    /**
     * Takes units from the quota, all or none.
     *
     * @param quantity units, at least 1
     * @return whether the quota held that many
     */
    boolean tryTake(int quantity);

    /** Gives units back that were taken and that the shared stock refused; at least 1. */
    void giveBack(int quantity);

    /** Sets the quota anew after a look at the shared levels; units, at least 0. */
    void refill(long quota);

    /** The units left. */
    long quota();

    /** An empty quota. */
    static LocalSpike create() {
        return new AtomicLocalSpike();
    }
}
