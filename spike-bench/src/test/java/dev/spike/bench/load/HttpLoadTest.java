package dev.spike.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.bench.report.Result;
import dev.spike.bench.rig.Child;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;

class HttpLoadTest {

    private static final String FILES_ONLY_THERE = "/temporary/folder";

    @Test
    void main_oneLowRate_eachPathHeldItAndSoldWhatItSaid(@TempDir Path folder) throws IOException {
        Path json = folder.resolve("result.json");
        StringWriter errors = new StringWriter();
        CommandLine command = new CommandLine(new HttpLoad()).setErr(new PrintWriter(errors));

        int exit = command.execute(
                "--paths=bare,selling,mix",
                "--rounds=1",
                "--from=200",
                "--to=200",
                "--seconds=1",
                "--search-seconds=0.5",
                "--warm-up=0.5",
                "--limit-ms=900",
                "--connections=4",
                "--json=" + json);

        assertThat(exit).as(errors.toString()).isZero();
        Result result = Result.read(json);
        assertThat(result.rows())
                .containsExactly(
                        List.of("bare", "1"), List.of("selling", "1"), List.of("mix", "1"));
        assertThat(result.rows()).allSatisfy(row -> {
            assertThat(result.samples(row, "held, 1/s")).containsExactly(200.0);
            assertThat(result.samples(row, "max, ms").get(0)).isPositive();
        });
        assertThat(result.figures())
                .contains("servers, cores", "Redis, cores", "nginx, cores", "generator, cores");
    }

    @Test
    void main_rateOutOfRange_isNamed() {
        StringWriter errors = new StringWriter();
        CommandLine command = new CommandLine(new HttpLoad()).setErr(new PrintWriter(errors));

        assertThat(command.execute("--from=0")).isEqualTo(2);
        assertThat(command.execute("--from=300", "--to=200")).isEqualTo(2);
        assertThat(errors.toString())
                .contains("must be >= 1: --from 0", "must be >= --from 300: --to 200");
    }

    /** It runs where there is no nginx: what nginx makes of it is seen when it is measured. */
    @Test
    void nginxConfiguration_twoServers_keepsConnectionsAndRepeatsNothing() {
        String text =
                Nginx.configuration(Path.of(FILES_ONLY_THERE), 4000, "auto", List.of(4001, 4002));

        assertThat(text)
                .contains("listen 127.0.0.1:4000;", "worker_processes auto;")
                .contains("server 127.0.0.1:4001 max_fails=0;")
                .contains("server 127.0.0.1:4002 max_fails=0;")
                .contains("keepalive 256;", "proxy_http_version 1.1;")
                .contains("proxy_set_header Connection \"\";", "proxy_next_upstream off;")
                .contains("access_log off;", "daemon off;")
                .contains("pid \"" + FILES_ONLY_THERE + "/nginx.pid\";")
                .doesNotContain("%");
        assertThat(text.lines().filter(line -> line.contains("_temp_path")))
                .hasSize(5)
                .allMatch(line -> line.contains(FILES_ONLY_THERE));
    }

    @Test
    void onPath_missingProgram_saysWhich() {
        assertThatThrownBy(() -> Child.onPath("no-such-program"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no no-such-program on the PATH");
    }
}
