package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The floor: one atomic subtraction and no check. Not used because it takes what is not there; it
 * shows what any design with one counter pays at least.
 */
final class GetAndAdd implements LocalSpike {

    private final AtomicLong quota = new AtomicLong();

    @Override
    public boolean tryTake(int quantity) {
        quota.getAndAdd(-quantity);
        return true;
    }

    @Override
    public void giveBack(int quantity) {
        quota.getAndAdd(quantity);
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
