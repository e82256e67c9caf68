package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The server, or another program of ours, in a JVM of its own. */
final class Child implements AutoCloseable {

    private static final Pattern BUYERS = Pattern.compile("Buyers: http://[^:]*:(\\d+)/buy/ticket");

    /** The last line that it tells, whole: printf writes a line in pieces. */
    private static final Pattern ADMIN =
            Pattern.compile("Admin: http://[^:]*:(\\d+)/v1/sales/.*\\R");

    private final Process process;
    private final Path out;
    private final Path err;

    private Child(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /**
     * Starts it with these flags and this environment; its output goes to files in the directory.
     */
    static Child start(Path dir, Map<String, String> environment, String... flags) {
        return start(
                dir,
                environment,
                System.getProperty("java.class.path"),
                Map.of(),
                SpikeServer.class,
                flags);
    }

    /** Starts the main method of this class, with this class path and these properties. */
    static Child start(
            Path dir,
            Map<String, String> environment,
            String classPath,
            Map<String, String> properties,
            Class<?> main,
            String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath));
        properties.forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.add(main.getName());
        command.addAll(List.of(args));
        try {
            Path out = Files.createTempFile(dir, "out", ".log");
            Path err = Files.createTempFile(dir, "err", ".log");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(dir.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().putAll(environment);
            return new Child(builder.start(), out, err);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Waits until it sells; false: it ended before. */
    boolean sells() {
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> ADMIN.matcher(out()).find() || !process.isAlive());
        return ADMIN.matcher(out()).find();
    }

    /** Waits until it sells, and tells the buyers' port. */
    int port() {
        sells();
        return port(BUYERS);
    }

    /** The same of the admin's. */
    int adminPort() {
        sells();
        return port(ADMIN);
    }

    private int port(Pattern line) {
        Matcher found = line.matcher(out());
        assertThat(found.find()).as("started: " + out() + err()).isTrue();
        return Integer.parseInt(found.group(1));
    }

    String get(String path) {
        return get(port(), path);
    }

    String admin(String path) {
        return get(adminPort(), path);
    }

    private static String get(int port, String path) {
        try {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + port + path))
                    .build();
            return HttpClient.newHttpClient()
                    .send(request, BodyHandlers.ofString())
                    .body();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    String out() {
        return read(out);
    }

    String err() {
        return read(err);
    }

    /** Writes a line to its standard input. */
    void say(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException dead) {
            // Its exit code tells.
        }
    }

    /** Whether it ends in this time. */
    boolean ends(Duration patience) {
        try {
            return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** Sends SIGINT, as ^C does. */
    void interrupt() throws IOException, InterruptedException {
        Signals.send("-INT", process.pid());
    }

    /** Sends SIGKILL and waits for the end. */
    void kill() {
        process.destroyForcibly();
        exitCode(Duration.ofSeconds(10));
    }

    int exitCode(Duration patience) {
        assertThat(ends(patience)).as("ended within " + patience).isTrue();
        return process.exitValue();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Stops it, cleanly if it still can. */
    @Override
    public void close() {
        terminate();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
