package dev.spike.bench.fault;

import dev.spike.bench.rig.BenchPostgres;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.Child;
import dev.spike.bench.rig.Scratch;
import dev.spike.bench.rig.Wait;
import dev.spike.core.Sale;
import dev.spike.http.SpikeServer;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A real installation: demo servers, the Redis that they share and the PostgreSQL that they write
 * their orders to, each a process of its own on loopback, which can be stopped and started again.
 */
final class Installation implements AutoCloseable {

    private static final int START_TRIES = 5;
    private static final Pattern STARTED = Pattern.compile("(Admin: http)");
    private static final int PATIENCE_MILLIS = 10_000;

    private final Path folder;
    private final Sale sale;
    private final List<Node> nodes = new ArrayList<>();
    private final int redisPort = Scratch.lastingPort();
    private final BenchPostgres postgres;
    private @Nullable Child redis;
    private int redisStarts;

    /** One server: where it listens, also after a restart, and its processes one after another. */
    private static final class Node {
        private final int port = Scratch.lastingPort();
        private final int adminPort = Scratch.lastingPort();
        private final List<Child> processes = new ArrayList<>();

        private Child process() {
            return processes.get(processes.size() - 1);
        }
    }

    private Installation(Path folder, Sale sale) throws IOException {
        this.folder = folder;
        this.sale = sale;
        this.postgres = BenchPostgres.start(true);
    }

    /** Starts Redis and PostgreSQL, with files in this folder. Blocks. */
    static Installation start(Path folder, Sale sale) throws IOException {
        Installation installation = new Installation(folder, sale);
        try {
            installation.startRedis();
            return installation;
        } catch (RuntimeException failure) {
            installation.close();
            throw failure;
        }
    }

    /** Starts so many nodes. Blocks until they sell. */
    void startNodes(int count) {
        for (int node = 0; node < count; node++) {
            nodes.add(new Node());
        }
        IntStream.range(0, count).parallel().forEach(this::startNode);
    }

    int nodes() {
        return nodes.size();
    }

    String redisUri() {
        return "redis://127.0.0.1:" + redisPort;
    }

    /** A new connection, which waits long for a reply. */
    Jedis jedis() {
        return new Jedis("127.0.0.1", redisPort, PATIENCE_MILLIS);
    }

    BenchPostgres postgres() {
        return postgres;
    }

    /** Where a node listens for buyers. */
    String buyersUrl(int node) {
        return "http://127.0.0.1:" + nodes.get(node).port;
    }

    /** Where a node listens for operators. */
    String adminUrl(int node) {
        return "http://127.0.0.1:" + nodes.get(node).adminPort;
    }

    /** The running process of a node. */
    Child node(int node) {
        return nodes.get(node).process();
    }

    /** The running process of Redis. */
    Child redis() {
        if (redis == null) {
            throw new IllegalStateException("Redis was never started");
        }
        return redis;
    }

    /** Starts Redis on the files that it has; blocks until it has read them. */
    void startRedis() {
        try {
            redis = Child.start(
                    folder,
                    "redis-" + ++redisStarts,
                    List.of(
                            BenchRedis.binary(),
                            "--save",
                            "",
                            "--bind",
                            "127.0.0.1",
                            "--port",
                            Integer.toString(redisPort),
                            "--dir",
                            folder.toString(),
                            "--appendonly",
                            "yes",
                            "--appendfsync",
                            "everysec",
                            "--busy-reply-threshold",
                            "200"));
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
        Wait.until("Redis answers", this::redisAnswers);
    }

    private boolean redisAnswers() {
        redis().requireAlive();
        try (Jedis jedis = jedis()) {
            return jedis.ping().equals("PONG");
        } catch (JedisException notYet) {
            return false;
        }
    }

    /**
     * Starts a node at its ports; blocks until it sells. When Redis stands still just then, it
     * ends, and is started again, as an operator's supervisor does.
     */
    void startNode(int index) {
        Node node = nodes.get(index);
        for (int tries = 1; ; tries++) {
            String name = "node" + index + "-" + (node.processes.size() + 1);
            Child process = Child.java(
                    folder,
                    name,
                    List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                    SpikeServer.class.getName(),
                    flags(index, node));
            node.processes.add(process);
            try {
                process.awaitLog(STARTED);
                return;
            } catch (IllegalStateException failure) {
                process.kill();
                if (tries == START_TRIES) {
                    throw failure;
                }
            }
        }
    }

    private List<String> flags(int index, Node node) {
        return List.of(
                "--host=127.0.0.1",
                "--port=" + node.port,
                "--admin-port=" + node.adminPort,
                "--redis=" + redisUri(),
                "--orders=" + postgres.url(),
                "--data=" + folder.resolve("data" + index),
                "--sale=" + sale.id(),
                "--total=" + sale.total(),
                "--per-buyer=" + sale.perBuyer(),
                "--hold=" + sale.hold(),
                "--max-hold=" + sale.maxHold(),
                "--nodes=" + nodes.size());
    }

    /** What each process of a node has printed, by its name. */
    Map<String, String> logsOfNodes() {
        Map<String, String> logs = new TreeMap<>();
        for (int node = 0; node < nodes.size(); node++) {
            List<Child> processes = nodes.get(node).processes;
            for (int i = 0; i < processes.size(); i++) {
                logs.put("node" + node + "-" + (i + 1), processes.get(i).log());
            }
        }
        return logs;
    }

    /** Ends all of it, whatever state it is in; the folder stays. */
    @Override
    public void close() throws IOException {
        nodes.stream()
                .filter(node -> !node.processes.isEmpty())
                .forEach(node -> node.process().kill());
        if (redis != null) {
            redis.kill();
        }
        postgres.resume();
        postgres.close();
    }
}
