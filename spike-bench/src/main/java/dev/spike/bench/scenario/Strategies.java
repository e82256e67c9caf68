package dev.spike.bench.scenario;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchPostgres;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.scenario.Sales.Row;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import redis.clients.jedis.Jedis;

import java.time.Duration;
import java.util.List;

/**
 * What do the three strategies for a flash sale cost, and what do they promise? Order-then-deduct
 * and pay-then-deduct work on PostgreSQL alone; pre-deduction answers from Redis, and its relay
 * writes the orders into the same PostgreSQL meanwhile, on the same machine. All have the same
 * buyers and threads.
 *
 * <p>Each round has, for each strategy, two sales. <b>Selling</b>: every request gets a unit.
 * <b>Crowd</b>: there are more buyers than units. All ask, some twice; then who pays in time pays;
 * then the holds end and who pays late tries; then whoever has no unit and would pay asks once
 * more, under a new key, and pays at once. Answers per second count one answer of each buyer, and
 * end with the last answer. After each sale, what the buyers were told is held against the
 * database.
 */
@Command(name = "Strategies")
public final class Strategies extends BenchCommand {

    @Option(names = "--buyers", paramLabel = "N", description = "who want the units of the crowd")
    private int buyers = 20_000;

    @Option(names = "--units", paramLabel = "N", description = "that the crowd wants")
    private int units = 2_000;

    @Option(
            names = "--burst",
            paramLabel = "N",
            description = "buyers, and units, where every request gets one")
    private int burst = 20_000;

    @Option(names = "--threads", paramLabel = "N", description = "that bring the requests")
    private int threads = 50;

    @Option(
            names = "--in-flight",
            paramLabel = "N",
            description = "requests that each thread sends at once, where it does not block")
    private int inFlight = 200;

    @Option(
            names = "--connections",
            paramLabel = "N",
            description = "to PostgreSQL, of the strategies that work on it alone")
    private int connections = 10;

    @Option(
            names = "--hold-millis",
            paramLabel = "MS",
            description = "how long pre-deduction holds a unit of the crowd")
    private long holdMillis = 5_000;

    @Option(names = "--seed", paramLabel = "N", description = "that makes the buyers")
    private long seed = 20_261_111;

    @Option(
            names = "--orders",
            paramLabel = "JDBC-URL",
            description = "a database of PostgreSQL that nobody else uses; its tables orders, "
                    + "orders_units, bench_orders and bench_stock are made and stay; default: a "
                    + "server of its own, with fsync and synchronous_commit")
    private @Nullable String orders;

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "redis://...; default: a server of its own")
    private @Nullable String redisUri;

    @Option(
            names = "--appendfsync",
            paramLabel = "WHEN",
            description = "always, everysec or no: how its own Redis keeps what it acknowledged")
    private String appendFsync = "everysec";

    /** With the default flags. */
    public Strategies() {}

    /** See {@code --help}. */
    public static void main(String... args) {
        runAndExit(new Strategies(), args);
    }

    @Override
    protected Result measure() throws Exception {
        requirePositive("--threads", threads);
        requirePositive("--in-flight", inFlight);
        requirePositive("--connections", connections);
        try (BenchRedis redis = redis()) {
            if (orders != null) {
                return measure(redis, orders);
            }
            try (BenchPostgres server = BenchPostgres.start(true)) {
                return measure(redis, server.url());
            }
        }
    }

    private BenchRedis redis() {
        return redisUri == null
                ? BenchRedis.child("--appendonly", "yes", "--appendfsync", appendFsync)
                : BenchRedis.at(redisUri);
    }

    private Result measure(BenchRedis redis, String url) throws Exception {
        Result result = new Result("strategy", "callers");
        about(result, redis, url);
        List<Row> rows = rows(redis, url);
        try (Callers callers = new Callers(threads);
                Transactions transactions = new Transactions(url)) {
            Sales sales = new Sales(callers, transactions, Duration.ofMillis(holdMillis));
            // Compiles what is measured, and makes the tables; not counted.
            round(sales, rows, Math.min(burst, 2_000), Math.min(buyers, 2_000));
            for (int round = 0; round < rounds; round++) {
                result.addAll(round(sales, rows, burst, buyers));
            }
        }
        return result;
    }

    private Result round(Sales sales, List<Row> rows, int askingOnce, int crowd) throws Exception {
        Result round = new Result("strategy", "callers");
        List<Buyer> each = Buyer.askingOnce(seed, askingOnce);
        List<Buyer> all = Buyer.crowd(seed, crowd);
        int wanted = (int) Math.max(1, (long) units * crowd / buyers);
        for (Row row : rows) {
            sales.sellToEach(row, each, round);
        }
        for (Row row : rows) {
            sales.sellToCrowd(row, all, wanted, round);
        }
        for (String rate : List.of(Sales.SELLING, Sales.CROWD)) {
            double first = round.samples(rows.get(0).labels(), rate).get(0);
            for (Row row : rows) {
                double times = round.samples(row.labels(), rate).get(0) / first;
                round.add(row.labels(), rate.replace("answers/s", "times the first"), times);
            }
        }
        return round;
    }

    private List<Row> rows(BenchRedis redis, String url) {
        return List.of(
                new Row(
                        "order-then-deduct",
                        "blocking",
                        1,
                        (total, hold) -> new OrderThenDeduct(url, connections, total)),
                new Row(
                        "pay-then-deduct",
                        "blocking",
                        1,
                        (total, hold) -> new PayThenDeduct(url, connections, total, true)),
                new Row(
                        "pay-then-deduct, unguarded",
                        "blocking",
                        1,
                        (total, hold) -> new PayThenDeduct(url, connections, total, false)),
                new Row(
                        "pre-deduction",
                        "blocking",
                        1,
                        (total, hold) -> new PreDeduction(redis, url, total, hold, false)),
                new Row(
                        "pre-deduction",
                        "asynchronous",
                        inFlight,
                        (total, hold) -> new PreDeduction(redis, url, total, hold, true)));
    }

    private void about(Result result, BenchRedis redis, String url) throws Exception {
        result.about(BenchPostgres.settings(url) + ".");
        try (Jedis jedis = redis.jedis()) {
            result.about(new RedisMeter(jedis).server() + ".");
        }
        result.about("Selling: " + burst + " buyers, each of whom gets a unit.");
        result.about("Crowd: " + buyers + " buyers of " + units + " units, seed " + seed + "; "
                + percent(Buyer.NEVER_PAY) + " never pay, " + percent(Buyer.PAY_LATE)
                + " pay after the hold of " + holdMillis + " ms, " + percent(Buyer.REPEAT)
                + " send their request twice. Whoever would pay and has no unit asks once more"
                + " after the late payments, and pays at once.");
        result.about(threads + " threads; asynchronous: each sends " + inFlight
                + " requests, then waits for all of them. " + connections
                + " connections to PostgreSQL.");
    }

    private static String percent(double share) {
        return Math.round(share * 100) + " %";
    }
}
