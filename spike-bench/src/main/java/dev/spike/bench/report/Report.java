package dev.spike.bench.report;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * Measures, keeps the results in {@code docs/benchmarks/*.json}, and makes from them the tables and
 * charts of the documentation, so that nobody types a figure.
 */
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false,
        description = "Measures, and makes the tables and charts of the documentation.")
public final class Report implements Callable<Integer> {

    @Parameters(
            paramLabel = "NAME",
            showDefaultValue = CommandLine.Help.Visibility.NEVER,
            description =
                    "what to measure: ${COMPLETION-CANDIDATES}; all, about an hour, if absent")
    private List<Suite> suites = List.of(Suite.values());

    @Option(names = "--rounds", paramLabel = "N", description = "how often each is measured")
    private int rounds = 3;

    @Option(
            names = "--write-only",
            description = "measure nothing: make the documents from the results that are kept")
    private boolean writeOnly;

    @Option(
            names = "--root",
            paramLabel = "DIR",
            description = "the root of the repository, whose jars are built")
    private Path root = Path.of(".");

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    /** With the default flags. */
    public Report() {}

    /** Measures and writes. */
    public static void main(String... args) {
        System.exit(new CommandLine(new Report()).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (rounds < 1) {
            throw new ParameterException(spec.commandLine(), "must be >= 1: --rounds " + rounds);
        }
        if (!writeOnly) {
            requireTools();
        }
        Repository repository = new Repository(root);
        Runner runner = new Runner(root, rounds);
        try {
            for (Suite suite : writeOnly ? List.<Suite>of() : suites) {
                String commit = repository.commit();
                Result result = runner.measure(suite, repository.picture(suite));
                repository.keep(suite, runner.command(suite), rounds, commit, result);
            }
        } finally {
            repository.write();
        }
        return 0;
    }

    /** Before an hour is spent: each suite would notice by itself only when its turn comes. */
    private void requireTools() {
        for (Suite suite : suites) {
            for (String tool : suite.tools) {
                if (Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .noneMatch(folder -> Files.isExecutable(Path.of(folder, tool)))) {
                    throw new ParameterException(
                            spec.commandLine(), suite + " needs " + tool + " on the PATH");
                }
            }
        }
    }
}
