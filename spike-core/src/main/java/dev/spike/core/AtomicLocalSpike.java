package dev.spike.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The quota as one counter. Takes and refusals linearize at its compare-and-set and at its read.
 */
final class AtomicLocalSpike implements LocalSpike {

    private final AtomicLong quota = new AtomicLong();

    @Override
    public boolean tryTake(int quantity) {
        Check.quantity(quantity);
        long current = quota.get();
        while (current >= quantity) {
            long witness = quota.compareAndExchange(current, current - quantity);
            if (witness == current) {
                return true;
            }
            current = witness;
        }
        return false;
    }

    @Override
    public void giveBack(int quantity) {
        Check.quantity(quantity);
        quota.addAndGet(quantity);
    }

    @Override
    public void refill(long units) {
        Check.that(units >= 0, ">= 0", "quota", units);
        quota.set(units);
    }

    @Override
    public long quota() {
        return quota.get();
    }
}
