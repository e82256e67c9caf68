package dev.spike.bench.report;

import dev.spike.bench.alternatives.QuotaDesign;
import dev.spike.bench.peers.StockDesign;
import dev.spike.bench.report.JmhResults.Line;

import java.util.List;
import java.util.Map;

/** Where the lines of each JMH benchmark stand in its table. */
final class JmhRows {

    /** The figure of those that do not wait for each answer. */
    static final String IN_FLIGHT = "64 threads × 16 in flight, units/s";

    private static final Map<String, String> CALLS = Map.of(
            "bareVolatileRead", "a plain volatile read",
            "anyone", "`reserve(quantity)`",
            "buyer", "`reserve(buyer, quantity)`",
            "buyerAndKey", "`reserve(buyer, key, quantity)`",
            "anyoneCounted", "`reserve(quantity)`, counted by a listener",
            "buyerCounted", "`reserve(buyer, quantity)`, counted by a listener");

    private JmhRows() {}

    static void localNo(Line line, Result result) {
        String call = CALLS.get(line.method());
        if (call == null) {
            throw new IllegalStateException("no words for " + line);
        }
        result.add(List.of(call), "ns per call", line.score());
        result.add(List.of(call), "bytes per call", wholeBytes(line));
    }

    static void localQuota(Line line, Result result) {
        String path = line.method().equals("soldOut") ? "sold out" : line.method();
        List<String> row =
                List.of(path, QuotaDesign.valueOf(line.parameter("design")).label());
        result.add(row, threads(line) + ", calls/µs", line.score());
        if (line.threads() == 1) {
            result.add(row, "bytes per call", wholeBytes(line));
        }
    }

    static void sharedStock(Line line, Result result) {
        StockDesign design = StockDesign.of(line.parameter("design"));
        result.add(
                List.of(design.label(), design.keeps()),
                design.isAsynchronous() ? IN_FLIGHT : threads(line) + ", units/s",
                line.score());
    }

    private static String threads(Line line) {
        return line.threads() == 1 ? "1 thread" : line.threads() + " threads";
    }

    /** What the harness itself allocates is far less than a byte per call. */
    private static double wholeBytes(Line line) {
        if (Double.isNaN(line.bytes())) {
            throw new IllegalStateException("allocation was not measured: " + line);
        }
        return Math.round(line.bytes());
    }
}
