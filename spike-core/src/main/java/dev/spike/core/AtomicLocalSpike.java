package dev.spike.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The quota as one counter. Takes and refusals linearize at its compare-and-exchange and at its
 * read.
 */
final class AtomicLocalSpike extends Padded.Counter implements LocalSpike {

    private static final VarHandle UNITS;

    static {
        try {
            UNITS = MethodHandles.lookup().findVarHandle(Padded.Units.class, "units", long.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    @Override
    public boolean tryTake(int quantity) {
        Check.quantity(quantity);
        long current = units;
        while (current >= quantity) {
            long witness = (long) UNITS.compareAndExchange(this, current, current - quantity);
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
