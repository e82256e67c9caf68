package dev.spike.bench;

import dev.spike.bench.peers.AsyncPeer;
import dev.spike.bench.peers.Peer;
import dev.spike.bench.peers.StockDesign;
import dev.spike.bench.rig.BenchRedis;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * How many units one process sells from one shared stock each second, by each {@link StockDesign}.
 * Every request wants one unit and gets it: a refusal, an error, or a stock that has not lost as
 * many units as were answered fails the measurement, and {@code -foe true} makes JMH stop there;
 * without it JMH tells the error, and goes on. Each design has a server and a stock of its own:
 * Redis without persistence, or PostgreSQL with it. Nobody cancels, confirms, or makes orders
 * meanwhile. Each subclass is one number of threads.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public abstract class SharedStock {

    private final LongAdder answered = new LongAdder();

    @SuppressWarnings("NullAway.Init")
    private BenchRedis redis;

    @SuppressWarnings("NullAway.Init")
    private Peer peer;

    SharedStock() {}

    abstract String design();

    @Setup(Level.Trial)
    public void open() {
        redis = BenchRedis.start();
        peer = StockDesign.of(design()).open(redis);
    }

    @TearDown(Level.Trial)
    public void close() {
        try (BenchRedis server = redis;
                Peer stock = peer) {
            awaitAnswers();
            if (stock.taken() != answered.sum()) {
                throw new IllegalStateException("must be as many as answered: taken="
                        + stock.taken() + " answered=" + answered + " at " + server.uri());
            }
        }
    }

    /** For those that do not wait for each answer. */
    void awaitAnswers() {}

    final Peer peer() {
        return peer;
    }

    final void answered(boolean isTaken) {
        if (!isTaken) {
            throw new IllegalStateException("must get a unit: " + design());
        }
        answered.increment();
    }

    /** Each thread waits for its answer. */
    public abstract static class Blocking extends SharedStock {

        @Param({
            "spike",
            "evalsha-guarantees",
            "evalsha-bare",
            "ancestor",
            "redisson-semaphore",
            "redisson-expirable",
            "bucket4j",
            "bucket4j-batching",
            "postgresql-row"
        })
        public String design = "";

        Blocking() {}

        @Override
        String design() {
            return design;
        }

        @Benchmark
        public void takeOne() {
            answered(peer().takeOne());
        }
    }

    @Threads(1)
    public static class Of1Thread extends Blocking {}

    @Threads(8)
    public static class Of8Threads extends Blocking {}

    @Threads(64)
    @Warmup(iterations = 6, time = 1)
    @Measurement(iterations = 3, time = 1)
    public static class Of64Threads extends Blocking {}

    /**
     * Each thread keeps {@value #IN_FLIGHT} requests in flight: before it asks again, it waits for
     * the oldest answer. What is in flight when an iteration ends, at most 1,024 requests, is
     * counted in the next one.
     */
    @Threads(64)
    @Warmup(iterations = 6, time = 1)
    @Measurement(iterations = 3, time = 1)
    public static class Of64ThreadsInFlight extends SharedStock {

        private static final int IN_FLIGHT = 16;

        @Param({"spike-async", "bucket4j-async", "redisson-async", "lettuce-async"})
        public String design = "";

        private final Queue<InFlight> threads = new ConcurrentLinkedQueue<>();

        @Override
        String design() {
            return design;
        }

        @Benchmark
        public void takeOne(InFlight mine) {
            if (mine.answers.size() == IN_FLIGHT) {
                answered(mine.answers.remove().join());
            }
            mine.answers.add(((AsyncPeer) peer()).takeOneAsync());
        }

        /** The threads have all ended to ask before any state is torn down. */
        @Override
        void awaitAnswers() {
            threads.forEach(thread -> thread.answers.forEach(answer -> answered(answer.join())));
        }

        /** What a thread waits for. */
        @State(Scope.Thread)
        public static class InFlight {

            private final Queue<CompletableFuture<Boolean>> answers = new ArrayDeque<>();

            @Setup(Level.Trial)
            public void join(Of64ThreadsInFlight stock) {
                stock.threads.add(this);
            }
        }
    }
}
