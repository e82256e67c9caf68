package dev.spike.http;

import dev.spike.core.RemoteSpikeException;
import dev.spike.http.RebuildCommand.RebuildOptions;

import picocli.CommandLine;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * The demo server's main class. {@code --help} lists the options; with {@code rebuild} as its first
 * argument it is the {@link RebuildCommand} instead.
 *
 * <p>Exit codes: 0 after {@code --help}, {@code --version} or a stop by SIGTERM or SIGINT; 1 if it
 * cannot start; 2 for wrong usage. Both kinds of failure are one line on the standard error.
 */
public final class SpikeServer {

    private static final int CANNOT_START = 1;
    private static final int WRONG_USAGE = 2;
    private static final Duration START = Duration.ofSeconds(3);

    /** Less would cut off the stop of a Redis that an interrupted start has launched. */
    private static final Duration GIVE_UP = EmbeddedRedis.TAKEN_BACK.plusSeconds(2);

    private SpikeServer() {}

    /**
     * Starts the server, and returns once it sells.
     *
     * @param args the flags
     */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("rebuild")) {
            rebuild(Arrays.copyOfRange(args, 1, args.length));
        }
        Options options = parse(new Options(), args);
        CompletableFuture<RunningServer> started = new CompletableFuture<>();
        Thread starting = Thread.currentThread();
        // Before the start: a signal during it must not leave a Redis behind.
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> stop(starting, started), "spike-http-stop"));
        try {
            RunningServer server = RunningServer.start(options);
            server.describe(System.out);
            started.complete(server);
        } catch (IllegalArgumentException wrong) {
            started.completeExceptionally(wrong);
            throw exit(WRONG_USAGE, wrong);
        } catch (StartException | RemoteSpikeException failure) {
            started.completeExceptionally(failure);
            throw exit(CANNOT_START, failure);
        } catch (RuntimeException | Error bug) {
            started.completeExceptionally(bug);
            throw bug;
        }
    }

    private static void rebuild(String[] args) {
        RebuildOptions options = parse(new RebuildOptions(), args);
        try {
            System.exit(RebuildCommand.run(options, System.out));
        } catch (IllegalArgumentException wrong) {
            throw exit(WRONG_USAGE, wrong);
        } catch (StartException | RemoteSpikeException failure) {
            throw exit(CANNOT_START, failure);
        }
    }

    private static <T extends Options> T parse(T options, String[] args) {
        CommandLine parser = Options.commandLine(options, System.getenv());
        try {
            CommandLine.ParseResult parsed = parser.parseArgs(args);
            if (CommandLine.printHelpIfRequested(parsed)) {
                System.exit(0);
            }
            options.check();
            return options;
        } catch (CommandLine.UnmatchedArgumentException unknown) {
            throw exit(WRONG_USAGE, new IllegalArgumentException(unknown(unknown.getUnmatched())));
        } catch (CommandLine.ParameterException | IllegalArgumentException wrong) {
            throw exit(WRONG_USAGE, wrong);
        }
    }

    /** Without values: that of a misspelt flag may be a secret. */
    private static String unknown(List<String> args) {
        String names = args.stream()
                .map(arg -> arg.startsWith("--") ? arg.replaceFirst("=.*", "") : "***")
                .collect(Collectors.joining(" "));
        return "unknown: " + names + "; --help lists the options";
    }

    private static IllegalStateException exit(int code, Exception failure) {
        String message = String.valueOf(failure.getMessage());
        System.err.println("spike-http: " + message.lines().findFirst().orElse(""));
        System.exit(code);
        return new IllegalStateException(failure);
    }

    /** Drains, and ends the process with 0, which the JVM does not after a signal. */
    private static void stop(Thread starting, CompletableFuture<RunningServer> started) {
        if (started.isCompletedExceptionally()) {
            return;
        }
        try {
            awaitStart(starting, started).close();
        } catch (ExecutionException | TimeoutException | InterruptedException neverStarted) {
            // What it had begun it has closed, unless that takes too long.
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** A start is let finish, so that it can be taken back in order, and given up if it is slow. */
    private static RunningServer awaitStart(
            Thread starting, CompletableFuture<RunningServer> started)
            throws ExecutionException, TimeoutException, InterruptedException {
        try {
            return started.get(START.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException slow) {
            starting.interrupt();
            return started.get(GIVE_UP.toMillis(), TimeUnit.MILLISECONDS);
        }
    }
}
