package dev.spike.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.report.Result;

import io.undertow.Undertow;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;

class OpenLoopTest {

    private final StringWriter errors = new StringWriter();
    private Undertow server;
    private String url;

    @BeforeEach
    void start() {
        server = BareUndertow.start(0, 1);
        url = "http://127.0.0.1:" + BareUndertow.port(server) + "/buy/ticket";
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    @Test
    void main_lowRate_allFiguresOfEachRound(@TempDir Path folder) throws IOException {
        Path json = folder.resolve("result.json");

        int exit = run("--rounds", "2", "--json", json.toString(), "--url", url);

        assertThat(exit).as(errors.toString()).isZero();
        Result result = Result.read(json);
        List<String> row = List.of(url);
        assertThat(result.figures())
                .contains("answered, 1/s", "p50, ms", "p99, ms", "p99.9, ms", "max, ms");
        assertThat(result.samples(row, "status 200, answers")).containsExactly(100.0, 100.0);
        assertThat(result.samples(row, "lost, requests")).containsExactly(0.0, 0.0);
    }

    @Test
    void main_otherStatusExpected_exits1AndSaysWhy() {
        int exit = run("--expect", "201,409", "--url", url);

        assertThat(exit).isEqualTo(1);
        assertThat(errors.toString())
                .contains("100 due, 100 answered by status {200=100}, 100 not as expected");
    }

    @Test
    void main_wrongUrl_exits2AndSaysTheRule() {
        assertThat(run("--url", "127.0.0.1:3000")).isEqualTo(2);
        assertThat(errors.toString())
                .contains("must be http://HOST[:PORT]/PATH in ASCII: url=127.0.0.1:3000");
    }

    private int run(String... flags) {
        CommandLine command = new CommandLine(new OpenLoop()).setErr(new PrintWriter(errors));
        String[] small = {
            "--rate", "200", "--seconds", "0.5", "--warm-up", "0.1", "--connections", "4"
        };
        String[] all = new String[small.length + flags.length];
        System.arraycopy(small, 0, all, 0, small.length);
        System.arraycopy(flags, 0, all, small.length, flags.length);
        return command.execute(all);
    }
}
