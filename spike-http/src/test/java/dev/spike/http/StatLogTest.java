package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

final class StatLogTest {

    @RegisterExtension
    final Servers servers = new Servers();

    @Test
    void buy_eachAnswer_aLineSoon(@TempDir Path dir) {
        Path log = dir.resolve("stat.log");
        TestServer server = servers.start("--total=2", "--stat-log=" + log);
        server.buy("");
        server.buy("?rid=request-1");
        server.buy("?rid=request-1");
        server.buy("");
        server.get("/v1/sales/ticket");
        await().atMost(Duration.ofMillis(500))
                .untilAsserted(() -> assertThat(Files.readAllLines(log))
                        .containsExactly(
                                "result:1,localSales:1",
                                "result:1,localSales:2",
                                "result:1,localSales:2",
                                "result:0,localSales:2"));
    }

    @Test
    void buy_manyAtOnce_nthSuccessCarriesN(@TempDir Path dir) throws Exception {
        Path log = dir.resolve("stat.log");
        TestServer server = servers.start("--total=200", "--stat-log=" + log);
        IntStream.range(0, 500).parallel().forEach(i -> server.buy(""));
        await().until(() -> Files.readAllLines(log).size() == 500);
        List<String> lines = Files.readAllLines(log);
        assertThat(lines.stream().filter(line -> line.startsWith("result:1,")))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 200)
                        .mapToObj(n -> "result:1,localSales:" + n)
                        .toList());
        assertThat(lines.get(499)).isEqualTo("result:0,localSales:200");
    }

    @Test
    void close_linesQueued_allWritten(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("stat.log");
        StatLog log = new StatLog(file);
        for (int i = 0; i < 50_000; i++) {
            log.add(StatLog.Line.SOLD);
        }
        log.close();
        assertThat(Files.readAllLines(file)).hasSize(50_000).endsWith("result:1,localSales:50000");
    }

    @Test
    void add_fasterThanWritten_everyLineWrittenOrCounted(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("stat.log");
        StatLog log = new StatLog(file);
        for (int i = 0; i < 1_000_000; i++) {
            log.add(StatLog.Line.SOLD);
        }
        log.close();
        assertThat(Files.readAllLines(file).size() + log.lost()).isEqualTo(1_000_000);
    }
}
