package dev.spike.bench.fault;

import dev.spike.bench.fault.Simulation.BrokenPromise;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** What all parts of one simulation share: chance, time, and what is told of them. */
final class World {

    static final String SALE = "simulated";
    static final long SECOND = Duration.ofSeconds(1).toNanos();

    final Random random;
    final Scheduler scheduler;
    private final Map<Happening, Long> happened = new EnumMap<>(Happening.class);
    private final Consumer<String> trace;
    private long hash;
    private @Nullable String broken;

    World(long seed, Consumer<String> trace) {
        // Seeds that follow one another would draw much the same at first.
        this.random = new Random(new SplittableRandom(seed).nextLong());
        this.scheduler = new Scheduler(random);
        this.trace = trace;
    }

    long now() {
        return scheduler.nowNanos();
    }

    /** A task that belongs to no node. */
    void at(long nanos, Runnable task) {
        scheduler.after(nanos, null, task);
    }

    /** True in one of so many cases. */
    boolean oneIn(int cases) {
        return random.nextInt(cases) == 0;
    }

    /** From 0 to that, exclusive. */
    long below(long bound) {
        return random.nextLong(bound);
    }

    void note(String what) {
        String line = now() / 1_000 + " µs " + what;
        hash = 31 * hash + line.hashCode();
        trace.accept(line);
    }

    void happened(Happening what, String details) {
        happened.merge(what, 1L, Long::sum);
        note(what + " " + details);
    }

    Map<Happening, Long> happened() {
        return happened;
    }

    /** A promise is broken. */
    void fail(String what) {
        if (broken == null) {
            broken = now() / 1_000 + " µs: " + what;
        }
    }

    void throwIfBroken() {
        if (broken != null) {
            throw new BrokenPromise(broken);
        }
    }

    /** Of all that was told. */
    long hash() {
        return hash;
    }
}
