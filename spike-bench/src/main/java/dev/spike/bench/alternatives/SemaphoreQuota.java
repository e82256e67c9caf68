package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.Semaphore;

/**
 * A semaphore that nobody waits for; within, the loop of {@link CompareAndSet}. Not used because it
 * counts in an int and can only be set anew in two steps, between which others find it empty; and
 * because it keeps a queue for waiting, of which a quota has no need.
 */
final class SemaphoreQuota implements LocalSpike {

    private final Semaphore quota = new Semaphore(0);

    @Override
    public boolean tryTake(int quantity) {
        return quota.tryAcquire(quantity);
    }

    @Override
    public void giveBack(int quantity) {
        quota.release(quantity);
    }

    /** {@inheritDoc} At most as many as an int holds. */
    @Override
    public void refill(long units) {
        quota.drainPermits();
        quota.release(Math.toIntExact(units));
    }

    @Override
    public long quota() {
        return quota.availablePermits();
    }
}
