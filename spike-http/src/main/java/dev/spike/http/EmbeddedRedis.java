package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;
import redis.embedded.RedisExecProvider;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * A real redis-server of our own, on loopback, whose data is in the data directory.
 *
 * <p>It is started as a daemon, in a session of its own, so that an interrupt from the terminal
 * reaches only this server, which drains first. When this server is killed it lives on; the next
 * start finds it by the recorded port. Its port is recorded <em>before</em> it starts, so that two
 * never write the same files.
 */
final class EmbeddedRedis implements AutoCloseable {

    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(3);

    /** How long a Redis may take to record its process id; on a busy machine that is seconds. */
    private static final Duration RECORDED = Duration.ofSeconds(20);

    /**
     * How long a start that is interrupted takes at most: only once the Redis that it launched has
     * recorded its process id can it be stopped.
     */
    static final Duration TAKEN_BACK = RECORDED.plus(STOP);

    private static final int CALL_MILLIS = 1_000;

    private final DataDirectory data;
    private final Path dir;
    private final int port;
    private final long pid;

    private EmbeddedRedis(DataDirectory data, Path dir, int port, long pid) {
        this.data = data;
        this.dir = dir;
        this.port = port;
        this.pid = pid;
    }

    /**
     * Goes on with the one that a killed server left behind, or starts one from the files. Blocks
     * until it has loaded them.
     *
     * @throws StartException if the directory is in use or Redis does not start
     */
    static EmbeddedRedis start(Path directory) {
        return start(directory, START);
    }

    /** As {@link #start(Path)}, with this patience while it loads. */
    static EmbeddedRedis start(Path directory, Duration patience) {
        DataDirectory data = DataDirectory.lock(directory);
        try {
            Path dir = Files.createDirectories(directory.resolve("redis")).toRealPath();
            int recorded = recordedPort(dir);
            if (recorded > 0) {
                Optional<Long> pid =
                        awaitLoaded(dir, recorded, mayBeAlive(dir) ? patience : Duration.ZERO);
                if (pid.isPresent()) {
                    return new EmbeddedRedis(data, dir, recorded, pid.get());
                }
                // Two on the same files would sell the same units twice.
                running(dir).ifPresent(EmbeddedRedis::refuse);
            }
            int port = freePort();
            Files.writeString(portFile(dir), Integer.toString(port));
            Files.deleteIfExists(pidFile(dir));
            return new EmbeddedRedis(data, dir, port, launched(dir, port, patience));
        } catch (IOException failure) {
            data.close();
            throw new StartException("the embedded Redis cannot start: " + failure, failure);
        } catch (Throwable failure) {
            data.close();
            throw failure;
        }
    }

    private static void refuse(ProcessHandle left) {
        throw new StartException("the embedded Redis that an earlier server left (process "
                + left.pid() + ") does not answer; end it, or give another --data");
    }

    String uri() {
        return "redis://" + LOOPBACK + ":" + port;
    }

    /** Starts one; what does not answer in time is not left behind. */
    private static long launched(Path dir, int port, Duration patience) throws IOException {
        try {
            launch(dir, port);
            return awaitLoaded(dir, port, patience)
                    .orElseThrow(() -> new StartException("the embedded Redis "
                            + (mayBeAlive(dir) ? "does not answer" : "ended at its start")
                            + "; see " + dir.resolve("redis.log")));
        } catch (Throwable failure) {
            stopLaunched(dir);
            throw failure;
        }
    }

