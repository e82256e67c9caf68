package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A counter under a lock. Not used because a thread that is suspended while it holds the lock stops
 * all others, and because even a refusal must take the lock.
 */
final class ReentrantLockQuota implements LocalSpike {

    private final ReentrantLock lock = new ReentrantLock();
    private long quota;

    @Override
    public boolean tryTake(int quantity) {
        lock.lock();
        try {
            if (quota < quantity) {
                return false;
            }
            quota -= quantity;
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void giveBack(int quantity) {
        lock.lock();
        try {
            quota += quantity;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void refill(long units) {
        lock.lock();
        try {
            quota = units;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long quota() {
        lock.lock();
        try {
            return quota;
        } finally {
            lock.unlock();
        }
    }
}
