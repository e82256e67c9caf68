package dev.spike.bench.report;

import dev.spike.bench.MassExpiry;
import dev.spike.bench.OrderThroughput;
import dev.spike.bench.RedisCpu;
import dev.spike.bench.ReserveSteps;
import dev.spike.bench.load.HttpLoad;
import dev.spike.bench.load.Watchers;
import dev.spike.bench.scenario.GrowthByNodes;
import dev.spike.bench.scenario.GrowthByUnits;
import dev.spike.bench.scenario.MillionBuyers;
import dev.spike.bench.scenario.Strategies;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** What is measured for the documentation, in the order in which it is measured. */
enum Suite {
    LOCAL_NO(
            "local-no",
            new Jmh(List.of("LocalNo", "-prof", "gc"), () -> new Result("call"), JmhRows::localNo),
            null),
    LOCAL_QUOTA(
            "local-quota",
            new Jmh(
                    List.of("LocalQuota", "-prof", "gc"),
                    () -> new Result("path", "design"),
                    JmhRows::localQuota),
            new Chart(
                    "The local quota, selling, 2 threads: calls per µs",
                    row -> row.get(0).equals("selling"),
                    1,
                    2,
                    List.of("2 threads, calls/µs"))),
    SHARED_STOCK(
            "shared-stock",
            new Jmh(
                    List.of("SharedStock"),
                    () -> new Result("design", "keeps"),
                    JmhRows::sharedStock),
            new Chart(
                    "Units sold per second from one shared stock, 64 threads (async: × 16 in flight)",
                    row -> true,
                    0,
                    1,
                    List.of(JmhRows.IN_FLIGHT, "64 threads, units/s"))),
    REDIS_CPU(
            "redis-cpu",
            new Program(RedisCpu.class),
            new Chart(
                    "Main thread of Redis, without AOF: CPU µs per reservation, by size of batch",
                    row -> row.get(0).equals("none") && row.get(1).equals("reserve"),
                    2,
                    3,
                    List.of("main thread CPU, µs each"))),
    REDIS_STEPS("redis-steps", new Program(ReserveSteps.class), null),
    STRATEGIES(
            "strategies",
            new Program(Strategies.class),
            new Chart(
                    "The three strategies: answers per second while every request gets a unit",
                    row -> true,
                    0,
                    2,
                    List.of("selling, answers/s"))),
    HTTP_WRK("http-wrk", new Script(Map.of(), "spike-bench/src/main/scripts/http.sh"), null),
    HTTP_WRK_ON_DISK(
            "http-wrk-on-disk",
            new Script(
                    Map.of("REDIS", "embedded", "ORDERS", "file"),
                    "spike-bench/src/main/scripts/http.sh"),
            null),
    HTTP_LOAD(
            "http-load",
            new Program(HttpLoad.class),
            new Chart(
                    "Over HTTP: the highest rate with p99 within 50 ms, requests per second",
                    row -> true,
                    0,
                    1,
                    List.of("held, 1/s"))),
    WATCHERS("watchers", new Program(Watchers.class), null),
    MILLION_BUYERS("million-buyers", new Repeated(MillionBuyers.class), null),
    GROWTH_BY_NODES("growth-by-nodes", new Program(GrowthByNodes.class), null),
    GROWTH_BY_UNITS("growth-by-units", new Program(GrowthByUnits.class), null),
    MASS_EXPIRY("mass-expiry", new Program(MassExpiry.class), null),
    ORDERS("orders", new Program(OrderThroughput.class), null);

    /** How it is measured. */
    sealed interface Source permits Jmh, Program, Repeated, Script {}

    /** One pass of JMH a round, so that rounds are interleaved. */
    record Jmh(List<String> arguments, Supplier<Result> table, JmhResults.Rows rows)
            implements Source {}

    /** A {@link BenchCommand}, which makes all rounds itself. */
    record Program(Class<? extends BenchCommand> mainClass) implements Source {}

    /**
     * A program that is run once a round, and keeps its result as a {@link BenchCommand} does, and
     * a picture.
     */
    record Repeated(Class<?> mainClass) implements Source {}

    /**
     * A script that is given the number of rounds and prints a table with one row for each.
     *
     * @param environment of it
     */
    record Script(Map<String, String> environment, String path) implements Source {}

    /**
     * A chart of some figures.
     *
     * @param rows that have bars
     * @param from the first of a row's labels that stand at its bars
     * @param to after the last of them
     * @param figures each with a bar in each row that has it
     */
    record Chart(
            String title, Predicate<List<String>> rows, int from, int to, List<String> figures) {

        private static final List<String> OURS = List.of("spike", "pre-deduction");

        BarChart of(Result result) {
            return new BarChart(
                    title,
                    result.rows().stream()
                            .filter(rows)
                            .flatMap(row -> figures.stream()
                                    .filter(figure -> result.has(row, figure))
                                    .map(figure -> bar(result, row, figure)))
                            .toList());
        }

        private BarChart.Bar bar(Result result, List<String> row, String figure) {
            String name = String.join(", ", row.subList(from, to));
            boolean isOurs = OURS.stream().anyMatch(name::startsWith);
            return new BarChart.Bar(name, result.samples(row, figure), isOurs);
        }
    }

    private final String label;
    final Source source;

    /** Programs that must be on the PATH. */
    final List<String> tools;

    final @Nullable Chart chart;

    Suite(String label, Source source, @Nullable Chart chart) {
        this.label = label;
        this.source = source;
        this.tools = toolsOf(source);
        this.chart = chart;
    }

    private static List<String> toolsOf(Source source) {
        if (source instanceof Script) {
            return List.of("git", "wrk", "redis-server");
        }
        return source instanceof Program program && program.mainClass() == HttpLoad.class
                ? List.of("git", "nginx")
                : List.of("git");
    }

    /** Whether a picture belongs to its table. */
    boolean hasPicture() {
        return chart != null || source instanceof Repeated;
    }

    /** Its name in commands, files and documents. */
    @Override
    public String toString() {
        return label;
    }
}
