package dev.spike.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads what JMH writes with {@code -rf json}. */
final class JmhResults {

    /**
     * One line of JMH's own table.
     *
     * @param method the benchmark's method
     * @param threads that ran it
     * @param parameters of the benchmark, each with its value
     * @param score in the benchmark's unit
     * @param bytes allocated by a call; NaN without {@code -prof gc}
     */
    record Line(
            String method,
            int threads,
            Map<String, String> parameters,
            double score,
            double bytes) {

        String parameter(String name) {
            String value = parameters.get(name);
            if (value == null) {
                throw new IllegalArgumentException("no parameter " + name + ": " + parameters);
            }
            return value;
        }
    }

    /** Where in a table a line belongs. */
    interface Rows {
        void add(Line line, Result result);
    }

    private JmhResults() {}

    /** Adds one pass of JMH to a result. */
    static void addTo(Result result, Path json, Rows rows) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        new ObjectMapper().readTree(json.toFile()).forEach(lines::add);
        // JMH has 64 threads before 8.
        lines.sort(Comparator.comparingInt(line -> line.required("threads").asInt()));
        for (JsonNode line : lines) {
            String benchmark = line.required("benchmark").asText();
            Map<String, String> parameters = new TreeMap<>();
            for (Map.Entry<String, JsonNode> one : line.path("params").properties()) {
                parameters.put(one.getKey(), one.getValue().asText());
            }
            rows.add(
                    new Line(
                            benchmark.substring(benchmark.lastIndexOf('.') + 1),
                            line.required("threads").asInt(),
                            parameters,
                            line.required("primaryMetric").required("score").asDouble(),
                            line.path("secondaryMetrics")
                                    .path("gc.alloc.rate.norm")
                                    .path("score")
                                    .asDouble(Double.NaN)),
                    result);
        }
    }
}
