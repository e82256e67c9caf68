package dev.spike.redis;

import static org.awaitility.Awaitility.await;

import static java.nio.charset.StandardCharsets.UTF_8;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.embedded.RedisExecProvider;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A real redis-server child process, on a free loopback port, in a directory of its own: the one on
 * the PATH, else the binary of embedded-redis.
 */
final class RedisServer implements AutoCloseable {

    private final Path directory;
    private final int port;
    private final List<String> command;
    private volatile Process process;

    private RedisServer(Path directory, int port, List<String> command) {
        this.directory = directory;
        this.port = port;
        this.command = command;
        this.process = launch();
        // Also when a test fails before it closes the server.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> process.destroyForcibly()));
    }

    /** Starts a server and waits until it answers. */
    static RedisServer start(String... settings) {
        return start(freePort(), settings);
    }

    static RedisServer start(int port, String... settings) {
        return start(port, List.of("--save", ""), settings);
    }

    /** Starts a sentinel that watches the master of this port, under the name {@code master}. */
    static RedisServer startSentinel(int masterPort) {
        try {
            Path config = Files.createTempFile("spike-sentinel", ".conf");
            Files.writeString(
                    config,
                    "sentinel monitor master 127.0.0.1 " + masterPort + " 1\n"
                            + "sentinel down-after-milliseconds master 500\nsentinel failover-timeout master 2000\n");
            return start(freePort(), List.of(config.toString(), "--sentinel"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RedisServer start(int port, List<String> first, String... settings) {
        try {
            Path directory = Files.createTempDirectory("spike-redis");
            List<String> command = new ArrayList<>(List.of(binary()));
            command.addAll(first);
            command.addAll(
                    List.of("--bind", "127.0.0.1", "--port", Integer.toString(port), "--dir"));
            command.add(directory.toString());
            command.addAll(Arrays.asList(settings));
            RedisServer server = new RedisServer(directory, port, command);
            server.awaitAnswer();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Process launch(String... settings) {
        try {
            List<String> all = new ArrayList<>(command);
            all.addAll(Arrays.asList(settings));
            return new ProcessBuilder(all)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitAnswer() {
        await().atMost(30, TimeUnit.SECONDS)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .failFast(() -> requireAlive())
                .until(this::answers);
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = socket.getLocalPort();
            // The cluster bus listens 10000 above.
            return port <= 55_000 ? port : freePort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String binary() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> new File(folder, "redis-server"))
                .filter(File::canExecute)
                .map(File::getPath)
                .findFirst()
                .orElseGet(RedisServer::broughtAlong);
    }

    private static String broughtAlong() {
        try {
            return RedisExecProvider.defaultProvider().get().getPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void requireAlive() throws IOException {
        if (!process.isAlive()) {
            throw new IllegalStateException(Files.readString(directory.resolve("log"), UTF_8));
        }
    }

    private boolean answers() {
        try (Jedis jedis = jedis()) {
            return jedis.ping().equals("PONG");
        } catch (JedisDataException needsPassword) {
            return String.valueOf(needsPassword.getMessage()).startsWith("NOAUTH");
        } catch (RuntimeException notYet) {
            return false;
        }
    }

    /** Where its files are. */
    Path directory() {
        return directory;
    }

    int port() {
        return port;
    }

    String uri() {
        return "redis://127.0.0.1:" + port;
    }

    /** A new connection of its own. */
    Jedis jedis() {
        return new Jedis("127.0.0.1", port);
    }

    void jedisDo(Consumer<Jedis> commands) {
        try (Jedis jedis = jedis()) {
            commands.accept(jedis);
        }
    }

    /** SIGSTOP: connections stay, nothing answers. */
    void pause() {
        signal("STOP");
    }

    /** SIGCONT. */
    void resume() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** SIGKILL, which also ends a paused server; its files stay. */
    void crash() {
        process.destroyForcibly().onExit().join();
    }

    /** Starts again after a {@link #crash}, on the same port and files; waits until it answers. */
    void restart(String... settings) {
        restartWithoutWaiting(settings);
        awaitAnswer();
    }

    /** As {@link #restart}, while it may still be loading. */
    void restartWithoutWaiting(String... settings) {
        process = launch(settings);
    }

    @Override
    public void close() {
        kill();
    }

    /** SIGKILL, and its files are gone. */
    void kill() {
        crash();
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        } catch (NoSuchFileException gone) {
            // Killed before.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
