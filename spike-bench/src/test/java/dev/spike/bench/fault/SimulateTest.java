package dev.spike.bench.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Outcome;

import org.junit.jupiter.api.Test;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

class SimulateTest {

    private final StringWriter printed = new StringWriter();

    private int simulate(String... args) {
        return new CommandLine(new Simulate())
                .setOut(new PrintWriter(printed))
                .setErr(new PrintWriter(printed))
                .execute(args);
    }

    @Test
    void main_manySeeds_keepEveryPromiseAndMeetEveryFault() {
        assertThat(simulate("--seeds=1000")).as(() -> printed.toString()).isZero();

        assertThat(printed.toString()).contains("0 of 1000 runs broke a promise");
        Set<String> met = printed.toString()
                .lines()
                .map(line -> line.strip().replaceFirst("[0-9,]+ ", ""))
                .collect(Collectors.toSet());
        Stream.of(
                        Stream.of(Faults.Fate.values()).map(fate -> "calls " + fate),
                        Stream.of(Outcome.values()).map(outcome -> "answers " + outcome),
                        Stream.of(Happening.values()).map(what -> "happened " + what))
                .forEach(all -> assertThat(met).containsAll(all.toList()));
    }

    @Test
    void run_sameSeed_isTheSameRun() {
        List<String> first = new ArrayList<>();
        List<String> second = new ArrayList<>();

        assertThat(new Simulation(7, first::add).run())
                .isEqualTo(new Simulation(7, second::add).run());
        assertThat(second).isEqualTo(first).hasSizeGreaterThan(100);
    }

    @Test
    void main_noSeeds_isNamed() {
        assertThat(simulate("--seeds=0")).isEqualTo(2);
        assertThat(printed.toString()).contains("must be >= 1: --seeds 0");
    }
}
