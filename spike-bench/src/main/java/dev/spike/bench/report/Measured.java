package dev.spike.bench.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A result with how it came about, as it is kept in the repository.
 *
 * @param command that measures it, from the root of the repository
 * @param rounds samples of each figure
 * @param commit that was checked out, with a plus sign if something was changed since
 * @param day of the measurement, ISO 8601
 * @param machine that it ran on
 * @param result the samples
 */
record Measured(
        String command,
        int rounds,
        String commit,
        String day,
        Machine machine,
        Result.Kept result) {

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    static Measured read(Path file) throws IOException {
        return JSON.readValue(file.toFile(), Measured.class);
    }

    void write(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, JSON.writeValueAsString(this) + "\n", StandardCharsets.UTF_8);
    }

    Result table() {
        return new Result(result);
    }

    /** For the documentation: the command, what the reader must know, and the table. */
    String toMarkdown() {
        StringBuilder text = new StringBuilder();
        text.append("    ").append(command).append("\n\n");
        result.about().forEach(sentence -> text.append(sentence).append('\n'));
        text.append(result.about().isEmpty() ? "" : "\n").append(table().toMarkdown());
        String samples =
                rounds == 1 ? "One round" : "Median of " + rounds + " rounds (smallest–largest)";
        text.append('\n')
                .append(samples)
                .append(", at ")
                .append(commit)
                .append(", ")
                .append(day)
                .append(".\n");
        return text.toString();
    }
}
