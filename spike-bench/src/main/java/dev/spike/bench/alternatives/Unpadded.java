package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The design in use without its padding, as an {@link AtomicLong}. Not used because with several
 * threads it depends on what lies beside it in memory, and was often the slower for it.
 */
final class Unpadded implements LocalSpike {

    private final AtomicLong quota = new AtomicLong();

    @Override
    public boolean tryTake(int quantity) {
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
        quota.addAndGet(quantity);
    }

    @Override
    public void refill(long units) {
        quota.set(units);
    }

    @Override
    public long quota() {
        return quota.get();
    }
}
