package dev.spike.bench.report;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/** A benchmark with a command line of its own. It prints its table, and keeps it if asked. */
@Command(mixinStandardHelpOptions = true, showDefaultValues = true, sortOptions = false)
public abstract class BenchCommand implements Callable<Integer> {

    @Option(names = "--rounds", paramLabel = "N", description = "how often all is measured")
    protected int rounds = 3;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "where to keep the result; not kept if absent")
    private @Nullable Path json;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    /** For subclasses. */
    protected BenchCommand() {}

    /**
     * Measures, all rounds.
     *
     * @throws IllegalArgumentException if a flag has a value that makes no sense
     */
    protected abstract Result measure() throws Exception;

    @Override
    public final Integer call() throws Exception {
        if (rounds < 1) {
            throw new ParameterException(spec.commandLine(), "must be >= 1: --rounds " + rounds);
        }
        Result result;
        try {
            result = measure();
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(spec.commandLine(), "" + wrong.getMessage(), wrong);
        }
        result.about().forEach(sentence -> System.out.println(sentence + "\n"));
        System.out.print(result.toMarkdown());
        if (json != null) {
            result.write(json);
        }
        return 0;
    }

    /**
     * Requires a flag to be at least 1.
     *
     * @throws IllegalArgumentException if it is not
     */
    protected static void requirePositive(String flag, long value) {
        if (value < 1) {
            throw new IllegalArgumentException("must be >= 1: " + flag + " " + value);
        }
    }

    /** Runs it as the whole program: exits 0, 1 if the benchmark failed, 2 for a wrong flag. */
    protected static void runAndExit(BenchCommand command, String... args) {
        System.exit(new CommandLine(command).execute(args));
    }
}
