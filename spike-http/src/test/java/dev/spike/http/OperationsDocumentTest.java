package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

import dev.spike.http.PromQl.Condition;
import dev.spike.http.PromQl.Selector;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The table of metrics, the dashboard and the alarms tell of the metrics that a server really has.
 */
@Timeout(120)
final class OperationsDocumentTest {

    private static final Path DOCS = Path.of("../docs");
    private static final Path DOCUMENT = DOCS.resolve("operations.md");
    private static final Path DASHBOARD = DOCS.resolve("grafana/spike.json");
    private static final Path ALERTS = DOCS.resolve("grafana/alerts.yml");

    /** What Prometheus adds to each sample. */
    private static final Set<String> OF_PROMETHEUS = Set.of("instance", "job");

    private static final Set<String> FUNCTIONS =
            Set.of("sum", "min", "max", "rate", "increase", "abs", "histogram_quantile");
    private static final List<String> UNITS =
            List.of("seconds", "units", "requests", "events", "connections", "lines");

    @RegisterExtension
    final Servers servers = new Servers();

    @TempDir
    Path dir;

    /** A scrape of a server of which everything has been used. */
    private Scrape scrape() {
        TestServer server = servers.start(
                "--redis=embedded",
                "--data=" + dir.resolve("data"),
                "--stat-log=" + dir.resolve("stat.log"),
                "--access-log=" + dir.resolve("access.log"));
        String made = server.reserve("ticket", "request-1", "{\"buyer\":\"a\"}")
                .headers()
                .firstValue("Location")
                .orElseThrow();
        server.send("POST", made + "/confirm", "");
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            System.gc();
            Scrape scrape = Scrape.of(server);
            return !scrape.named("jvm_gc_pause_seconds_count").isEmpty()
                    && scrape.value("spike_relay_backlog_events") == 0;
        });
        return Scrape.of(server);
    }

    @Test
    void table_isOfTheMetricsThatThereAre() throws IOException {
        Scrape scrape = scrape();
        Map<String, List<String>> expected = new TreeMap<>();
        scrape.types().forEach((name, type) -> {
            if (name.startsWith("spike_")) {
                Set<String> labels = new TreeSet<>();
                scrape.samples().stream()
                        .filter(sample -> ofMetric(sample.name(), name, type))
                        .forEach(sample -> labels.addAll(sample.labels().keySet()));
                labels.remove("le");
                expected.put(name, List.of(type, labels.toString(), unit(name)));
            }
        });
        assertThat(expected).hasSizeGreaterThan(20);
        assertThat(table()).isEqualTo(expected);
    }

    private static boolean ofMetric(String sample, String name, String type) {
        return type.equals("histogram")
                ? Set.of(name + "_bucket", name + "_sum", name + "_count").contains(sample)
                : sample.equals(name);
    }

    private static String unit(String name) {
        return Stream.of(name.split("_")).filter(UNITS::contains).reduce("", (first, last) -> last);
    }

    /** Type, labels and unit of each metric that the document lists. */
    private static Map<String, List<String>> table() throws IOException {
        Map<String, List<String>> rows = new TreeMap<>();
        Pattern row =
                Pattern.compile("\\| `(spike_\\w+)` \\| (\\w+) \\|([^|]*)\\|([^|]*)\\| .+ \\|");
        for (String line : Files.readAllLines(DOCUMENT)) {
            row.matcher(line).results().forEach(match -> {
                Set<String> labels = Pattern.compile("\\w+")
                        .matcher(match.group(3))
                        .results()
                        .map(label -> label.group())
                        .collect(Collectors.toCollection(TreeSet::new));
                // What a name does not tell is free.
                String unit =
                        unit(match.group(1)).isEmpty() ? "" : match.group(4).strip();
                rows.put(match.group(1), List.of(match.group(2), labels.toString(), unit));
            });
        }
        return rows;
    }

    @Test
    void dashboardAndAlarms_readMetricsAndLabelsThatThereAre() throws IOException {
        Map<String, String> expressions = dashboard();
        assertThat(expressions).hasSizeGreaterThan(40);
        expressions.putAll(alerts());
        Scrape scrape = scrape();
        expressions.forEach((where, expression) -> assertThat(wrong(expression, scrape))
                .as(where + ": " + expression)
                .isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spike_haltet > 0",
                "sum(rate(spike_requests_total{sael=\"ticket\"}[5m]))",
                "rate(spike_requests_total{outcome=\"unknwon\"}[5m])",
                "rate(spike_requests_total{outcome=~\"unknown|soldout\"}[5m])",
                "sum by (outcom) (rate(spike_requests_total[5m]))",
                "summ(spike_halted)",
                "spike_halted / on (sael) spike_total_units",
                "histogram_quantile(0.5, spike_remote_seconds)"
            })
    void expression_withATypo_isFound(String expression) {
        Scrape scrape = Scrape.parse("""
            spike_halted{sale="ticket"} 0.0
            spike_total_units{sale="ticket"} 0.0
            spike_requests_total{sale="ticket",outcome="unknown"} 0.0
            spike_remote_seconds_bucket{sale="ticket",le="+Inf"} 0.0
            """);
        assertThat(wrong(expression, scrape)).isNotEmpty();
    }

    @Test
    void expression_thatIsNone_isFound() {
        assertThatThrownBy(() -> PromQl.parse("spike_halted > ;")).hasMessageContaining("PromQL");
        assertThatThrownBy(() -> PromQl.parse("sum by sale")).hasMessageContaining("not (");
    }

    private static List<String> wrong(String expression, Scrape scrape) {
        PromQl parsed = PromQl.parse(expression.replace("$__rate_interval", "5m"));
        List<String> wrong = new ArrayList<>();
        parsed.functions().stream()
                .filter(name -> !FUNCTIONS.contains(name))
                .forEach(name -> wrong.add("function " + name));
        Set<String> known = new TreeSet<>(OF_PROMETHEUS);
        for (Selector selector : parsed.selectors()) {
            List<Scrape.Sample> samples = scrape.named(selector.metric());
            if (samples.isEmpty()) {
                wrong.add("metric " + selector.metric());
            }
            samples.forEach(sample -> known.addAll(sample.labels().keySet()));
            selector.conditions().stream()
                    .flatMap(condition -> wrong(condition, samples))
                    .forEach(wrong::add);
        }
        parsed.labels().stream()
                .filter(label -> !known.contains(label))
                .forEach(label -> wrong.add("label " + label));
        return wrong;
    }

    private static Stream<String> wrong(Condition condition, List<Scrape.Sample> samples) {
        if (OF_PROMETHEUS.contains(condition.label())) {
            return Stream.empty();
        }
        // A variable of the dashboard may be anything.
        return Stream.of(condition.value().split("\\|"))
                .filter(value -> samples.stream()
                        .map(sample -> sample.labels().get(condition.label()))
                        .noneMatch(found ->
                                found != null && (value.startsWith("$") || value.equals(found))))
                .map(value -> condition.label() + " " + value);
    }

    /** The expressions of the dashboard, by where they are; those of its variables, too. */
    private static Map<String, String> dashboard() throws IOException {
        JsonNode dashboard = new ObjectMapper().readTree(DASHBOARD.toFile());
        Map<String, String> expressions = new LinkedHashMap<>();
        for (JsonNode panel : dashboard.get("panels")) {
            String title = panel.get("title").textValue();
            for (JsonNode target : panel.path("targets")) {
                String where = "panel " + title + " " + target.get("refId").textValue();
                assertThat(expressions.put(where, target.get("expr").textValue()))
                        .as(where)
                        .isNull();
            }
        }
        for (JsonNode variable : dashboard.at("/templating/list")) {
            if (variable.get("type").textValue().equals("query")) {
                String query = variable.get("definition").textValue();
                assertThat(query).isEqualTo(variable.at("/query/query").textValue());
                String of =
                        query.replaceFirst("label_values\\((.*), (\\w+)\\)", "sum by ($2) ($1)");
                expressions.put("variable " + variable.get("name").textValue(), of);
            }
        }
        assertThat(expressions).containsKeys("variable sale", "variable instance");
        return expressions;
    }

    @Test
    void dashboard_hasItsRows_andAUnitInEachPanel() throws IOException {
        JsonNode dashboard = new ObjectMapper().readTree(DASHBOARD.toFile());
        List<String> rows = new ArrayList<>();
        Set<Integer> ids = new TreeSet<>();
        for (JsonNode panel : dashboard.get("panels")) {
            assertThat(ids.add(panel.get("id").intValue())).isTrue();
            if (panel.get("type").textValue().equals("row")) {
                rows.add(panel.get("title").textValue());
            } else {
                assertThat(panel.at("/fieldConfig/defaults/unit").textValue()).isNotEmpty();
                assertThat(panel.at("/datasource/uid").textValue()).isEqualTo("${datasource}");
            }
        }
        assertThat(rows)
                .containsExactly(
                        "Selling",
                        "Refusals",
                        "Store latency and batches",
                        "Orders",
                        "JVM and HTTP");
    }

    /** The expressions of the alarms, by name. */
    private static Map<String, String> alerts() throws IOException {
        JsonNode groups = new YAMLMapper().readTree(ALERTS.toFile()).get("groups");
        Map<String, String> expressions = new LinkedHashMap<>();
        for (JsonNode group : groups) {
            for (JsonNode rule : group.get("rules")) {
                String name = rule.get("alert").textValue();
                assertThat(expressions.put(name, rule.get("expr").textValue())).isNull();
                assertThat(rule.at("/labels/severity").textValue()).isIn("critical", "warning");
                assertThat(rule.at("/annotations/summary").textValue()).isNotEmpty();
            }
        }
        assertThat(expressions).hasSizeGreaterThan(8);
        return expressions;
    }

    @Test
    void alarms_eachIsExplained_withItsExpression() throws IOException {
        Map<String, String> explained = new LinkedHashMap<>();
        String alarms = Files.readString(DOCUMENT).split("\n## Alarms\n")[1].split("\n## ")[0];
        for (String section : alarms.split("\n### ")) {
            String[] parts = section.split("\n\n");
            if (parts.length > 2 && parts[1].startsWith("    ")) {
                explained.put(parts[0], oneLine(parts[1]));
                assertThat(section).as(parts[0]).contains("\n1. ");
            }
        }
        Map<String, String> rules = alerts();
        rules.replaceAll((name, expression) -> oneLine(expression));
        assertThat(explained).isEqualTo(rules);
        assertThat(explained.keySet()).containsExactlyElementsOf(rules.keySet());
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }
}
