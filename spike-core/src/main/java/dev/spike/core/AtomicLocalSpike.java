package dev.spike.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The quota as one counter. Takes and refusals linearize at its compare-and-exchange and at its
 * read.
 */
final class AtomicLocalSpike implements LocalSpike {

    private static final int PAUSES = 16;

    private static final VarHandle UNITS;

    static {
        try {
            UNITS = MethodHandles.lookup()
                    .findVarHandle(AtomicLocalSpike.class, "units", long.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    private volatile long units;

    @Override
    public boolean tryTake(int quantity) {
        Check.quantity(quantity);
        long current = units;
        while (current >= quantity) {
            long witness = (long) UNITS.compareAndExchange(this, current, current - quantity);
            if (witness == current) {
                return true;
            }
            pause();
            current = units;
        }
        return false;
    }

    /** Lets the thread that was faster take a few more, while it has the counter at hand. */
    private static void pause() {
        for (int i = 0; i < PAUSES; i++) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void giveBack(int quantity) {
        Check.quantity(quantity);
        UNITS.getAndAdd(this, (long) quantity);
    }

    @Override
    public void refill(long quota) {
        Check.that(quota >= 0, ">= 0", "quota", quota);
        units = quota;
    }

    @Override
    public long quota() {
        return units;
    }
}
