package dev.spike.bench.load;

import dev.spike.bench.load.Deployment.Cpu;
import dev.spike.bench.load.LoadPath.Kind;
import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.Child;
import dev.spike.bench.rig.RedisMeter;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * How many requests per second does the demo server hold before buyers wait? For each path it looks
 * (see {@link RateSearch}) for the highest constant rate at which every request is answered as it
 * must be and the 99th percentile of the latencies, from when each was due (see {@link Load}), is
 * within a limit. It tells the rate in requests per second, latencies in milliseconds, and how many
 * cores each kind of process used meanwhile; the generator is this JVM.
 *
 * <p>The paths, on loopback, each with fresh processes:
 *
 * <ul>
 *   <li>{@code bare}: bare Undertow with as many I/O threads as a demo server, which answers
 *       constant bytes and does nothing else. It is the ceiling of the library, not a competitor.
 *   <li>{@code sold-out}: {@code GET /buy/ticket} of a sale whose 1000 units 1000 buyers have.
 *       Every request must be refused as sold out.
 *   <li>{@code selling}: {@code GET /buy/ticket} of a sale of 100,000,000 units. Every request is a
 *       buyer of its own and must get one, and as many must be reserved in the end.
 *   <li>{@code mix}: the real mix. Each request has its own buyer and key. Of 100, evenly spread,
 *       99 are {@code GET /buy/ticket?buyer=…&rid=…} of the sold-out sale, and must be refused; 1
 *       is {@code POST /v1/sales/…/reservations} of a second sale in the same servers, which sells,
 *       and must get its unit. So 1 % of the requests get a unit in any second, at any rate.
 *   <li>{@code nginx-…}: the same behind nginx, with four servers that share the sale.
 * </ul>
 *
 * <p>All servers use one Redis; no orders are written. Generator, servers, nginx and Redis share
 * the machine, so the rates are those of all of them together.
 */
@Command(name = "http-load", description = "Raises the rate until buyers wait.")
public final class HttpLoad extends BenchCommand {

    private static final Duration DRAIN = Duration.ofSeconds(3);

    @Option(
            names = "--paths",
            paramLabel = "PATH",
            split = ",",
            description = "what is measured, of ${COMPLETION-CANDIDATES}")
    private List<LoadPath> paths = Arrays.asList(LoadPath.values());

    @Option(names = "--limit-ms", paramLabel = "N", description = "p99 at the most")
    private int limitMillis = 50;

    @Option(names = "--from", paramLabel = "N", description = "first rate, requests per second")
    private int from = 4000;

    @Option(names = "--to", paramLabel = "N", description = "no higher rate is tried")
    private int to = 1_000_000;

