package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The design in use with {@link Thread#onSpinWait} before each further try. Not used because it
 * gains nothing on a few cores; with more, what a pause is worth depends on the processor.
 */
final class SpinWait implements LocalSpike {

    private final AtomicLong quota = new AtomicLong();

    @Override
    public boolean tryTake(int quantity) {
        long current = quota.get();
        while (current >= quantity) {
            long witness = quota.compareAndExchange(current, current - quantity);
            if (witness == current) {
                return true;
            }
            Thread.onSpinWait();
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
