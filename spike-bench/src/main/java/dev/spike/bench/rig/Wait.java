package dev.spike.bench.rig;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for something that will be so, but never for ever. */
public final class Wait {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(120);

    private Wait() {}

    /**
     * Looks every millisecond until it is so.
     *
     * @param what it is, for the message
     * @throws IllegalStateException if it is not so after two minutes
     */
    public static void until(String what, BooleanSupplier isSo) {
        long start = System.nanoTime();
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE_NANOS) {
                throw new IllegalStateException("waited in vain until " + what);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}
