package dev.spike.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.report.Result;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.nio.file.Path;
import java.util.List;

class GrowthByUnitsTest {

    private static final List<String> SMALL = List.of("2,000");
    private static final List<String> LARGE = List.of("8,050");
    private static final List<String> ORDERS = List.of("x of units^x");

    @Test
    void run_smallSales_tellsEachFigureAndItsGrowthOrder(@TempDir Path directory) throws Exception {
        Path json = directory.resolve("result.json");

        int exit = new CommandLine(new GrowthByUnits())
                .execute(("--rounds 2 --units 2000,8050 --batch 100 --callers 2 --json " + json)
                        .split(" "));

        assertThat(exit).isZero();
        Result result = Result.read(json);
        assertThat(result.rows()).containsExactly(SMALL, LARGE, ORDERS);
        assertThat(result.figures()).hasSize(8).allSatisfy(figure -> {
            assertThat(result.samples(SMALL, figure)).hasSize(2).allMatch(sample -> sample > 0);
            assertThat(result.samples(LARGE, figure)).hasSize(2).allMatch(sample -> sample > 0);
            assertThat(result.samples(ORDERS, figure)).hasSize(2);
        });
        assertThat(result.samples(ORDERS, "memory, MiB"))
                .allSatisfy(order -> assertThat(order).isBetween(0.5, 1.5));
    }
}
