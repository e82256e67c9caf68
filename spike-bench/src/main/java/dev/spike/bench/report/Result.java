package dev.spike.bench.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a benchmark has measured: a table whose cells hold one sample for each round. Not safe for
 * use by many threads.
 */
public final class Result {

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /**
     * A result as it is kept in a file.
     *
     * @param about what the reader must know of the servers and settings, a sentence each
     * @param labels the names of the columns that say what a row is
     * @param rows in the order in which they were first measured
     */
    record Kept(List<String> about, List<String> labels, List<Row> rows) {}

    /**
     * A row of the table.
     *
     * @param labels what was measured
     * @param figures each figure, its unit in its name, and its samples, one for each round
     */
    record Row(List<String> labels, Map<String, List<Double>> figures) {}

    private final Kept kept;

    /** A table without rows, with these columns before those of the figures. */
    public Result(String... labels) {
        this(new Kept(new ArrayList<>(), List.of(labels), new ArrayList<>()));
    }

    Result(Kept kept) {
        this.kept = kept;
    }

    /** Adds a sentence that the reader must know, such as a server's version; once. */
    public void about(String sentence) {
        if (!kept.about.contains(sentence)) {
            kept.about.add(sentence);
        }
    }

    /**
     * Adds the sample of one round.
     *
     * @param row one label for each column of labels
     * @param figure the column, with its unit, such as {@code p99, ms}
     */
    public void add(List<String> row, String figure, double sample) {
        if (!Double.isFinite(sample)) {
            throw new IllegalArgumentException("must be a number: " + row + " " + figure);
        }
        if (row.size() != kept.labels.size()) {
            throw new IllegalArgumentException("must be labels of " + kept.labels + ": " + row);
        }
        Row found = kept.rows.stream()
                .filter(known -> known.labels.equals(row))
                .findFirst()
                .orElseGet(() -> {
                    Row added = new Row(List.copyOf(row), new LinkedHashMap<>());
                    kept.rows.add(added);
                    return added;
                });
        found.figures.computeIfAbsent(figure, first -> new ArrayList<>()).add(sample);
    }

    /** What is kept in a file. */
    Kept kept() {
        return kept;
    }

    /** Adds all samples of another round of the same benchmark. */
    public void addAll(Result round) {
        round.kept.about.forEach(this::about);
        for (Row row : round.kept.rows) {
            row.figures.forEach((figure, samples) ->
                    samples.forEach(sample -> add(row.labels, figure, sample)));
        }
    }

    /**
     * The samples of a cell, in the order of the rounds.
     *
     * @throws IllegalArgumentException if there is no such cell
     */
    public List<Double> samples(List<String> row, String figure) {
        return kept.rows.stream()
                .filter(known -> known.labels.equals(row))
                .map(known -> known.figures.getOrDefault(figure, List.of()))
                .filter(samples -> !samples.isEmpty())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no " + figure + " of " + row));
    }

    /**
     * Requires that each figure was measured in every round.
     *
     * @throws IllegalStateException if one was not
     */
    void requireSamples(int rounds) {
        for (Row row : kept.rows) {
            row.figures.forEach((figure, samples) -> {
                if (samples.size() != rounds) {
                    throw new IllegalStateException("must have " + rounds + " samples: "
                            + row.labels + " " + figure + "=" + samples);
                }
            });
        }
    }

    /** Whether there is such a cell. */
    boolean has(List<String> row, String figure) {
        return kept.rows.stream()
                .anyMatch(known -> known.labels.equals(row) && known.figures.containsKey(figure));
    }

    /** The rows, each by its labels. */
    public List<List<String>> rows() {
        return kept.rows.stream().map(Row::labels).toList();
    }

    /** The figures of all rows, each once. */
    public Set<String> figures() {
        return kept.rows.stream()
                .flatMap(row -> row.figures.keySet().stream())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** The sentences that the reader must know. */
    public List<String> about() {
        return List.copyOf(kept.about);
    }

    /**
     * As a table of Markdown: of each cell the median, and in brackets the smallest and largest.
     */
    public String toMarkdown() {
        StringBuilder table = new StringBuilder();
        Set<String> figures = figures();
        List<String> columns = new ArrayList<>(kept.labels);
        columns.addAll(figures);
        table.append("| ")
                .append(String.join(" | ", columns))
                .append(" |\n")
                .append("|---".repeat(kept.labels.size()))
                .append("|---:".repeat(figures.size()))
                .append("|\n");
        for (Row row : kept.rows) {
            table.append('|');
            row.labels.forEach(label -> table.append(' ').append(label).append(" |"));
            for (String figure : figures) {
                List<Double> samples = row.figures.getOrDefault(figure, List.of());
                table.append(' ').append(Figures.spread(samples)).append(" |");
            }
            table.append('\n');
        }
        return table.toString();
    }

    /** Keeps this in a file, as JSON. */
    public void write(Path file) throws IOException {
        JSON.writeValue(file.toFile(), kept);
    }

    /** A result that was kept. */
    public static Result read(Path file) throws IOException {
        return new Result(JSON.readValue(file.toFile(), Kept.class));
    }
}
