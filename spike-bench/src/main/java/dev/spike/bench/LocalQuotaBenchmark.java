package dev.spike.bench;

import dev.spike.core.LocalSpike;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What taking a unit from a node's quota costs, beside the bare counter that checks nothing. All
 * threads share one quota. Each subclass is one number of threads.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public abstract class LocalQuotaBenchmark {

    private final LocalSpike selling = LocalSpike.create();
    private final LocalSpike usedUp = LocalSpike.create();
    private final AtomicLong counter = new AtomicLong(Long.MAX_VALUE);

    LocalQuotaBenchmark() {
        selling.refill(Long.MAX_VALUE);
    }

    @Benchmark
    public boolean selling() {
        return selling.tryTake(1);
    }

    @Benchmark
    public boolean usedUp() {
        return usedUp.tryTake(1);
    }

    @Benchmark
    public long bareGetAndAdd() {
        return counter.getAndAdd(-1);
    }

    @Threads(1)
    public static class Of1Thread extends LocalQuotaBenchmark {}

    @Threads(2)
    public static class Of2Threads extends LocalQuotaBenchmark {}

    @Threads(8)
    public static class Of8Threads extends LocalQuotaBenchmark {}
}
