package dev.spike.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

class ReportTest {

    private static final Path ROOT = Path.of("..");
    private static final Machine MACHINE = new Machine("a processor", 2, 24, "Linux 6", "a JVM");

    @Test
    void documentation_holdsExactlyWhatWasMeasured() throws IOException {
        Repository repository = new Repository(ROOT);
        assertThat(repository.measured()).containsOnlyKeys(Suite.values());
        for (Map.Entry<Path, String> made : repository.made().entrySet()) {
            assertThat(made.getKey()).hasContent(made.getValue());
        }
    }

    @Test
    void everySuite_isInADocument() throws IOException {
        String documents = Files.readString(ROOT.resolve("docs/benchmarks.md"))
                + Files.readString(ROOT.resolve("docs/redis.md"));
        for (Suite suite : Suite.values()) {
            assertThat(documents).contains("<!-- bench " + suite + " -->");
        }
        assertThat(documents).contains("<!-- bench goals -->", "<!-- bench machine -->");
    }

    @Test
    void write_replacesAPartByTheTableAndItsChart(@TempDir Path root) throws Exception {
        Files.createDirectories(root.resolve("docs"));
        Path document = root.resolve("docs/benchmarks.md");
        Files.writeString(document, """
                before
                <!-- bench shared-stock -->
                old
                <!-- /bench -->
                between
                <!-- bench orders -->
                not measured
                <!-- /bench -->
                <!-- bench goals -->
                <!-- /bench -->
                """);
        Files.writeString(root.resolve("README.md"), "");
        keep(root, Suite.SHARED_STOCK, sharedStock(90, 10));
        new Repository(root).write();

        assertThat(document)
                .content()
                .startsWith("before\n<!-- bench shared-stock -->\n\n![shared-stock]"
                        + "(benchmarks/shared-stock.svg)\n\n    the command\n")
                .contains("| spike-async | all |", "| ancestor | the count |")
                .contains("at abcdef0, 2026-11-24.\n\n<!-- /bench -->\nbetween\n")
                .contains("<!-- bench orders -->\nnot measured\n<!-- /bench -->\n")
                .contains("| ancestor, 64 threads, units/s | ≥ 15 | 9 | **missed** |")
                .doesNotContain("old");
        assertThat(root.resolve("docs/benchmarks/shared-stock.svg"))
                .content()
                .contains("spike-async", "ancestor", ">90<", ">10<");
    }

    @Test
    void goal_isReachedByTheMedianOfTheRatiosOfEachRound() {
        Result result = sharedStock(160, 10);
        result.addAll(sharedStock(10, 10));
        result.addAll(sharedStock(300, 15));
        assertThat(Goal.toMarkdown(Map.of(Suite.SHARED_STOCK, measured(result))))
                .contains("| ancestor, 64 threads, units/s | ≥ 15 | 16 (1–20) | reached |");
    }

    @Test
    void goal_thatWasMeasuredUnequallyOften_isAnError() {
        Result result = sharedStock(160, 10);
        result.add(List.of("ancestor", "the count"), "64 threads, units/s", 10);
        assertThatThrownBy(() -> Goal.toMarkdown(Map.of(Suite.SHARED_STOCK, measured(result))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("equally often");
    }

    @Test
    void fill_aPartOfUnknownName_isAnError() {
        assertThatThrownBy(() -> Document.fill("<!-- bench no -->\n<!-- /bench -->", Map.of()))
                .hasMessageContaining("no such part: no");
    }

    @Test
    void fill_aPartWithoutAnEnd_isAnError() {
        String document = "<!-- bench orders -->\nprose\n<!-- bench goals -->\n<!-- /bench -->";
        assertThatThrownBy(() -> Document.fill(document, Map.of()))
                .hasMessageContaining("a part has no <!-- /bench -->");
    }

    @Test
    void localQuota_withoutTheBytes_isAnError() {
        JmhResults.Line line =
                new JmhResults.Line("selling", 1, Map.of("design", "SPIKE"), 1, Double.NaN);
        assertThatThrownBy(() -> JmhRows.localQuota(line, new Result("path", "design")))
                .hasMessageContaining("not measured");
    }

    @Test
    void requireSamples_aRoundThatIsMissing_isAnError() {
        assertThatThrownBy(() -> sharedStock(1, 1).requireSamples(2))
                .hasMessageContaining("must have 2 samples");
    }

    @Test
    void addTo_readsWhatJmhWrites(@TempDir Path folder) throws IOException {
        Path json = Files.writeString(folder.resolve("jmh.json"), """
                [{"benchmark": "dev.spike.bench.LocalQuotaBenchmark.Of1Thread.soldOut",
                  "threads": 1, "params": {"design": "GET_AND_ADD"},
                  "primaryMetric": {"score": 163.5, "scoreUnit": "ops/us"},
                  "secondaryMetrics": {"gc.alloc.rate.norm": {"score": 1.0E-5}}}]
                """);
        Result result = new Result("path", "design");
        JmhResults.addTo(result, json, JmhRows::localQuota);
        List<String> row = List.of("sold out", "get-and-add");
        assertThat(result.samples(row, "1 thread, calls/µs")).containsExactly(163.5);
        assertThat(result.samples(row, "bytes per call")).containsExactly(0.0);
    }

    @Test
    void ofRounds_takesOneSampleFromEachRound() {
        Result result = Runner.ofRounds("""
                wrk on loopback

                | round | bare, req/s | ratio |
                |---:|---:|---:|
                | 1 | 100 | 0.5 |
                | 2 | 200 | 0.7 |
                | median | | 0.6 |
                """);
        assertThat(result.about()).containsExactly("wrk on loopback");
        assertThat(result.samples(List.of(), "bare, req/s")).containsExactly(100.0, 200.0);
        assertThat(result.samples(List.of(), "ratio")).containsExactly(0.5, 0.7);
    }

    @Test
    void wrongFlags_saySoAndMeasureNothing() {
        assertThat(errorOf("nonsense")).contains("nonsense", "shared-stock");
        assertThat(errorOf("--rounds", "0")).contains("must be >= 1: --rounds 0");
    }

    private static String errorOf(String... arguments) {
        StringWriter error = new StringWriter();
        int exit = new CommandLine(new Report()).setErr(new PrintWriter(error)).execute(arguments);
        assertThat(exit).isEqualTo(2);
        return error.toString();
    }

    private static Result sharedStock(double ours, double others) {
        Result result = new Result("design", "keeps");
        result.add(List.of("spike-async", "all"), JmhRows.IN_FLIGHT, ours);
        for (String design : List.of("redisson-async", "bucket4j-async")) {
            result.add(List.of(design, "the count"), JmhRows.IN_FLIGHT, others);
        }
        for (String design : List.of(
                "evalsha-guarantees",
                "evalsha-bare",
                "redisson-semaphore",
                "bucket4j-batching",
                "ancestor")) {
            result.add(List.of(design, "the count"), "64 threads, units/s", others);
        }
        return result;
    }

    private static Measured measured(Result result) {
        return new Measured("the command", 1, "abcdef0", "2026-11-24", MACHINE, result.kept());
    }

    private static void keep(Path root, Suite suite, Result result) throws IOException {
        measured(result).write(root.resolve("docs/benchmarks").resolve(suite + ".json"));
    }
}
