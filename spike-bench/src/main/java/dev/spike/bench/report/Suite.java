package dev.spike.bench.report;

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
                    List.of("2 threads, calls/µs"))),
    SHARED_STOCK(
            "shared-stock",
            new Jmh(
                    List.of("SharedStock", "-foe", "true"),
                    () -> new Result("design", "keeps"),
                    JmhRows::sharedStock),
            new Chart(
                    "One shared stock, 64 threads: units sold per second",
                    row -> true,
                    0,
                    List.of(JmhRows.IN_FLIGHT, "64 threads, units/s"))),
    REDIS_CPU(
            "redis-cpu",
            new Program("dev.spike.bench.RedisCpu"),
            new Chart(
                    "Main thread of Redis, without AOF: CPU µs per reservation, by size of batch",
                    row -> row.get(0).equals("none") && row.get(1).equals("reserve"),
                    2,
                    List.of("main thread CPU, µs each"))),
    REDIS_STEPS("redis-steps", new Program("dev.spike.bench.ReserveSteps"), null),
    STRATEGIES(
            "strategies",
            new Program("dev.spike.bench.scenario.Strategies"),
            new Chart(
                    "The three strategies: answers per second while every request gets a unit",
                    row -> true,
                    0,
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
            new Program("dev.spike.bench.load.HttpLoad"),
            new Chart(
                    "Over HTTP: the highest rate with p99 within 50 ms, requests per second",
                    row -> true,
                    0,
                    List.of("held, 1/s"))),
    MILLION_BUYERS("million-buyers", new Repeated("dev.spike.bench.scenario.MillionBuyers"), null),
    GROWTH_BY_NODES("growth-by-nodes", new Program("dev.spike.bench.scenario.GrowthByNodes"), null),
    GROWTH_BY_UNITS("growth-by-units", new Program("dev.spike.bench.scenario.GrowthByUnits"), null),
    MASS_EXPIRY("mass-expiry", new Program("dev.spike.bench.MassExpiry"), null),
    ORDERS("orders", new Program("dev.spike.bench.OrderThroughput"), null);

    /** How it is measured. */
    sealed interface Source permits Jmh, Program, Repeated, Script {}

    /** One pass of JMH a round, so that rounds are interleaved. */
    record Jmh(List<String> arguments, Supplier<Result> table, JmhResults.Rows rows)
            implements Source {}

    /** A {@link BenchCommand}, which makes all rounds itself. */
    record Program(String mainClass) implements Source {}

    /**
     * A program that is run once a round, and keeps its result as a {@link BenchCommand} does, and
     * a picture.
     */
    record Repeated(String mainClass) implements Source {}

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
     * @param label which of a row's labels stands at its bars
     * @param figures each with a bar in each row that has it
     */
    record Chart(String title, Predicate<List<String>> rows, int label, List<String> figures) {

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
            String name = row.get(label);
            return new BarChart.Bar(name, result.samples(row, figure), name.startsWith("spike"));
        }
    }

    private final String label;
    final Source source;
    final @Nullable Chart chart;

    Suite(String label, Source source, @Nullable Chart chart) {
        this.label = label;
        this.source = source;
        this.chart = chart;
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
