package dev.spike.bench.rig;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.util.JedisURIHelper;
import redis.embedded.RedisExecProvider;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The Redis that is measured: one that runs already, or a redis-server child on loopback, which
 * ends with this JVM.
 */
public final class BenchRedis implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 60_000;

    private final String uri;
    private final Runnable requireAlive;
    private final Runnable stop;

    private BenchRedis(String uri, Runnable requireAlive, Runnable stop) {
        this.uri = uri;
        this.requireAlive = requireAlive;
        this.stop = stop;
    }

    /** That of {@code -Dspike.redis=redis://…}, else a child without persistence. */
    public static BenchRedis start() {
        return at(System.getProperty("spike.redis"));
    }

    /** That of a {@code redis://} URI; null: a child without persistence. */
    public static BenchRedis at(@Nullable String uri) {
        return uri == null
                ? child("--appendonly", "no")
                : answering(new BenchRedis(uri, () -> {}, () -> {}));
    }

    /**
     * A child, from the PATH, else the one that embedded-redis brings along.
     *
     * @param options as after {@code redis-server}; address, port, directory and no snapshots are
     *     given
     */
    public static BenchRedis child(String... options) {
        return answering(startChild(List.of(options)));
    }

    private static BenchRedis answering(BenchRedis redis) {
        try {
            redis.awaitAnswer();
            return redis;
        } catch (RuntimeException dead) {
            redis.close();
            throw dead;
        }
    }

    public String uri() {
        return uri;
    }

    /** A new connection, which waits long for a reply. */
    public Jedis jedis() {
        return new Jedis(URI.create(uri), PATIENCE_MILLIS);
    }

    /** A pool of connections that wait long for a reply, unlike a RedisStore's; not over TLS. */
    public RedisClient client(int threads) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(threads);
        pool.setMaxIdle(threads);
        URI server = URI.create(uri);
        return RedisClient.builder()
                .hostAndPort(JedisURIHelper.getHostAndPort(server))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .user(JedisURIHelper.getUser(server))
                        .password(JedisURIHelper.getPassword(server))
                        .database(JedisURIHelper.getDBIndex(server))
                        .connectionTimeoutMillis(PATIENCE_MILLIS)
                        .socketTimeoutMillis(PATIENCE_MILLIS)
                        .build())
                .poolConfig(pool)
                .build();
    }

    /** Frees the memory of a sale, before it returns: the next measurement must not pay for it. */
    public void deleteSale(String saleId) {
        try (Jedis jedis = jedis()) {
            Set<String> keys = jedis.keys("spike:{" + saleId + "}:*");
            keys.forEach(jedis::del);
        }
    }

    /** Stops the child, if there is one. */
    @Override
    public void close() {
        stop.run();
    }

    private static void requireAlive(Process process, Path log) {
        if (!process.isAlive()) {
            try {
                throw new IllegalStateException("redis-server ended: " + Files.readString(log));
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }
    }

    private void awaitAnswer() {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (true) {
            try (Jedis jedis = jedis()) {
                jedis.ping();
                // Else it may be another server that answers at this port.
                requireAlive.run();
                return;
            } catch (JedisConnectionException notYet) {
                requireAlive.run();
                if (System.nanoTime() - end > 0) {
                    throw new IllegalStateException("no Redis answers at " + uri, notYet);
                }
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    private static BenchRedis startChild(List<String> options) {
        try {
            Path directory = Scratch.folder();
            int port = Scratch.port();
            List<String> command = new ArrayList<>(List.of(
                    binary(),
                    "--save",
                    "",
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    Integer.toString(port),
                    "--dir",
                    directory.toString()));
            command.addAll(options);
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
            Thread atExit = new Thread(() -> stop(process, directory));
            Runtime.getRuntime().addShutdownHook(atExit);
            return new BenchRedis(
                    "redis://127.0.0.1:" + port,
                    () -> requireAlive(process, directory.resolve("log")),
                    () -> {
                        Runtime.getRuntime().removeShutdownHook(atExit);
                        stop(process, directory);
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void stop(Process process, Path directory) {
        process.destroyForcibly().onExit().join();
        Scratch.delete(directory);
    }

    /** The redis-server of the PATH, else the one that embedded-redis brings along. */
    public static String binary() throws IOException {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            File file = new File(folder, "redis-server");
            if (file.canExecute()) {
                return file.getPath();
            }
        }
        return RedisExecProvider.defaultProvider().get().getPath();
    }
}
