package dev.spike.bench.load;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.Child;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.rig.Scratch;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What do those who watch a sale cost those who buy? One demo server sells, with and without many
 * who watch, in turn, and the order of the two changes from pair to pair. Each turn has two parts:
 *
 * <ul>
 *   <li>as many requests as the server takes, over so many connections: how many are sold each
 *       second;
 *   <li>requests at a constant rate: how long they take, from when each was due.
 * </ul>
 *
 * <p>The watchers are one thread of a process of their own, which drains what comes
 * ({@link WatcherCrowd}). It shares the processors with generator, server and Redis, so the
 * server's own CPU for each request is told, too.
 */
@Command(name = "watchers", description = "Sells with and without many who watch.")
public final class Watchers extends BenchCommand {

    private static final Pattern WATCHING = Pattern.compile("watching: (\\d+)");
    private static final Pattern READ = Pattern.compile("read: (\\d+) bytes, (\\d+) messages");

    /** More than any server takes on the machines that this is for. */
    private static final double FLOOD = 1_000_000;

    private static final Duration DRAIN = Duration.ofSeconds(3);

    @Option(names = "--watchers", paramLabel = "N", description = "who watch at the same time")
    private int watchers = 1000;

    @Option(names = "--pairs", paramLabel = "N", description = "of turns in each round")
    private int pairs = 3;

    @Option(names = "--seconds", paramLabel = "N", description = "for each part of a turn")
    private double seconds = 5;

    @Option(names = "--rate", paramLabel = "N", description = "of the second part, each second")
    private double rate = 8000;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "seconds of load before the first round, not counted")
    private double warmUp = 10;

    @Option(names = "--connections", paramLabel = "N", description = "open at the same time")
    private int connections = 100;

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "redis://… that runs already; a child without AOF if absent")
    private @Nullable String redisUri;

    private long number;
    private long yes;
    private long unknown;

    /** With the defaults of the flags. */
    public Watchers() {}

    /** Measures and prints. */
    public static void main(String[] args) {
        runAndExit(new Watchers(), args);
    }

    @Override
    protected Result measure() throws IOException, InterruptedException {
        requirePositive("--watchers", watchers);
        requirePositive("--pairs", pairs);
        requirePositive("--connections", connections);
        Result result = new Result("watchers");
        try (BenchRedis redis = BenchRedis.at(redisUri)) {
            try (Jedis jedis = redis.jedis()) {
                result.about(new RedisMeter(jedis).server());
            }
            result.about("As many requests as the server takes over " + connections
                    + " connections, then " + rate + " a second, " + seconds
                    + " s each, every one a buyer who gets a unit, on "
                    + Runtime.getRuntime().availableProcessors() + " cores for all processes.");
            try (Deployment deployment = new Deployment(LoadPath.SELLING, redis, "auto")) {
                flood(deployment, warmUp);
                for (int round = 0; round < rounds; round++) {
                    round(deployment, result);
                }
                deployment.check(yes, unknown);
            }
        }
        return result;
    }

    private void round(Deployment deployment, Result result)
            throws IOException, InterruptedException {
        Turns without = new Turns();
        Turns with = new Turns();
        for (int pair = 0; pair < pairs; pair++) {
            if (pair % 2 == 0) {
                without.measure(deployment);
                withWatchers(deployment, with);
            } else {
                withWatchers(deployment, with);
                without.measure(deployment);
            }
        }
        without.addTo(result, List.of("0"));
        with.addTo(result, List.of("" + watchers));
    }

    private void withWatchers(Deployment deployment, Turns turns)
            throws IOException, InterruptedException {
        Path folder = Scratch.folder();
        try (Child crowd = Child.java(
                folder,
                "watchers",
                List.of("-Xmx64m", "-XX:+UseSerialGC"),
                WatcherCrowd.class.getName(),
                List.of(deployment.events().toString(), "" + watchers))) {
            crowd.awaitLog(WATCHING);
            long start = System.nanoTime();
            double cpu = crowd.cpuSeconds();
            turns.measure(deployment);
            crowd.requireAlive();
            turns.watched((System.nanoTime() - start) / 1e9, crowd.cpuSeconds() - cpu, crowd.log());
        } finally {
            Scratch.delete(folder);
        }
    }

    private LoadReport flood(Deployment deployment, double time) throws InterruptedException {
        return load(deployment, FLOOD, time, Duration.ZERO);
    }

    private LoadReport load(Deployment deployment, double rate, double time, Duration drain)
            throws InterruptedException {
        Load load = new Load(
                deployment.cycle(),
                number,
                rate,
                Duration.ofNanos((long) (time * 1e9)),
                connections,
                1,
                drain,
                Duration.ZERO);
        number += load.count();
        LoadReport report = load.run();
        deployment.requireAlive();
        if (report.unexpected() > 0 || report.failed() > 0) {
            throw new IllegalStateException("a wrong answer: " + report.summary());
        }
        yes += report.answered() - report.busy();
        unknown += report.busy() + connections;
        return report;
    }

    /** What the turns of a round with as many watchers came to. */
    private final class Turns {
        private long sold;
        private double floodSeconds;
        private double serverSeconds;
        private double watchSeconds;
        private double crowdSeconds;
        private long bytes;
        private long messages;
        private @Nullable LoadReport steady;

        void measure(Deployment deployment) throws InterruptedException {
            double before = deployment.cpu().servers();
            LoadReport flood = flood(deployment, seconds);
            serverSeconds += deployment.cpu().servers() - before;
            sold += flood.answered() - flood.busy();
            floodSeconds += flood.answered() / flood.answersPerSecond();
            LoadReport report = load(deployment, rate, seconds, DRAIN);
            if (steady == null) {
                steady = report;
            } else {
                steady.add(report);
            }
        }

        /** Adds what the crowd says of itself. */
        void watched(double time, double cpu, String log) {
            watchSeconds += time;
            crowdSeconds += cpu;
            long lastBytes = 0;
            long lastMessages = 0;
            for (Matcher read = READ.matcher(log); read.find(); ) {
                lastBytes = Long.parseLong(read.group(1));
                lastMessages = Long.parseLong(read.group(2));
            }
            bytes += lastBytes;
            messages += lastMessages;
        }

        void addTo(Result result, List<String> row) {
            result.add(row, "sold, 1/s", sold / floodSeconds);
            result.add(row, "server CPU, µs each", serverSeconds * 1e6 / sold);
            if (steady != null) {
                OpenLoop.latencies(result, row, steady);
            }
            if (watchSeconds > 0) {
                result.add(row, "messages to each, 1/s", messages / watchSeconds);
                result.add(row, "watchers, MB/s", bytes / 1e6 / watchSeconds);
                result.add(row, "watchers, cores", crowdSeconds / watchSeconds);
            }
        }
    }
}
