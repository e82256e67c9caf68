package dev.spike.bench;

import dev.spike.bench.alternatives.QuotaDesign;
import dev.spike.core.LocalSpike;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

import java.util.concurrent.TimeUnit;

/**
 * What does asking a node's quota for a unit cost, in the design in use and in those that lose? In
 * calls of {@link LocalSpike#tryTake} each microsecond, of all threads together, which share one
 * quota. Each subclass is one number of threads. Every answer is checked.
 *
 * <p>Bytes allocated per call: {@code -prof gc}, {@code gc.alloc.rate.norm}.
 *
 * <p>{@link QuotaDesign#GET_AND_ADD} cannot refuse: where others do, it takes, and is told apart by
 * that alone.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 250, timeUnit = TimeUnit.MILLISECONDS)
public abstract class LocalQuotaBenchmark {

    /** What {@link #mixed} has; no thread count here comes near it. */
    private static final int FEW = 1_000;

    @Param({
        "SPIKE",
        "GET_AND_ADD",
        "GET_AND_ADD_THEN_CHECK",
        "COMPARE_AND_SET",
        "SEMAPHORE",
        "REENTRANT_LOCK",
        "SYNCHRONIZED",
        "STRIPED"
    })
    public QuotaDesign design = QuotaDesign.SPIKE;

    private LocalSpike selling = LocalSpike.create();
    private LocalSpike soldOut = LocalSpike.create();
    private LocalSpike mixed = LocalSpike.create();
    private boolean takesTooMany;
    private boolean refusesFalsely;

    LocalQuotaBenchmark() {}

    @Setup(Level.Trial)
    public void create() {
        selling = design.create();
        soldOut = design.create();
        mixed = design.create();
        takesTooMany = !design.refuses();
        refusesFalsely = design.refusesFalsely();
    }

    /** The largest quota that all designs can count: more than an iteration can take. */
    @Setup(Level.Iteration)
    public void refill() {
        selling.refill(Integer.MAX_VALUE);
        soldOut.refill(0);
        mixed.refill(FEW);
    }

    /** Every call gets its unit. */
    @Benchmark
    public void selling() {
        require(true, selling.tryTake(1));
    }

    /** Every call is refused. */
    @Benchmark
    public void soldOut() {
        require(takesTooMany, soldOut.tryTake(1));
    }

    /**
     * Exactly half of the calls are refused: of a quota of {@value #FEW} each thread takes one
     * unit, asks for one more than the whole quota in vain, and gives the unit back. Counted as two
     * calls; giving back is part of their time, and so is asking again by a design that may refuse
     * a unit that is there.
     */
    @Benchmark
    @OperationsPerInvocation(2)
    public void mixed() {
        boolean taken = mixed.tryTake(1);
        while (!taken && refusesFalsely) {
            taken = mixed.tryTake(1);
        }
        require(true, taken);
        require(takesTooMany, mixed.tryTake(FEW + 1));
        mixed.giveBack(1);
    }

    private void require(boolean expected, boolean taken) {
        if (taken != expected) {
            throw new IllegalStateException("must be " + expected + ": taken=" + taken);
        }
    }

    @Threads(1)
    public static class Of1Thread extends LocalQuotaBenchmark {}

    @Threads(2)
    public static class Of2Threads extends LocalQuotaBenchmark {}

    @Threads(8)
    public static class Of8Threads extends LocalQuotaBenchmark {}
}
