package dev.spike.bench.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The files of the repository that hold results, and those that are made from them. */
final class Repository {

    private final Path root;

    Repository(Path root) {
        this.root = root;
    }

    /** Where a suite's picture is. */
    Path picture(Suite suite) {
        return folder().resolve(suite + ".svg").toAbsolutePath();
    }

    /**
     * Keeps a result.
     *
     * @param commit that was checked out when its measurement began
     */
    void keep(Suite suite, String command, int rounds, String commit, Result result)
            throws IOException {
        result.requireSamples(rounds);
        new Measured(
                        command,
                        rounds,
                        commit,
                        LocalDate.now(ZoneOffset.UTC).toString(),
                        Machine.here(),
                        result.kept())
                .write(kept(suite));
    }

    /** The results that are kept. */
    Map<Suite, Measured> measured() throws IOException {
        Map<Suite, Measured> measured = new EnumMap<>(Suite.class);
        for (Suite suite : Suite.values()) {
            if (Files.exists(kept(suite))) {
                measured.put(suite, Measured.read(kept(suite)));
            }
        }
        return measured;
    }

    /** What the files that are made from the results should hold. */
    Map<Path, String> made() throws IOException {
        Map<Suite, Measured> measured = measured();
        Map<Path, String> made = new TreeMap<>();
        measured.forEach((suite, found) -> {
            if (suite.chart != null) {
                made.put(picture(suite), suite.chart.of(found.table()).toSvg());
            }
        });
        for (Path document : documents()) {
            made.put(document, Document.fill(Files.readString(document), measured));
        }
        return made;
    }

    /** Writes them. */
    void write() throws IOException {
        for (Map.Entry<Path, String> file : made().entrySet()) {
            Files.writeString(file.getKey(), file.getValue(), StandardCharsets.UTF_8);
        }
    }

    private List<Path> documents() throws IOException {
        try (Stream<Path> docs = Files.list(root.resolve("docs"))) {
            return Stream.concat(docs, Stream.of(root.resolve("README.md")))
                    .filter(file -> file.toString().endsWith(".md"))
                    .map(Path::toAbsolutePath)
                    .sorted()
                    .toList();
        }
    }

    private Path folder() {
        return root.resolve("docs").resolve("benchmarks");
    }

    private Path kept(Suite suite) {
        return folder().resolve(suite + ".json");
    }

    /** The commit that is checked out, with a plus sign if other files than docs were changed. */
    String commit() throws IOException, InterruptedException {
        boolean isChanged = !git("status", "--porcelain", "--", ":!docs").isEmpty();
        return git("rev-parse", "--short", "HEAD") + (isChanged ? "+" : "");
    }

    private String git(String... arguments) throws IOException, InterruptedException {
        Process git = new ProcessBuilder(Stream.concat(Stream.of("git"), Stream.of(arguments))
                        .collect(Collectors.toList()))
                .directory(root.toAbsolutePath().toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (git.waitFor() != 0) {
            throw new IOException("git failed: " + String.join(" ", arguments));
        }
        return output.strip();
    }
}
