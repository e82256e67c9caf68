package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Compare-and-set if there is enough, tried again at once. Not used because several threads then
 * take the counter from each other with each try, most of which fail.
 */
final class CompareAndSet implements LocalSpike {

    private final AtomicLong quota = new AtomicLong();

    @Override
    public boolean tryTake(int quantity) {
        long current = quota.get();
        while (current >= quantity) {
            if (quota.compareAndSet(current, current - quantity)) {
                return true;
            }
            current = quota.get();
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
