package dev.spike.bench.load;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A process that is measured, with those that it starts. It ends with this JVM at the latest. */
final class Child implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(12);

    private final String name;
    private final Process process;
    private final Path log;
    private final Thread atExit;

    private Child(String name, Process process, Path log) {
        this.name = name;
        this.process = process;
        this.log = log;
        this.atExit = new Thread(() -> end(process));
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** Starts a main class of this class path, with a log in this folder. */
    static Child java(Path folder, String name, String mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                mainClass));
        command.addAll(arguments);
        return start(folder, name, command);
    }

    /** Starts a command, with a log in this folder. */
    static Child start(Path folder, String name, List<String> command) {
        Path log = folder.resolve(name + ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        // The demo server would take flags from there that are not told in the report.
        builder.environment().keySet().removeIf(variable -> variable.startsWith("SPIKE_"));
        try {
            return new Child(name, builder.start(), log);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** A program of the PATH. */
    static Path onPath(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no " + program + " on the PATH"));
    }

    /**
     * Waits until its log has this.
     *
     * @return the first group
     * @throws IllegalStateException if it ends first, or takes too long
     */
    String awaitLog(Pattern pattern) {
        long end = System.nanoTime() + START.toNanos();
        while (true) {
            boolean ended = !process.isAlive();
            Matcher found = pattern.matcher(log());
            if (found.find()) {
                return found.group(1);
            }
            if (ended || System.nanoTime() - end > 0) {
                throw new IllegalStateException(
                        name + (ended ? " ended: " : " says only: ") + log());
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    /**
     * Fails if it has ended.
     *
     * @throws IllegalStateException with its log
     */
    void requireAlive() {
        if (!process.isAlive()) {
            throw new IllegalStateException(name + " ended: " + log());
        }
    }

    private String log() {
        try {
            return Files.readString(log);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** What it and those that it started have used of the processors, in seconds. */
    double cpuSeconds() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .mapToDouble(Child::cpuSeconds)
                .sum();
    }

    /** What this JVM has used of the processors, in seconds. */
    static double ownCpuSeconds() {
        return cpuSeconds(ProcessHandle.current());
    }

    private static double cpuSeconds(ProcessHandle handle) {
        return handle.info()
                        .totalCpuDuration()
                        .orElseThrow(() -> new IllegalStateException(
                                "no CPU time of process " + handle.pid() + " can be read"))
                        .toNanos()
                / 1e9;
    }

    /** Asks it to end, and makes it end. */
    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        end(process);
    }

    private static void end(Process process) {
        List<ProcessHandle> started = process.descendants().toList();
        process.destroy();
        try {
            if (process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
        started.forEach(ProcessHandle::destroyForcibly);
    }
}
