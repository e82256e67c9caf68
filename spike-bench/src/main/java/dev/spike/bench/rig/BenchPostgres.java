package dev.spike.bench.rig;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * A PostgreSQL child on loopback that ends with this JVM. What decides what a commit costs is as in
 * a default installation.
 */
public final class BenchPostgres implements AutoCloseable {

    private final EmbeddedPostgres server;

    private BenchPostgres(EmbeddedPostgres server) {
        this.server = server;
    }

    /**
     * Starts it; the defaults of the library that brings it, which make tests fast, are not used.
     *
     * @param durable fsync and synchronous_commit on
     * @throws IllegalStateException if the server runs with other settings than these
     */
    public static BenchPostgres start(boolean durable) throws IOException {
        String onOrOff = durable ? "on" : "off";
        BenchPostgres postgres = new BenchPostgres(EmbeddedPostgres.builder()
                .setServerConfig("fsync", onOrOff)
                .setServerConfig("synchronous_commit", onOrOff)
                .start());
        try {
            // It is told fsync off first, for tests, and then this.
            postgres.require("fsync", onOrOff);
            postgres.require("synchronous_commit", onOrOff);
            return postgres;
        } catch (RuntimeException unlikeAsked) {
            postgres.close();
            throw unlikeAsked;
        }
    }

    private void require(String setting, String asked) {
        try (Connection connection = DriverManager.getConnection(url());
                Statement statement = connection.createStatement()) {
            String found = show(statement, setting);
            if (!found.equals(asked)) {
                throw new IllegalStateException("must be " + asked + ": " + setting + "=" + found);
            }
        } catch (SQLException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** The JDBC URL, for its superuser. */
    public String url() {
        return server.getJdbcUrl("postgres", "postgres");
    }

    /** Version and what decides its speed, in a line. */
    public static String settings(String url) throws SQLException {
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
                settings.append(", ").append(name).append(' ').append(show(statement, name));
            }
        }
        return settings.toString();
    }

    private static String show(Statement statement, String setting) throws SQLException {
        try (ResultSet row = statement.executeQuery("show " + setting)) {
            row.next();
            return row.getString(1);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
