package dev.spike.bench;

import dev.spike.core.OrderBook.Sum;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.http.JdbcOrderBook;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * How many new orders, and how many confirmations, one thread writes into the order book each
 * second, with the guard against overselling on. Each round is one sale, sold out and then
 * confirmed whole; the rate is that of the whole sale.
 *
 * <p>Usage: {@code OrderThroughput [--orders JDBC-URL] [--count 500000] [--batch 4000] [--rounds 3]
 * [--durable true]}. Without a URL it starts a PostgreSQL of its own, with the settings of a
 * default installation; {@code --durable false} turns fsync and synchronous_commit off.
 */
public final class OrderThroughput {

    private final String url;
    private final int count;
    private final int batch;
    private final int rounds;

    OrderThroughput(String url, int count, int batch, int rounds) {
        this.url = url;
        this.count = count;
        this.batch = batch;
        this.rounds = rounds;
    }

    /** Measures and prints. */
    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            options.put(args[i], args[i + 1]);
        }
        String given = options.getOrDefault("--orders", "");
        int count = Integer.parseInt(options.getOrDefault("--count", "500000"));
        int batch = Integer.parseInt(options.getOrDefault("--batch", "4000"));
        int rounds = Integer.parseInt(options.getOrDefault("--rounds", "3"));
        if (given.isEmpty()) {
            boolean durable = Boolean.parseBoolean(options.getOrDefault("--durable", "true"));
            try (EmbeddedPostgres server = postgres(durable)) {
                String url = server.getJdbcUrl("postgres", "postgres");
                System.out.println(settings(url));
                new OrderThroughput(url, count, batch, rounds).run();
            }
        } else {
            new OrderThroughput(given, count, batch, rounds).run();
        }
    }

    /** Unlike its own defaults, which are made for tests. */
    static EmbeddedPostgres postgres(boolean durable) throws Exception {
        String onOrOff = durable ? "on" : "off";
        return EmbeddedPostgres.builder()
                .setServerConfig("fsync", onOrOff)
                .setServerConfig("synchronous_commit", onOrOff)
                .start();
    }

    private static String settings(String url) throws Exception {
        StringBuilder settings = new StringBuilder("PostgreSQL");
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            for (String name : List.of(
                    "server_version",
                    "fsync",
                    "synchronous_commit",
                    "full_page_writes",
                    "shared_buffers",
                    "max_wal_size")) {
                try (ResultSet row = statement.executeQuery("show " + name)) {
                    row.next();
                    settings.append(", ").append(name).append(' ').append(row.getString(1));
                }
            }
        }
        return settings.toString();
    }

    /** Returns the rates of new orders, one of each round. */
    List<Double> run() throws Exception {
        List<Double> rates = new ArrayList<>();
        System.out.println("| round | orders | batch | new orders/s | confirmations/s |");
        System.out.println("|---:|---:|---:|---:|---:|");
        try (JdbcOrderBook book = JdbcOrderBook.open(url)) {
            for (int round = 1; round <= rounds; round++) {
                String sale = "throughput-" + UUID.randomUUID();
                double inserted = write(book, sale, Outcome.RESERVED);
                double confirmed = write(book, sale, Outcome.CONFIRMED);
                Map<Outcome, Sum> expected = Map.of(Outcome.CONFIRMED, new Sum(count, count));
                if (!book.sums(sale).equals(expected)) {
                    throw new IllegalStateException("the book is wrong: " + book.sums(sale));
                }
                rates.add(inserted);
                System.out.printf(
                        Locale.ROOT,
                        "| %d | %d | %d | %.0f | %.0f |%n",
                        round,
                        count,
                        batch,
                        inserted,
                        confirmed);
            }
        }
        return rates;
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
