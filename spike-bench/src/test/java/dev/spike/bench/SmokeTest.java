package dev.spike.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.function.Supplier;

/** Each measurement once, very short: that it runs, not how fast. */
class SmokeTest {

    private static final int CALLS = 1_000_000;

    private volatile Answer escaped = Answer.of(Outcome.UNKNOWN);

    @Test
    void benchmarks_shortest_haveResults() throws RunnerException {
        Options shortest = new OptionsBuilder()
                .include("dev\\.spike\\.bench\\.")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(50))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();

        Collection<RunResult> results = new Runner(shortest).run();

        assertThat(results).hasSizeGreaterThanOrEqualTo(17);
        assertThat(results)
                .allSatisfy(result ->
                        assertThat(result.getPrimaryResult().getScore()).isPositive());
    }

    @Test
    void localNo_warm_allocatesNothing() {
        LocalNoBenchmark soldOut = new LocalNoBenchmark();
        try {
            assertThat(bytesPerCall(soldOut::anyone)).isLessThan(1);
            assertThat(bytesPerCall(soldOut::buyer)).isLessThan(1);
            assertThat(bytesPerCall(soldOut::buyerAndKey)).isLessThan(1);
            assertThat(escaped.outcome()).isEqualTo(Outcome.SOLD_OUT);
            assertThat(bytesPerCall(() -> Answer.of(Outcome.SOLD_OUT)))
                    .as("what one new answer takes")
                    .isGreaterThan(8);
        } finally {
            soldOut.close();
        }
    }

    @Test
    void redisCpu_fewReservations_tellsTheCostOfEachBatchSize() {
        try (BenchRedis redis = BenchRedis.start()) {
            String report = new RedisCpu(redis, 1, 1_000, 2).report();

            assertThat(report)
                    .contains("Redis 7.", "| reserve | 1 | 1000 | ", "| reserve | 100 | 10 | ")
                    .contains("| confirm | 10 | 100 | ", "| refuse | 500 | 2 | ");
        }
    }

    @Test
    void reserveSteps_oneRound_tellsTheCostOfEachStep() {
        try (BenchRedis redis = BenchRedis.start()) {
            assertThat(ReserveSteps.report(redis, 1))
                    .contains("Redis 7.", "| unpacking the batch | ", "| one XADD | ");
        }
    }

    @Test
    void massExpiry_fewHolds_tellsTheLatencies() throws InterruptedException {
        try (BenchRedis redis = BenchRedis.start()) {
            assertThat(MassExpiry.report(redis, 500, 2, 1))
                    .contains("| before | ", "| while they expire | ");
        }
    }

    @Test
    void orderThroughput_fewOrders_tellsTheRates() throws Exception {
        try (EmbeddedPostgres server = OrderThroughput.postgres(true)) {
            String url = server.getJdbcUrl("postgres", "postgres");

            assertThat(new OrderThroughput(url, 1_000, 300, 2).run())
                    .hasSize(2)
                    .allSatisfy(rate -> assertThat(rate).isPositive());
        }
    }

    /** Of the last of three rounds; the first two are compiled away. */
    private double bytesPerCall(Supplier<Answer> call) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long bytes = 0;
        for (int round = 0; round < 3; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                escaped = call.get();
            }
            bytes = threads.getCurrentThreadAllocatedBytes() - before;
        }
        return (double) bytes / CALLS;
    }
}
