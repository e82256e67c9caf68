package dev.spike.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.report.Result;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;

class WatchersTest {

    @Test
    void main_aFewWatchers_bothSellAndTheyAreToldOfIt(@TempDir Path folder) throws IOException {
        Path json = folder.resolve("result.json");
        StringWriter errors = new StringWriter();
        CommandLine command = new CommandLine(new Watchers()).setErr(new PrintWriter(errors));

        int exit = command.execute(
                "--watchers=20",
                "--pairs=2",
                "--rounds=1",
                "--seconds=1",
                "--rate=100",
                "--warm-up=0.2",
                "--connections=4",
                "--json=" + json);

        assertThat(exit).as(errors.toString()).isZero();
        Result result = Result.read(json);
        assertThat(result.rows()).containsExactly(List.of("0"), List.of("20"));
        assertThat(result.rows()).allSatisfy(row -> {
            assertThat(result.samples(row, "sold, 1/s").get(0)).isPositive();
            assertThat(result.samples(row, "server CPU, µs each").get(0)).isPositive();
            assertThat(result.samples(row, "max, ms").get(0)).isPositive();
        });
        List<String> watched = List.of("20");
        assertThat(result.samples(watched, "messages to each, 1/s").get(0)).isPositive();
        assertThat(result.samples(watched, "watchers, MB/s").get(0)).isPositive();
    }

    @Test
    void main_noWatchers_isNamed() {
        StringWriter errors = new StringWriter();
        CommandLine command = new CommandLine(new Watchers()).setErr(new PrintWriter(errors));

        assertThat(command.execute("--watchers=0")).isEqualTo(2);
        assertThat(errors.toString()).contains("must be >= 1: --watchers 0");
    }
}
