package dev.spike.http;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/** A real PostgreSQL, one for all tests of this JVM, and stopped with it. */
final class TestPostgres {

    private static final EmbeddedPostgres SERVER = start();

    private TestPostgres() {}

    /** The URL of a new, empty database, which sorts as people do and not by bytes. */
    static String newDatabase() {
        String name = "test_" + UUID.randomUUID().toString().replace('-', '_');
        execute("create database " + name
                + " template template0 locale_provider icu icu_locale 'en-US'");
        return SERVER.getJdbcUrl("postgres", name);
    }

    /** Ends all connections to the database of this URL, as a restart of the server would. */
    static void disconnect(String url) {
        String name = url.replaceFirst(".*/(test_\\w+)\\?.*", "$1");
        execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name
                + "'");
    }

    private static void execute(String sql) {
        try (Connection connection = SERVER.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failure) {
            throw new AssertionError(sql, failure);
        }
    }

    private static EmbeddedPostgres start() {
        try {
            return EmbeddedPostgres.start();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
