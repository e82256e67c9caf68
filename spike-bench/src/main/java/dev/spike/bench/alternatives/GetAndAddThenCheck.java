package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Subtracts first, and gives back if that was too much; it reads before, so that an empty quota is
 * not written to. Not used, although it never has to try again, because between the two steps the
 * counter is too low, even below zero: a call may be refused a unit that is there, what is given
 * back after a refill is one too many, and the quota that is displayed may be negative.
 */
final class GetAndAddThenCheck implements LocalSpike {

    private final AtomicLong quota = new AtomicLong();

    @Override
    public boolean tryTake(int quantity) {
        if (quota.get() < quantity) {
            return false;
        }
        if (quota.getAndAdd(-quantity) >= quantity) {
            return true;
        }
        quota.getAndAdd(quantity);
        return false;
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
