package dev.spike.bench.rig;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private final long postmasterPid;

    private BenchPostgres(EmbeddedPostgres server) {
        this.server = server;
        this.postmasterPid = readPostmasterPid(url());
    }

    /**
     * Starts it; the defaults of the library that brings it, which make tests fast, are not used.
     *
     * @param durable fsync and synchronous_commit on
     * @throws IllegalStateException if the server runs with other settings than these
     */
    public static BenchPostgres start(boolean durable) throws IOException {
        String onOrOff = durable ? "on" : "off";
        EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setServerConfig("fsync", onOrOff)
                .setServerConfig("synchronous_commit", onOrOff)
                .start();
        try {
            BenchPostgres postgres = new BenchPostgres(server);
            // It is told fsync off first, for tests, and then this.
            postgres.require("fsync", onOrOff);
            postgres.require("synchronous_commit", onOrOff);
            return postgres;
        } catch (RuntimeException unlikeAsked) {
            server.close();
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

    /** Lets all its processes stand still, in whatever they do. */
    public void pause() {
        ProcessHandle first = postmaster();
        Child.signal("STOP", first.pid());
        first.descendants().forEach(each -> signalIfAlive("STOP", each));
    }

    /** Lets them go on after {@link #pause}. */
    public void resume() {
        ProcessHandle first = postmaster();
        first.descendants().forEach(each -> signalIfAlive("CONT", each));
        Child.signal("CONT", first.pid());
    }

    /**
     * Kills a process of it, as a crash would: it ends all connections, recovers from its log and
     * serves on, by itself. Returns when it answers again.
     */
    public void crash() {
        long victim;
        try (Connection connection = DriverManager.getConnection(url());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
            row.next();
            victim = row.getLong(1);
            Child.signal("KILL", victim);
        } catch (SQLException ignored) {
            // Its last connection is among those that ended.
        }
        Wait.until("PostgreSQL has recovered", this::answers);
    }

    private boolean answers() {
        try (Connection connection = DriverManager.getConnection(url())) {
            return connection.isValid(10);
        } catch (SQLException notYet) {
            return false;
        }
    }

    private static void signalIfAlive(String signal, ProcessHandle process) {
        try {
            Child.signal(signal, process.pid());
        } catch (IllegalStateException ended) {
            if (process.isAlive()) {
                throw ended;
            }
        }
    }

    private ProcessHandle postmaster() {
        return ProcessHandle.of(postmasterPid)
                .orElseThrow(() -> new IllegalStateException("PostgreSQL ended"));
    }

    private static long readPostmasterPid(String url) {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            Path folder = Path.of(show(statement, "data_directory"));
            return Long.parseLong(
                    Files.readAllLines(folder.resolve("postmaster.pid")).get(0).strip());
        } catch (SQLException | IOException failure) {
            throw new IllegalStateException(failure);
        }
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
