package dev.spike.bench;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisStore;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * How many reservations one node makes in one Redis, end to end: quota, group commit, Redis,
 * answer. Every request is another buyer's, and each gets a unit. Each iteration has a sale of its
 * own.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
public class PreDeductionBenchmark {

    private static final int IN_FLIGHT = 16;

    private final BenchRedis redis = BenchRedis.start();
    private final RedisStore store = RedisStore.connect(redis.uri());
    private String saleId = "";

    @SuppressWarnings("NullAway.Init")
    private Spike spike;

    @Setup(Level.Iteration)
    public void open() {
        saleId = "bench-" + UUID.randomUUID();
        spike = Spike.start(store.sale(saleId));
        spike.open(Sale.of(saleId, Sale.MAX_TOTAL));
    }

    @Benchmark
    @Threads(1)
    public Answer blocking1Thread() {
        return reserved(spike.reserve(1));
    }

    @Benchmark
    @Threads(8)
    public Answer blocking8Threads() {
        return reserved(spike.reserve(1));
    }

    @Benchmark
    @Threads(64)
    public Answer blocking64Threads() {
        return reserved(spike.reserve(1));
    }

    /** Each thread asks for {@value #IN_FLIGHT} units at once, then waits for all of them. */
    @Benchmark
    @Threads(64)
    @OperationsPerInvocation(IN_FLIGHT)
    public List<CompletableFuture<Answer>> async64Threads() {
        List<CompletableFuture<Answer>> answers = new ArrayList<>(IN_FLIGHT);
        for (int i = 0; i < IN_FLIGHT; i++) {
            answers.add(spike.reserveAsync(1).toCompletableFuture());
        }
        answers.forEach(answer -> reserved(answer.join()));
        return answers;
    }

    @TearDown(Level.Iteration)
    public void delete() {
        spike.close();
        redis.deleteSale(saleId);
    }

    @TearDown(Level.Trial)
    public void close() {
        store.close();
        redis.close();
    }

    /** A refusal costs less than a reservation, and so must not be counted as one. */
    private static Answer reserved(Answer answer) {
        if (answer.outcome() != Outcome.RESERVED) {
            throw new IllegalStateException("must be RESERVED: " + answer);
        }
        return answer;
    }
}
