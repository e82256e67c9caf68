package dev.spike.bench.scenario;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import dev.spike.bench.rig.Wait;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A shop that keeps stock and orders in a database, in the tables {@code bench_stock} and
 * {@code bench_orders}, which it makes anew. Each request and each payment is one transaction on a
 * pooled connection, with statements that the server has prepared.
 */
abstract class Shop implements Strategy {

    private static final String TABLES = """
            drop table if exists bench_stock, bench_orders;
            create table bench_stock (id integer primary key, total bigint, sold bigint);
            create table bench_orders (
              buyer varchar,
              key varchar,
              status varchar not null,
              reserved_at timestamp with time zone not null default now(),
              primary key (buyer, key));
            insert into bench_stock values (1, %d, 0)""";

    private static final String BOOKS = """
            select count(*), count(*) filter (where status = 'paid'),
              (select sold from bench_stock where id = 1)
            from bench_orders""";

    /** What is done within a transaction. */
    interface Work {
        /** True: what was done is kept; false: it is undone. */
        boolean run(Connection connection) throws SQLException;
    }

    private final HikariDataSource pool;

    Shop(String jdbcUrl, int connections, int units) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(jdbcUrl);
        config.setMaximumPoolSize(connections);
        config.setAutoCommit(false);
        config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        // Requests queue for a connection, as long as it takes.
        config.setConnectionTimeout(120_000);
        pool = new HikariDataSource(config);
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(TABLES.formatted(units));
            connection.commit();
        } catch (SQLException failure) {
            pool.close();
            throw new IllegalStateException(failure);
        }
        Wait.until(
                "all connections are open",
                () -> pool.getHikariPoolMXBean().getIdleConnections() == connections);
    }

    @Override
    public CompletionStage<Boolean> ask(Buyer buyer) {
        return CompletableFuture.completedFuture(order(buyer));
    }

    /** Makes the order of this request, unless it is there, blocking; whether there is one now. */
    abstract boolean order(Buyer buyer);

    /** The units that must be deducted from the stock. */
    abstract long mustBeSold(Books books);

    boolean transaction(Work work) {
        try (Connection connection = pool.getConnection()) {
            boolean keep = work.run(connection);
            if (keep) {
                connection.commit();
            } else {
                connection.rollback();
            }
            return keep;
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** The number of rows that a statement about this order changed. */
    static int update(Connection connection, String sql, String... parameters) throws SQLException {
        try (PreparedStatement update = prepare(connection, sql, parameters)) {
            return update.executeUpdate();
        }
    }

    static boolean exists(Connection connection, String sql, String... parameters)
            throws SQLException {
        try (PreparedStatement select = prepare(connection, sql, parameters);
                ResultSet row = select.executeQuery()) {
            return row.next();
        }
    }

    private static PreparedStatement prepare(
            Connection connection, String sql, String... parameters) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < parameters.length; i++) {
            statement.setString(i + 1, parameters[i]);
        }
        return statement;
    }

    /** An order never ends by itself. */
    @Override
    public void awaitHoldsEnded() {}

    @Override
    public boolean writesLater() {
        return false;
    }

    /** They are there before the answer is. */
    @Override
    public void awaitOrders() {}

    @Override
    public Books books() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(BOOKS)) {
            row.next();
            Books books = new Books(row.getLong(1), row.getLong(2));
            if (row.getLong(3) != mustBeSold(books)) {
                throw new IllegalStateException(
                        "sold must be " + mustBeSold(books) + ": " + row.getLong(3));
            }
            return books;
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
