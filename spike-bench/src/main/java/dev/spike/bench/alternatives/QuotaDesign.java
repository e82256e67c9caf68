package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.Locale;
import java.util.function.Supplier;

/** The ways to count a quota that are compared. */
public enum QuotaDesign {
    /** The one in use: a loop of compare-and-exchange, with a pause before a further try. */
    SPIKE(LocalSpike::create),
    /** The floor: it checks nothing, and so cannot refuse. */
    GET_AND_ADD(GetAndAdd::new),
    /** Takes first, and gives back if that was too much. */
    GET_AND_ADD_THEN_CHECK(GetAndAddThenCheck::new),
    /** The one in use, without the pause. */
    COMPARE_AND_SET(CompareAndSet::new),
    /** {@link java.util.concurrent.Semaphore}. */
    SEMAPHORE(SemaphoreQuota::new),
    /** {@link java.util.concurrent.locks.ReentrantLock}. */
    REENTRANT_LOCK(ReentrantLockQuota::new),
    /** A monitor. */
    SYNCHRONIZED(SynchronizedQuota::new),
    /** A cell for each thread, filled in chunks from a common counter. */
    STRIPED(Striped::new);

    private final Supplier<LocalSpike> constructor;

    QuotaDesign(Supplier<LocalSpike> constructor) {
        this.constructor = constructor;
    }

    /** An empty quota of this design. */
    public LocalSpike create() {
        return constructor.get();
    }

    /** Its name in tables. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether it ever says no. */
    public boolean refuses() {
        return this != GET_AND_ADD;
    }

    /** Whether a call may be refused a unit that is there. */
    public boolean refusesFalsely() {
        return this == GET_AND_ADD_THEN_CHECK || this == STRIPED;
    }
}
