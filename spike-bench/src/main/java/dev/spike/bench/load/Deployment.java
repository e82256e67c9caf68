package dev.spike.bench.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.spike.bench.load.LoadPath.Kind;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.Child;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.rig.Scratch;
import dev.spike.http.SpikeServer;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.Jedis;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * The processes of one path, started for it and ended after it: its servers, their fresh sales, and
 * nginx if it has one. Redis is the caller's.
 */
final class Deployment implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Pattern BARE = Pattern.compile("127\\.0\\.0\\.1:(\\d+), I/O");
    private static final Pattern BUYERS = Pattern.compile("Buyers: http://127\\.0\\.0\\.1:(\\d+)/");
    private static final Pattern ADMIN = Pattern.compile("Admin: http://127\\.0\\.0\\.1:(\\d+)/");

    private final LoadPath path;
    private final BenchRedis redis;
    private final Jedis jedis;
    private final RedisMeter redisMeter;
    private final Path folder;
    private final String sale = "load-" + UUID.randomUUID();
    private final String other = "load-" + UUID.randomUUID();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<Child> servers = new ArrayList<>();
    private final List<Integer> ports = new ArrayList<>();
    private @Nullable Child nginx;
    private int port;

    /** CPU in seconds since some moment, of each kind of process. */
    record Cpu(double servers, double redis, double nginx, double generator) {

        Cpu minus(Cpu before) {
            return new Cpu(
                    servers - before.servers,
                    redis - before.redis,
                    nginx - before.nginx,
                    generator - before.generator);
        }
    }

    /** Starts all of it. Blocks until it answers. */
    Deployment(LoadPath path, BenchRedis redis, String nginxWorkers) throws IOException {
        this.path = path;
        this.redis = redis;
        this.jedis = redis.jedis();
        this.redisMeter = new RedisMeter(jedis);
        this.folder = Scratch.folder();
        try {
            if (path.kind == Kind.BARE) {
                startBare();
            } else {
                startDemo();
            }
            if (path.nginx) {
                port = Scratch.port();
                nginx = Nginx.start(folder, port, nginxWorkers, ports);
            } else {
                port = ports.get(0);
            }
            awaitAnswer();
        } catch (RuntimeException | IOException failure) {
            close();
            throw failure;
        }
    }

    private void startBare() {
        int ioThreads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        Child bare = Child.java(
                folder, "bare", BareUndertow.class.getName(), List.of("0", "" + ioThreads));
        servers.add(bare);
        ports.add(Integer.parseInt(bare.awaitLog(BARE)));
    }

    private void startDemo() throws IOException {
        int total = path.kind == Kind.SELLING ? LoadPath.PLENTY : LoadPath.SOLD_BEFORE;
        for (int i = 0; i < path.servers; i++) {
            servers.add(Child.java(
                    folder,
                    "server" + i,
                    SpikeServer.class.getName(),
                    List.of(
                            "--host=127.0.0.1",
                            "--port=0",
                            "--admin-port=0",
                            "--redis=" + redis.uri(),
                            "--orders=none",
                            "--connections=200000",
                            "--watchers=100000",
                            "--data=" + folder.resolve("data" + i),
                            "--sale=" + sale,
                            "--total=" + total,
                            "--hold=24h",
                            "--nodes=" + path.servers)));
        }
        for (Child server : servers) {
            ports.add(Integer.parseInt(server.awaitLog(BUYERS)));
        }
        if (path.kind == Kind.MIX) {
            String admin = "http://127.0.0.1:" + servers.get(0).awaitLog(ADMIN);
            String rules = "{\"total\":" + LoadPath.PLENTY + ",\"holdSeconds\":86400}";
            HttpResponse<String> opened =
                    send(HttpRequest.newBuilder(URI.create(admin + "/v1/sales/" + other))
                            .header("Content-Type", "application/json")
                            .PUT(BodyPublishers.ofString(rules)));
            require(opened.statusCode() == 201, "the sale was not opened: " + opened.body());
        }
    }

    /** Until it can sell; asks for no unit. */
    private void awaitAnswer() {
        String ready = url() + (path.kind == Kind.BARE ? "/" : "/readyz");
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            requireAlive();
            try {
                if (send(HttpRequest.newBuilder(URI.create(ready))).statusCode() == 200) {
                    return;
                }
            } catch (IOException notYet) {
                require(System.nanoTime() - end < 0, path + " does not answer: " + notYet);
            }
            require(System.nanoTime() - end < 0, path + " is not ready");
            LockSupport.parkNanos(10_000_000);
        }
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
        try {
            return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    String url() {
        return "http://127.0.0.1:" + port;
    }

    /** Where the sale of {@code /buy/ticket} is watched. */
    URI events() {
        return URI.create(url() + "/v1/sales/" + sale + "/events");
    }

    List<Template> cycle() {
        return path.cycle(url(), other);
    }

    /** Fails if one of the processes has ended. */
    void requireAlive() {
        servers.forEach(Child::requireAlive);
        if (nginx != null) {
            nginx.requireAlive();
        }
    }

    Cpu cpu() {
        return new Cpu(
                servers.stream().mapToDouble(Child::cpuSeconds).sum(),
                redisMeter.cpuSeconds(),
                nginx == null ? 0 : nginx.cpuSeconds(),
                Child.ownCpuSeconds());
    }

    /**
     * Fails unless as many units are reserved as buyers were told so.
     *
     * @param yes units that buyers were told they have, beside those sold before
     * @param unknown requests whose buyers do not know
     */
    void check(long yes, long unknown) throws IOException {
        switch (path.kind) {
            case BARE -> {}
            case SOLD_OUT -> awaitReserved(sale, LoadPath.SOLD_BEFORE, 0);
            case SELLING -> awaitReserved(sale, yes, unknown);
            case MIX -> {
                awaitReserved(sale, LoadPath.SOLD_BEFORE, 0);
                awaitReserved(other, yes, unknown);
            }
        }
    }

    /** A server knows what others sold about a second later. */
    private void awaitReserved(String saleId, long least, long unknown) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            String url = "http://127.0.0.1:" + ports.get(0) + "/v1/sales/" + saleId;
            HttpResponse<String> answer = send(HttpRequest.newBuilder(URI.create(url)));
            require(answer.statusCode() == 200, url + " says " + answer.body());
            JsonNode body = JSON.readTree(answer.body());
            long reserved = body.path("reserved").asLong(-1);
            long missing = body.path("total").asLong() - body.path("available").asLong() - reserved;
            if (missing == 0 && reserved >= least && reserved <= least + unknown) {
                return;
            }
            require(
                    reserved <= least + unknown && System.nanoTime() - end < 0,
                    "answers said that " + least + " units are sold, and " + unknown
                            + " requests are unknown, but the sale is " + answer.body());
            LockSupport.parkNanos(50_000_000);
        }
    }

    private static void require(boolean valid, String message) {
        if (!valid) {
            throw new IllegalStateException(message);
        }
    }

    /** Whatever fails, the rest is closed too. */
    @Override
    public void close() {
        try {
            if (nginx != null) {
                nginx.close();
            }
            servers.parallelStream().forEach(Child::close);
        } finally {
            try (jedis) {
                redis.deleteSale(sale);
                redis.deleteSale(other);
            } finally {
                Scratch.delete(folder);
            }
        }
    }
}
