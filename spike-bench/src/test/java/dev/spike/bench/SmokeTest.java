package dev.spike.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.bench.report.Result;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;

import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

import picocli.CommandLine;

import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/** Each measurement once, very short: that it runs, not how fast. */
class SmokeTest {

    private static final int CALLS = 1_000_000;

    private volatile Answer escaped = Answer.of(Outcome.UNKNOWN);

    @Test
    void benchmarks_shortest_haveResults() throws RunnerException {
        Options shortest = new OptionsBuilder()
                .include("dev\\.spike\\.bench\\.")
                .exclude("SharedStock")
                .param("design", "SPIKE")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(50))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();

        Collection<RunResult> results = new Runner(shortest).run();

        assertThat(results).hasSizeGreaterThanOrEqualTo(13);
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
            assertThat(bytesPerCall(soldOut::anyoneCounted)).isLessThan(1);
            assertThat(bytesPerCall(soldOut::buyerCounted)).isLessThan(1);
            assertThat(escaped.outcome()).isEqualTo(Outcome.SOLD_OUT);
            assertThat(bytesPerCall(() -> Answer.of(Outcome.SOLD_OUT)))
                    .as("what one new answer takes")
                    .isGreaterThan(8);
        } finally {
            soldOut.close();
        }
    }

    @Test
    void redisCpu_fewReservations_tellsEachPolicyAndBatch() throws Exception {
        RedisCpu bench = with(new RedisCpu(), "--rounds=1", "--reservations=1000");

        Result result = bench.measure();

        assertThat(result.rows())
                .hasSize(3 * 3 * 4)
                .contains(List.of("none", "reserve", "1"), List.of("always", "confirm", "500"));
        assertThat(result.samples(List.of("everysec", "refuse", "100"), "script, µs each"))
                .hasSize(1)
                .allSatisfy(micros -> assertThat(micros).isPositive());
        assertThat(result.about()).anyMatch(sentence -> sentence.contains("AOF always"));
    }

    @Test
    void redisCpu_notWholeBatches_isRefused() {
        RedisCpu bench = with(new RedisCpu(), "--reservations=1001");

        assertThatThrownBy(bench::measure)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must be a multiple of the largest batch, 500");
    }

    @Test
    void reserveSteps_oneRound_tellsTheCostOfEachStep() throws Exception {
        Result result = with(new ReserveSteps(), "--rounds=1").measure();

        assertThat(result.rows()).contains(List.of("unpacking the batch"), List.of("one XADD"));
    }

    @Test
    void massExpiry_fewHolds_tellsTheLatencies() throws Exception {
        Result result =
                with(new MassExpiry(), "--rounds=1", "--holds=500", "--nodes=2").measure();

        assertThat(result.rows()).containsExactly(List.of("before"), List.of("while they expire"));
    }

    @Test
    void orderThroughput_fewOrders_tellsTheRates() throws Exception {
        OrderThroughput bench =
                with(new OrderThroughput(), "--rounds=2", "--count=1000", "--batch=300");

        assertThat(bench.measure().samples(List.of("1000", "300"), "new orders/s"))
                .hasSize(2)
                .allSatisfy(rate -> assertThat(rate).isPositive());
    }

    private static <C> C with(C command, String... flags) {
        new CommandLine(command).parseArgs(flags);
        return command;
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
