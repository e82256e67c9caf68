package dev.spike.bench.report;

import dev.spike.bench.report.Suite.Jmh;
import dev.spike.bench.report.Suite.Program;
import dev.spike.bench.report.Suite.Repeated;
import dev.spike.bench.report.Suite.Script;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Measures in child processes, one after the other, which say what they do on standard output. */
final class Runner {

    private static final String JAR = "spike-bench/target/benchmarks.jar";

    private final Path root;
    private final int rounds;

    /** For the repository in this folder, whose jars are built. */
    Runner(Path root, int rounds) {
        this.root = root;
        this.rounds = rounds;
    }

    /** The command that measures it, from the root of the repository. */
    String command(Suite suite) {
        Suite.Source source = suite.source;
        if (source instanceof Jmh jmh) {
            return "java -jar " + JAR + " " + String.join(" ", jmh.arguments()) + " -foe true";
        }
        if (source instanceof Script script) {
            return script.environment().entrySet().stream()
                            .map(variable -> variable.getKey() + "=" + variable.getValue() + " ")
                            .sorted()
                            .collect(Collectors.joining())
                    + script.path()
                    + " "
                    + rounds;
        }
        return "java -cp " + JAR + " "
                + (source instanceof Program program
                        ? program.mainClass().getName() + " --rounds " + rounds
                        : ((Repeated) source).mainClass().getName());
    }

    /**
     * Measures all rounds.
     *
     * @param picture where a program that draws its own picture leaves it
     * @throws IllegalStateException if a child fails
     */
    Result measure(Suite suite, Path picture) throws IOException, InterruptedException {
        Suite.Source source = suite.source;
        if (source instanceof Jmh jmh) {
            return passes(jmh);
        }
        if (source instanceof Script script) {
            return script(script);
        }
        Path json = Files.createTempFile("spike-bench", ".json");
        try {
            if (source instanceof Program program) {
                run(java(
                        "-cp",
                        JAR,
                        program.mainClass().getName(),
                        "--rounds",
                        "" + rounds,
                        "--json",
                        "" + json));
                return Result.read(json);
            }
            return repeated((Repeated) source, json, picture);
        } finally {
            Files.deleteIfExists(json);
        }
    }

    private Result passes(Jmh jmh) throws IOException, InterruptedException {
        Result result = jmh.table().get();
        Path json = Files.createTempFile("spike-bench", ".json");
        try {
            for (int round = 0; round < rounds; round++) {
                List<String> command = new ArrayList<>(java("-jar", JAR));
                command.addAll(jmh.arguments());
                command.addAll(List.of("-foe", "true", "-rf", "json", "-rff", json.toString()));
                run(command);
                JmhResults.addTo(result, json, jmh.rows());
            }
        } finally {
            Files.deleteIfExists(json);
        }
        return result;
    }

    private Result repeated(Repeated program, Path json, Path picture)
            throws IOException, InterruptedException {
        Result result = null;
        for (int round = 0; round < rounds; round++) {
            run(java(
                    "-cp",
                    JAR,
                    program.mainClass().getName(),
                    "--json",
                    "" + json,
                    "--svg",
                    "" + picture));
            Result one = Result.read(json);
            if (result == null) {
                result = one;
            } else {
                result.addAll(one);
            }
        }
        if (result == null) {
            throw new IllegalArgumentException("must be >= 1: rounds=" + rounds);
        }
        return result;
    }

    private Result script(Script script) throws IOException, InterruptedException {
        Path output = Files.createTempFile("spike-bench", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder("./" + script.path(), "" + rounds)
                    .directory(root.toAbsolutePath().toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .redirectOutput(output.toFile());
            builder.environment().putAll(script.environment());
            Process child = builder.start();
            await(child, script.path());
            String text = Files.readString(output);
            System.out.print(text);
            return ofRounds(text);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    /** A table of Markdown with one row a round, whose number is in the first column. */
    static Result ofRounds(String text) {
        List<List<String>> rows = text.lines()
                .filter(line -> line.startsWith("|"))
                .map(line -> Arrays.stream(line.substring(1).split("\\|"))
                        .map(String::strip)
                        .toList())
                .toList();
        if (rows.isEmpty()) {
            throw new IllegalStateException("no table: " + text);
        }
        Result result = new Result();
        text.lines().findFirst().ifPresent(result::about);
        for (List<String> row : rows.subList(1, rows.size())) {
            if (row.get(0).chars().allMatch(Character::isDigit)) {
                for (int i = 1; i < row.size(); i++) {
                    result.add(List.of(), rows.get(0).get(i), Double.parseDouble(row.get(i)));
                }
            }
        }
        return result;
    }

    private static List<String> java(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(arguments));
        return command;
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        Process child = new ProcessBuilder(command)
                .directory(root.toAbsolutePath().toFile())
                .inheritIO()
                .start();
        await(child, String.join(" ", command.subList(1, command.size())));
    }

    /** Ends it with all that it started, also when this is ended meanwhile. */
    private static void await(Process child, String what) throws InterruptedException {
        Thread atExit = new Thread(() -> {
            child.descendants().forEach(ProcessHandle::destroy);
            child.destroy();
        });
        Runtime.getRuntime().addShutdownHook(atExit);
        int exit = child.waitFor();
        Runtime.getRuntime().removeShutdownHook(atExit);
        if (exit != 0) {
            throw new IllegalStateException("exit " + exit + ": " + what);
        }
    }
}
