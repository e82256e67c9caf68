package dev.spike.bench.scenario;

import dev.spike.bench.rig.Wait;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The transactions of a PostgreSQL database, committed and rolled back, as {@code pg_stat_database}
 * counts them. A connection tells its own at the latest when it is closed: so it is read when no
 * other connection is open. It counts a few of its own and those of autovacuum with them.
 */
final class Transactions implements AutoCloseable {

    private static final String COUNT = """
            select xact_commit + xact_rollback from pg_stat_database
            where datname = current_database()""";

    private static final String OTHERS = """
            select count(*) from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend'
              and pid <> pg_backend_pid()""";

    private final Connection connection;

    Transactions(String jdbcUrl) throws SQLException {
        connection = DriverManager.getConnection(jdbcUrl);
    }

    /** Waits until all other connections are closed. */
    long count() throws SQLException {
        Wait.until("nobody else is connected to the database", () -> number(OTHERS) == 0);
        return number(COUNT);
    }

    private long number(String sql) {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
