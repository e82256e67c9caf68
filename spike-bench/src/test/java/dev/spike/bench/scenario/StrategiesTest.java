package dev.spike.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.report.Result;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.nio.file.Path;
import java.util.List;

class StrategiesTest {

    private static final List<String> ORDER = List.of("order-then-deduct", "blocking");
    private static final List<String> PAY = List.of("pay-then-deduct", "blocking");
    private static final List<String> UNGUARDED = List.of("pay-then-deduct, unguarded", "blocking");
    private static final List<String> BLOCKING = List.of("pre-deduction", "blocking");
    private static final List<String> ASYNC = List.of("pre-deduction", "asynchronous");

    @Test
    void run_smallCrowd_onlyPreDeductionSellsAllAndKeepsItsPromises(@TempDir Path directory)
            throws Exception {
        Path json = directory.resolve("result.json");

        int exit = new CommandLine(new Strategies())
                .execute(("--rounds 1 --buyers 300 --units 60 --burst 200 --threads 8 "
                                + "--in-flight 20 --connections 8 --hold-millis 1500 "
                                + "--json " + json)
                        .split(" "));

        assertThat(exit).isZero();
        Result result = Result.read(json);
        assertThat(result.rows()).containsExactly(ORDER, PAY, UNGUARDED, BLOCKING, ASYNC);
        assertThat(result.rows()).allSatisfy(row -> {
            assertThat(sample(result, row, "selling, answers/s")).isPositive();
            assertThat(sample(result, row, "crowd, answers/s")).isPositive();
        });
        assertThat(sample(result, ORDER, "units left unsold")).isPositive();
        assertThat(sample(result, ORDER, "selling, transactions per buyer")).isBetween(1.0, 1.5);
        assertThat(inVain(result, PAY)).isPositive();
        assertThat(sample(result, UNGUARDED, "units oversold")).isPositive();
        assertThat(List.of(ORDER, PAY, BLOCKING, ASYNC))
                .allSatisfy(
                        row -> assertThat(sample(result, row, "units oversold")).isZero());
        assertThat(List.of(BLOCKING, ASYNC)).allSatisfy(row -> {
            assertThat(sample(result, row, "units left unsold")).isZero();
            assertThat(inVain(result, row)).isZero();
        });
    }

    private static double inVain(Result result, List<String> row) {
        return sample(result, row, "promised, paid in time, got none, buyers");
    }

    private static double sample(Result result, List<String> row, String figure) {
        return result.samples(row, figure).get(0);
    }
}
