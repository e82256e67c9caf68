package dev.example.shop;

import dev.spike.core.OrderBook;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The shop's orders in a database: one row for each reservation. Used by one relay. */
final class Orders implements OrderSink, OrderBook, AutoCloseable {

    /** May be run any number of times, in any order: a final status never changes. */
    private static final String UPSERT = """
            MERGE INTO orders USING (VALUES (CAST(? AS VARCHAR), CAST(? AS VARCHAR),
                CAST(? AS VARCHAR), CAST(? AS INT), CAST(? AS VARCHAR)))
                AS e (sale, id, buyer, quantity, status)
            ON orders.sale = e.sale AND orders.id = e.id
            WHEN MATCHED AND orders.status = 'RESERVED' THEN UPDATE SET status = e.status
            WHEN NOT MATCHED THEN INSERT VALUES (e.sale, e.id, e.buyer, e.quantity, e.status)""";

    private final String url;
    /** Keeps a database in memory alive; also what the book reads with. */
    private final Connection reading;

    Orders(String url) throws SQLException {
        this.url = url;
        this.reading = DriverManager.getConnection(url);
        try (var statement = reading.createStatement()) {
            statement.execute("""
                    CREATE TABLE IF NOT EXISTS orders (sale VARCHAR(64), id VARCHAR(250),
                        buyer VARCHAR(128), quantity INT, status VARCHAR(9), PRIMARY KEY (sale, id))""");
        }
    }

    /** All of them in one transaction, or none. */
    @Override
    public void write(String sale, long total, List<OrderEvent> events) throws Exception {
        try (Connection writing = DriverManager.getConnection(url)) {
            writing.setAutoCommit(false);
            try (PreparedStatement upsert = writing.prepareStatement(UPSERT)) {
                for (OrderEvent event : events) {
                    upsert.setString(1, sale);
                    upsert.setString(2, event.id().toString());
                    upsert.setString(3, event.id().buyer());
                    upsert.setInt(4, event.quantity());
                    upsert.setString(5, event.state().name());
                    upsert.addBatch();
                }
                upsert.executeBatch();
                writing.commit();
            }
        } catch (SQLTransientException | SQLNonTransientConnectionException away) {
            throw new UnavailableException(away); // They come again, for as long as it takes.
        }
    }

    @Override
    public synchronized Map<Outcome, Sum> sums(String sale) throws SQLException {
        Map<Outcome, Sum> sums = new EnumMap<>(Outcome.class);
        try (PreparedStatement query = reading.prepareStatement(
                "SELECT status, count(*), sum(quantity) FROM orders WHERE sale = ? GROUP BY status")) {
            query.setString(1, sale);
            ResultSet rows = query.executeQuery();
            while (rows.next()) {
                sums.put(
                        Outcome.valueOf(rows.getString(1)),
                        new Sum(rows.getLong(2), rows.getLong(3)));
            }
        }
        return sums;
    }

    @Override
    public synchronized List<Order> find(String sale, Collection<ReservationId> ids)
            throws SQLException {
        try (PreparedStatement query = reading.prepareStatement(
                "SELECT id, quantity, status FROM orders WHERE sale = ? AND id = ANY (?)")) {
            query.setString(1, sale);
            query.setArray(
                    2,
                    reading.createArrayOf(
                            "VARCHAR", ids.stream().map(ReservationId::toString).toArray()));
            return orders(query);
        }
    }

    @Override
    public synchronized List<Order> page(String sale, String after, int limit) throws SQLException {
        try (PreparedStatement query = reading.prepareStatement(
                "SELECT id, quantity, status FROM orders WHERE sale = ? AND id > ? ORDER BY id LIMIT ?")) {
            query.setString(1, sale);
            query.setString(2, after);
            query.setInt(3, limit);
            return orders(query);
        }
    }

    private static List<Order> orders(PreparedStatement query) throws SQLException {
        List<Order> orders = new ArrayList<>();
        ResultSet rows = query.executeQuery();
        while (rows.next()) {
            orders.add(new Order(
                    ReservationId.parse(rows.getString(1)),
                    rows.getInt(2),
                    Outcome.valueOf(rows.getString(3))));
        }
        return orders;
    }

    @Override
    public void close() throws SQLException {
        reading.close();
    }
}
