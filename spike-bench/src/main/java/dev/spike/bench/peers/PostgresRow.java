package dev.spike.bench.peers;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import dev.spike.bench.rig.BenchPostgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * One row of a PostgreSQL of its own, updated by each request in a transaction of its own, which is
 * on the disk before it is answered. The pool is fixed and of the size that HikariCP's page "About
 * Pool Sizing" gives: twice the cores, and one for the disk; more connections would only wait for
 * the row's lock.
 */
final class PostgresRow implements Peer {

    private static final String TAKE =
            "update stock set sold = sold + 1 where id = ? and sold < total";

    private final BenchPostgres server;
    private final HikariDataSource pool;

    PostgresRow() {
        try {
            server = BenchPostgres.start(true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(server.url());
        config.setMaximumPoolSize(2 * Runtime.getRuntime().availableProcessors() + 1);
        pool = new HikariDataSource(config);
        execute("create table stock (id int primary key, total bigint, sold bigint)");
        execute("insert into stock values (1, " + TOTAL + ", 0)");
    }

    private void execute(String sql) {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean takeOne() {
        try (Connection connection = pool.getConnection();
                PreparedStatement take = connection.prepareStatement(TAKE)) {
            take.setInt(1, 1);
            return take.executeUpdate() == 1;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public long taken() {
        return Long.parseLong(tell("select sold from stock where id = 1"));
    }

    private String tell(String query) {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        pool.close();
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
