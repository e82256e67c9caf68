package dev.spike.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.report.Result;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.nio.file.Path;
import java.util.List;

class GrowthByNodesTest {

    private static final List<String> ONE = List.of("1");
    private static final List<String> FEW = List.of("4");
    private static final List<String> ORDERS = List.of("x of nodes^x");

    @Test
    void run_fewNodes_tellsEachFigureAndItsGrowthOrder(@TempDir Path directory) throws Exception {
        Path json = directory.resolve("result.json");

        int exit = new CommandLine(new GrowthByNodes())
                .execute(("--rounds 2 --nodes 1,4 --units 3000 --callers 4 --in-flight 8 --json "
                                + json)
                        .split(" "));

        assertThat(exit).isZero();
        Result result = Result.read(json);
        assertThat(result.rows()).containsExactly(ONE, FEW, ORDERS);
        assertThat(result.figures()).hasSize(5).allSatisfy(figure -> {
            assertThat(result.samples(ONE, figure)).hasSize(2).allMatch(sample -> sample > 0);
            assertThat(result.samples(FEW, figure)).hasSize(2).allMatch(sample -> sample > 0);
            assertThat(result.samples(ORDERS, figure)).hasSize(2);
        });
        assertThat(result.samples(ONE, "calls per unit"))
                .as("group commit")
                .allSatisfy(calls -> assertThat(calls).isLessThan(1));
    }
}
