package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

/**
 * A counter under a monitor. Not used for the same reasons as {@link ReentrantLockQuota}; besides,
 * before Java 24 a virtual thread that waits for a monitor keeps its carrier.
 */
final class SynchronizedQuota implements LocalSpike {

    private long quota;

    @Override
    public synchronized boolean tryTake(int quantity) {
        if (quota < quantity) {
            return false;
        }
        quota -= quantity;
        return true;
    }

    @Override
    public synchronized void giveBack(int quantity) {
        quota += quantity;
    }

    @Override
    public synchronized void refill(long units) {
        quota = units;
    }

    @Override
    public synchronized long quota() {
        return quota;
    }
}
