package dev.spike.bench;

import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchPostgres;
import dev.spike.core.OrderBook.Sum;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.http.JdbcOrderBook;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * How many new orders, and how many confirmations, one thread writes into the order book each
 * second, with the guard against overselling on. Each round is one sale, sold out and then
 * confirmed whole; the rate is that of the whole sale.
 */
@Command(name = "OrderThroughput", description = "How many orders are written each second.")
public final class OrderThroughput extends BenchCommand {

    @Option(
            names = "--orders",
            paramLabel = "JDBC-URL",
            description = "a running PostgreSQL; if absent, one is started, with the settings of"
                    + " a default installation")
    private @Nullable String url;

    @Option(names = "--count", paramLabel = "N", description = "orders of a round")
    int count = 500_000;

    @Option(names = "--batch", paramLabel = "N", description = "events written at once")
    int batch = 4_000;

    @Option(
            names = "--no-durable",
            negatable = true,
            description = "fsync and synchronous_commit off, in a PostgreSQL started for this")
    boolean durable = true;

    /** Measures and prints. */
    public static void main(String[] args) {
        runAndExit(new OrderThroughput(), args);
    }

    @Override
    protected Result measure() throws Exception {
        requirePositive("--orders", count);
        requirePositive("--batch", batch);
        if (url != null) {
            return measure(url);
        }
        try (BenchPostgres server = BenchPostgres.start(durable)) {
            return measure(server.url());
        }
    }

    private Result measure(String server) throws Exception {
        Result result = new Result("orders", "batch");
        result.about(BenchPostgres.settings(server) + ".");
        try (JdbcOrderBook book = JdbcOrderBook.open(server)) {
            for (int round = 0; round < rounds; round++) {
                String sale = "throughput-" + UUID.randomUUID();
                List<String> row = List.of(Integer.toString(count), Integer.toString(batch));
                result.add(row, "new orders/s", write(book, sale, Outcome.RESERVED));
                result.add(row, "confirmations/s", write(book, sale, Outcome.CONFIRMED));
                Map<Outcome, Sum> expected = Map.of(Outcome.CONFIRMED, new Sum(count, count));
                if (!book.sums(sale).equals(expected)) {
                    throw new IllegalStateException("the book is wrong: " + book.sums(sale));
                }
            }
        }
        return result;
    }

    /** Events each second; making them is not counted. */
    private double write(JdbcOrderBook book, String sale, Outcome state) throws Exception {
        Instant at = Instant.parse("2026-11-11T00:00:00Z");
        long nanos = 0;
        for (int from = 0; from < count; from += batch) {
            List<OrderEvent> events = new ArrayList<>();
            for (int i = from; i < Math.min(count, from + batch); i++) {
                Instant reservedAt = at.plusMillis(i / 100);
                events.add(new OrderEvent(
                        i / 100 + 1,
                        id(i),
                        1,
                        state,
                        reservedAt,
                        state == Outcome.RESERVED ? reservedAt : reservedAt.plusSeconds(30)));
            }
            long start = System.nanoTime();
            book.write(sale, count, events);
            nanos += System.nanoTime() - start;
        }
        return count * 1e9 / nanos;
    }

    /** As from a client that makes a random key for each request. */
    private static ReservationId id(int i) {
        UUID key = new UUID(mix(i), mix(~(long) i));
        return new ReservationId("buyer-" + (1_000_000 + i), key.toString());
    }

    private static long mix(long seed) {
        long z = (seed + 1) * 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        return z ^ (z >>> 27);
    }
}
