package dev.spike.bench.report;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the project wants to reach, and whether the results do. */
enum Goal {
    GUARANTEES(asyncOver("evalsha-guarantees"), 3),
    BARE(asyncOver("evalsha-bare"), 2),
    REDISSON(asyncOver("redisson-semaphore"), 5),
    REDISSON_ASYNC(
            new Ratio(
                    new Cell(Suite.SHARED_STOCK, JmhRows.IN_FLIGHT, "spike-async"),
                    new Cell(Suite.SHARED_STOCK, JmhRows.IN_FLIGHT, "redisson-async")),
            5),
    BUCKET4J(asyncOver("bucket4j-batching"), 1.5),
    BUCKET4J_ASYNC(
            new Ratio(
                    new Cell(Suite.SHARED_STOCK, JmhRows.IN_FLIGHT, "spike-async"),
                    new Cell(Suite.SHARED_STOCK, JmhRows.IN_FLIGHT, "bucket4j-async")),
            1.5),
    ANCESTOR(asyncOver("ancestor"), 15),
    ORDER_THEN_DEDUCT(
            new Ratio(
                    new Cell(
                            Suite.STRATEGIES,
                            "selling, answers/s",
                            "pre-deduction",
                            "asynchronous"),
                    new Cell(
                            Suite.STRATEGIES,
                            "selling, answers/s",
                            "order-then-deduct",
                            "blocking")),
            30),
    ORDER_THEN_DEDUCT_BLOCKING(
            new Ratio(
                    new Cell(Suite.STRATEGIES, "selling, answers/s", "pre-deduction", "blocking"),
                    new Cell(
                            Suite.STRATEGIES,
                            "selling, answers/s",
                            "order-then-deduct",
                            "blocking")),
            30),
    LOCAL_NO(
            new Ratio(
                    new Cell(Suite.LOCAL_NO, "ns per call", "`reserve(quantity)`"),
                    new Cell(Suite.LOCAL_NO, "ns per call", "a plain volatile read")),
            -1.2),
    QUOTA_1(quotaOver("1 thread, calls/µs"), 1),
    QUOTA_2(quotaOver("2 threads, calls/µs"), 1),
    QUOTA_8(quotaOver("8 threads, calls/µs"), 1),
    HTTP_SOLD_OUT(httpOver("sold out, req/s"), 0.95),
    HTTP_SELLING(httpOver("selling, req/s"), 0.5),
    WATCHERS(
            new Ratio(
                    new Cell(Suite.WATCHERS, "sold, 1/s", "1000"),
                    new Cell(Suite.WATCHERS, "sold, 1/s", "0")),
            0.95),
    REDIS_CPU(
            new Ratio(
                    new Cell(Suite.REDIS_CPU, "main thread CPU, µs each", "none", "reserve", "100"),
                    null),
            -5),
    ORDERS(new Ratio(new Cell(Suite.ORDERS, "new orders/s"), null), 50_000);

    /**
     * A figure.
     *
     * @param row its first labels, which no other row has
     */
    private record Cell(Suite suite, String figure, String... row) {

        List<Double> samples(Result result) {
            List<String> wanted = List.of(row);
            List<String> found = result.rows().stream()
                    .filter(labels -> labels.subList(0, wanted.size()).equals(wanted))
                    .findFirst()
                    .orElseThrow(() ->
                            new IllegalArgumentException("no row " + wanted + " in " + suite));
            return result.samples(found, figure);
        }

        @Override
        public String toString() {
            return (String.join(", ", row) + ", " + figure).replaceFirst("^, ", "");
        }
    }

    /** One figure in proportion to another of the same round, or alone. */
    private record Ratio(Cell of, @Nullable Cell over) {

        List<Double> samples(Result result) {
            List<Double> above = of.samples(result);
            if (over == null) {
                return above;
            }
            List<Double> below = over.samples(result);
            if (above.size() != below.size()) {
                throw new IllegalStateException("must be measured equally often: " + this);
            }
            List<Double> ratios = new ArrayList<>();
            for (int i = 0; i < above.size(); i++) {
                ratios.add(above.get(i) / below.get(i));
            }
            return ratios;
        }
    }

    private static final String HEAD =
            "| what | beside | goal | seen | |\n|---|---|---:|---:|---|\n";

    private final Ratio ratio;
    private final double bound;

    /** A bound below zero is one from above. */
    Goal(Ratio ratio, double bound) {
        this.ratio = ratio;
        this.bound = bound;
    }

    private static Ratio asyncOver(String design) {
        return new Ratio(
                new Cell(Suite.SHARED_STOCK, JmhRows.IN_FLIGHT, "spike-async"),
                new Cell(Suite.SHARED_STOCK, "64 threads, units/s", design));
    }

    private static Ratio quotaOver(String figure) {
        return new Ratio(
                new Cell(Suite.LOCAL_QUOTA, figure, "selling", "spike"),
                new Cell(Suite.LOCAL_QUOTA, figure, "selling", "semaphore"));
    }

    private static Ratio httpOver(String figure) {
        return new Ratio(
                new Cell(Suite.HTTP_WRK, figure), new Cell(Suite.HTTP_WRK, "bare Undertow, req/s"));
    }

    /** All goals as a table of Markdown. */
    static String toMarkdown(Map<Suite, Measured> measured) {
        StringBuilder table = new StringBuilder(HEAD);
        for (Goal goal : values()) {
            Optional.ofNullable(measured.get(goal.ratio.of.suite))
                    .ifPresent(found -> table.append(goal.row(found.table())));
        }
        return table.toString();
    }

    private String row(Result result) {
        List<Double> samples = ratio.samples(result);
        double median = Figures.median(samples);
        boolean isReached = bound < 0 ? median <= -bound : median >= bound;
        return String.format(
                "| %s | %s | %s %s | %s | %s |\n",
                ratio.of,
                ratio.over == null ? "" : ratio.over,
                bound < 0 ? "≤" : "≥",
                Figures.text(Math.abs(bound)),
                Figures.spread(samples),
                isReached ? "reached" : "**missed**");
    }
}