    /** After an interruption, it may not have recorded its process id yet. */
    private static void stopLaunched(Path dir) {
        boolean interrupted = Thread.interrupted();
        long end = System.nanoTime() + (interrupted ? RECORDED.toNanos() : 0);
        while (recordedPid(dir) == 0 && System.nanoTime() - end < 0) {
            pause();
        }
        running(dir).ifPresent(process -> stop(dir, process.pid()));
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops Redis, in a bounded time; what it holds is on disk then. */
    @Override
    public void close() {
        try (data) {
            stop(dir, pid);
        }
    }

    /** An interruption, which may be why it is stopped, does not cut its bounded wait short. */
    private static void stop(Path dir, long pid) {
        boolean interrupted = Thread.interrupted();
        ProcessHandle.of(pid).ifPresent(process -> {
            process.destroy();
            try {
                process.onExit().get(STOP.toMillis(), TimeUnit.MILLISECONDS);
                Files.deleteIfExists(portFile(dir));
            } catch (TimeoutException slow) {
                process.destroyForcibly();
            } catch (InterruptedException again) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException | IOException harmless) {
                // It has ended; a port file that is left is checked at the next start.
            }
        });
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void launch(Path dir, int port) throws IOException {
        Path log = dir.resolve("redis.log");
        List<String> command = List.of(
                executable(dir).toString(),
                "--bind",
                LOOPBACK,
                "--port",
                Integer.toString(port),
                "--daemonize",
                "yes",
                "--dir",
                dir.toString(),
                "--pidfile",
                pidFile(dir).toString(),
                "--logfile",
                log.toString(),
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--maxmemory-policy",
                "noeviction",
                "--save",
                "");
        Process launcher = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        try {
            if (!launcher.waitFor(START.toMillis(), TimeUnit.MILLISECONDS)
                    || launcher.exitValue() != 0) {
                launcher.destroyForcibly();
                throw new StartException("the embedded Redis did not start; see " + log);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StartException("interrupted", interrupted);
        }
    }

    /** The binary, kept with the data: what the library unpacks is left behind by a kill. */
    private static Path executable(Path dir) throws IOException {
        Path unpacked = RedisExecProvider.defaultProvider().get().toPath();
        Path kept = binary(dir);
        Files.copy(
                unpacked,
                kept,
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.COPY_ATTRIBUTES);
        Files.deleteIfExists(unpacked);
        Files.deleteIfExists(unpacked.getParent());
        return kept;
    }

    /**
     * Waits until our Redis answers on this port and has loaded its files.
     *
     * @return its process id; empty if something else, or nothing, answers, or it has ended
     */
    private static Optional<Long> awaitLoaded(Path dir, int port, Duration patience) {
        long start = System.nanoTime();
        long end = start + patience.toNanos();
        do {
            try (Jedis redis = new Jedis(LOOPBACK, port, CALL_MILLIS)) {
                if (!dir.toString().equals(redis.configGet("dir").get("dir"))) {
                    return Optional.empty();
                }
                if (field(redis.info("persistence"), "loading").equals("0")) {
                    return Optional.of(Long.valueOf(field(redis.info("server"), "process_id")));
                }
            } catch (JedisException notYet) {
                // Refused, or not ours to talk to: only time tells.
            }
            pause();
        } while (System.nanoTime() - end < 0 && !hasEnded(dir, System.nanoTime() - start));
        return Optional.empty();
    }

    /** A daemon tells nobody how it ended; it records its process id before it loads. */
    private static boolean hasEnded(Path dir, long nanosSinceStart) {
        return !mayBeAlive(dir) && (recordedPid(dir) > 0 || nanosSinceStart > RECORDED.toNanos());
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StartException("interrupted", interrupted);
        }
    }

    private static String field(String info, String name) {
        return info.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse("");
    }

    private static boolean mayBeAlive(Path dir) {
        return running(dir).isPresent();
    }

    /**
     * The process that Redis recorded for itself, perhaps still loading; before it has, one that
     * runs the binary which is kept here.
     */
    private static Optional<ProcessHandle> running(Path dir) {
        long pid = recordedPid(dir);
        String kept = binary(dir).toString();
        return pid > 0
                ? ProcessHandle.of(pid).filter(runs(path -> path.contains("redis-server")))
                : ProcessHandle.allProcesses()
                        .filter(runs(path -> path.startsWith(kept)))
                        .findFirst();
    }

    private static Predicate<ProcessHandle> runs(Predicate<String> binary) {
        return process -> process.info().command().filter(binary).isPresent();
    }

    /** 0: none, or Redis was stopped while it wrote it. */
    private static long recordedPid(Path dir) {
        try {
            String text = Files.readString(pidFile(dir), UTF_8).strip();
            return text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
        } catch (IOException none) {
            return 0;
        }
    }

    private static int recordedPort(Path dir) throws IOException {
        Path file = portFile(dir);
        try {
            return Files.exists(file)
                    ? Integer.parseInt(Files.readString(file, UTF_8).strip())
                    : 0;
        } catch (NumberFormatException halfWritten) {
            return 0;
        }
    }

    private static Path binary(Path dir) {
        return dir.resolve("redis-server");
    }

    private static Path portFile(Path dir) {
        return dir.resolve("redis.port");
    }

    private static Path pidFile(Path dir) {
        return dir.resolve("redis.pid");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(LOOPBACK))) {
            return socket.getLocalPort();
        }
    }
}
