package dev.spike.bench;

import dev.spike.core.Answer;
import dev.spike.core.InMemorySpike;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.core.SpikeBuilder;
import dev.spike.redis.SpikeMetrics;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What it costs a node to say "sold out" by itself, beside a plain volatile read of an object's
 * field. The sale has sold {@value #UNITS} units, and the node knows all keys that hold one. Once
 * without a listener, and once with the one that counts each answer.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LocalNoBenchmark {

    private static final int UNITS = 10_000;
    private static final int BATCH = 500;
    private static final int KEYS = 1 << 10;

    private final Spike spike = soldOut(builder -> builder);
    private final Spike counting = soldOut(
            builder -> builder.listener(new SpikeMetrics(new SimpleMeterRegistry(), "sold-out")));
    private final String buyer = "buyer-1234567";
    private final String[] keys =
            Stream.generate(() -> UUID.randomUUID().toString()).limit(KEYS).toArray(String[]::new);
    private int next;
    private final Known known = new Known();

    /** An object that knows the answer, as a node is one. */
    private static final class Known {
        volatile Answer answer = Answer.of(Outcome.SOLD_OUT);
    }

    @Benchmark
    public Answer anyone() {
        return spike.reserve(1);
    }

    @Benchmark
    public Answer buyer() {
        return spike.reserve(buyer, 1);
    }

    /** Under one key after the other, none of them used. */
    @Benchmark
    public Answer buyerAndKey() {
        return spike.reserve(buyer, keys[next++ % KEYS], 1);
    }

    @Benchmark
    public Answer anyoneCounted() {
        return counting.reserve(1);
    }

    @Benchmark
    public Answer buyerCounted() {
        return counting.reserve(buyer, 1);
    }

    @Benchmark
    public Answer bareVolatileRead() {
        return known.answer;
    }

    @TearDown
    public void close() {
        spike.close();
        counting.close();
    }

    private static Spike soldOut(UnaryOperator<SpikeBuilder> options) {
        InMemorySpike remote = new InMemorySpike("sold-out", InstantSource.system());
        remote.open(Sale.of("sold-out", UNITS));
        for (int first = 0; first < UNITS; first += BATCH) {
            List<ReservationId> ids = IntStream.range(first, first + BATCH)
                    .mapToObj(i -> new ReservationId("holder-" + i, "key-" + i))
                    .toList();
            remote.reserve(ids.stream().map(id -> new Request(id, 1)).toList(), Long.MAX_VALUE);
            remote.settle(
                    ids.stream()
                            .map(id -> new Settlement(id, Outcome.CONFIRMED))
                            .toList(),
                    Long.MAX_VALUE);
        }
        // Long times, so that nothing goes on in the background.
        Spike spike = options.apply(Spike.builder(remote))
                .syncEvery(Duration.ofHours(1))
                .timeout(Duration.ofHours(1))
                .start();
        spike.sync();
        awaitHolders(spike);
        return spike;
    }

    /** A node's own refusal is always the same object; an answer of the shared stock never is. */
    private static void awaitHolders(Spike spike) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        Answer own = spike.reserve(1);
        while (spike.reserve("stranger", "key", 1) != own) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("the node still asks, and gets " + own);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}
