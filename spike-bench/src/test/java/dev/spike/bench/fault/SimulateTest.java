package dev.spike.bench.fault;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;

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

        assertThat(printed.toString())
                .contains("0 of 1000 runs broke a promise")
                .contains("losses of the store", "nodes that ended");
        for (Faults.Fate fate : Faults.Fate.values()) {
            assertThat(printed.toString()).contains("calls " + fate);
        }
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
