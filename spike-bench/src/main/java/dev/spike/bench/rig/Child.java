package dev.spike.bench.rig;

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

/**
 * A process that is measured, or that faults are done to, with those that it starts. It ends with
 * this JVM at the latest.
 */
public final class Child implements AutoCloseable {

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
    public static Child java(Path folder, String name, String mainClass, List<String> arguments) {
        return java(folder, name, List.of(), mainClass, arguments);
    }

    /** Starts a main class of this class path in a JVM with these options. */
    public static Child java(
            Path folder,
            String name,
            List<String> options,
            String mainClass,
            List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(arguments);
        return start(folder, name, command);
    }

    /** Starts a command, with a log in this folder. */
    public static Child start(Path folder, String name, List<String> command) {
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
    public static Path onPath(String program) {
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
    public String awaitLog(Pattern pattern) {
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
    public void requireAlive() {
        if (!process.isAlive()) {
            throw new IllegalStateException(name + " ended: " + log());
        }
    }

    /** All that it has printed. */
    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Ends it at once, as a crash would; returns when it has ended. */
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Asks it to end; returns when it has ended, or fails. */
    public void terminate() {
        process.destroy();
        try {
            if (!process.waitFor(START.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException(name + " does not end: " + log());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Lets it stand still, in whatever it does. */
    public void pause() {
        signal("STOP", process.pid());
    }

    /** Lets it go on after {@link #pause}. */
    public void resume() {
        signal("CONT", process.pid());
    }

    /** Sends a signal to a process of ours. */
    static void signal(String signal, long pid) {
        try {
            int code = new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            if (code != 0) {
                throw new IllegalStateException("no process " + pid + " for " + signal);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** What it and those that it started have used of the processors, in seconds. */
    public double cpuSeconds() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .mapToDouble(Child::cpuSeconds)
                .sum();
    }

    /** What this JVM has used of the processors, in seconds. */
    public static double ownCpuSeconds() {
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
