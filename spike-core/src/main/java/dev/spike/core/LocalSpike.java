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

    /**
     * Gives units back that were taken and that the shared stock refused.
     *
     * @param quantity units, at least 1
     */
    void giveBack(int quantity);

    /**
     * Sets the quota anew after a look at the shared levels.
     *
     * @param quota units, at least 0; what was left before is gone
     */
    void refill(long quota);

    /**
     * The units left.
     *
     * @return units, at least 0; another thread may take them at any moment
     */
    long quota();

    /**
     * An empty quota.
     *
     * @return one that starts with 0 units, so that the first request looks at the levels
     */
    static LocalSpike create() {
        return new AtomicLocalSpike();
    }
}