    @Option(names = "--seconds", paramLabel = "N", description = "for each rate")
    private double seconds = 3;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "seconds at the first rate before each path, not counted")
    private double warmUp = 3;

    @Option(
            names = "--search-seconds",
            paramLabel = "N",
            description = "after which no further rate is tried on a path, once one has failed")
    private double searchSeconds = 24;

    @Option(names = "--connections", paramLabel = "N", description = "open at the same time")
    private int connections = 100;

    @Option(names = "--threads", paramLabel = "N", description = "of the generator")
    private int threads = 1;

    @Option(
            names = "--nginx-workers",
            paramLabel = "N",
            description = "worker processes of nginx, or auto")
    private String nginxWorkers = "auto";

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "redis://… that runs already; a child without AOF if absent")
    private @Nullable String redisUri;

    private long number;

    /** With the defaults of the flags. */
    public HttpLoad() {}

    /** Measures and prints. */
    public static void main(String[] args) {
        runAndExit(new HttpLoad(), args);
    }

    /** What one load came to. */
    private record Step(int rate, LoadReport report, Cpu cpu, double elapsedSeconds) {}

    @Override
    protected Result measure() throws IOException, InterruptedException {
        requirePositive("--from", from);
        requirePositive("--limit-ms", limitMillis);
        requirePositive("--connections", connections);
        requirePositive("--threads", threads);
        if (to < from) {
            throw new IllegalArgumentException("must be >= --from " + from + ": --to " + to);
        }
        if (paths.stream().anyMatch(path -> path.nginx)) {
            Child.onPath("nginx");
        }
        Result result = new Result("path", "servers");
        try (BenchRedis redis = BenchRedis.at(redisUri)) {
            try (Jedis jedis = redis.jedis()) {
                result.about(new RedisMeter(jedis).server());
            }
            result.about("The highest rate with p99 within " + limitMillis + " ms over "
                    + connections + " connections, " + seconds + " s each, on "
                    + Runtime.getRuntime().availableProcessors() + " cores for all processes.");
            for (int round = 0; round < rounds; round++) {
                for (LoadPath path : paths) {
                    try (Deployment deployment = new Deployment(path, redis, nginxWorkers)) {
                        add(result, path, new Search(deployment, path).run());
                    }
                }
            }
        }
        return result;
    }

    private static void add(Result result, LoadPath path, Step best) {
        List<String> row = List.of(path.toString(), "" + path.servers);
        result.add(row, "held, 1/s", best.rate);
        OpenLoop.latencies(result, row, best.report);
        result.add(row, "servers, cores", best.cpu.servers() / best.elapsedSeconds);
        result.add(row, "Redis, cores", best.cpu.redis() / best.elapsedSeconds);
        result.add(row, "nginx, cores", best.cpu.nginx() / best.elapsedSeconds);
        result.add(row, "generator, cores", best.cpu.generator() / best.elapsedSeconds);
    }

    /** The search on one path, and the count of what was sold. */
    private final class Search {

        private final Deployment deployment;
        private final LoadPath path;
        private final List<Template> cycle;
        private @Nullable Step best;
        private String lastFailure = "";
        private long yes;
        private long unknown;

        Search(Deployment deployment, LoadPath path) {
            this.deployment = deployment;
            this.path = path;
            this.cycle = deployment.cycle();
        }

        Step run() throws IOException, InterruptedException {
            if (path.kind == Kind.SOLD_OUT || path.kind == Kind.MIX) {
                sellOut();
            }
            step(from, warmUp, Duration.ZERO);
            long end = System.nanoTime() + (long) (searchSeconds * 1e9);
            new RateSearch(this::holds, () -> System.nanoTime() - end < 0).from(from, to);
            deployment.check(yes, unknown);
            if (best == null) {
                throw new IllegalStateException(path + " held no rate: " + lastFailure);
            }
            return best;
        }

        private void sellOut() throws InterruptedException {
            Template buyer = LoadPath.buyer(deployment.url());
            double rate = LoadPath.SOLD_BEFORE;
            LoadReport report = load(List.of(buyer), rate, 1, Duration.ZERO).run();
            if (!report.isClean()) {
                throw new IllegalStateException(path + " did not sell out: " + report.summary());
            }
        }

        private boolean holds(int rate) {
            Step step;
            try {
                step = step(rate, seconds, Duration.ofMillis(limitMillis));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(interrupted);
            }
            LoadReport report = step.report;
            if (!report.isClean() || report.millis(0.99) > limitMillis) {
                lastFailure = rate + "/s: p99 " + report.millis(0.99) + " ms, " + report.summary();
                return false;
            }
            if (best == null || rate > best.rate) {
                best = step;
            }
            return true;
        }

        private Step step(int rate, double time, Duration giveUp) throws InterruptedException {
            Cpu before = deployment.cpu();
            long start = System.nanoTime();
            LoadReport report = load(cycle, rate, time, giveUp).run();
            double elapsed = (System.nanoTime() - start) / 1e9;
            Cpu used = deployment.cpu().minus(before);
            deployment.requireAlive();
            if (report.unexpected() > 0) {
                throw new IllegalStateException(path + " gave a wrong answer: " + report.summary());
            }
            if (path.kind == Kind.SELLING || path.kind == Kind.MIX) {
                yes += report.expected(path.seller(cycle));
                unknown += report.busy() + report.failed() + report.lost();
            }
            return new Step(rate, report, used, elapsed);
        }

        private Load load(List<Template> cycle, double rate, double time, Duration giveUp) {
            Load load = new Load(
                    cycle,
                    number,
                    rate,
                    Duration.ofNanos((long) (time * 1e9)),
                    connections,
                    threads,
                    DRAIN,
                    giveUp);
            number += load.count();
            return load;
        }
    }
}
