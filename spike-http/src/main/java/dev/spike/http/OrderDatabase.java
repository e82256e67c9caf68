package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.SQLExceptionOverride;

import org.h2.jdbcx.JdbcDataSource;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;

import javax.sql.DataSource;

/** The databases that an order book can be in, and all in which they differ. */
enum OrderDatabase {
    /** In this process, in a file. */
    H2 {
        @Override
        DataSource dataSource(String jdbcUrl) {
            JdbcDataSource source = new JdbcDataSource();
            StringBuilder url = new StringBuilder();
            Map<String, String> settings = new LinkedHashMap<>(H2_SETTINGS);
            for (String part : jdbcUrl.split(";")) {
                String name = part.split("=", 2)[0].strip().toUpperCase(Locale.ROOT);
                String value = part.substring(part.indexOf('=') + 1);
                settings.remove(name);
                switch (name) {
                    case "USER" -> source.setUser(value);
                    case "PASSWORD" -> source.setPassword(value);
                    default -> url.append(url.isEmpty() ? "" : ";").append(part);
                }
            }
            settings.forEach(
                    (name, value) -> url.append(';').append(name).append('=').append(value));
            source.setURL(url.toString());
            return source;
        }

        @Override
        void createTable(Connection connection) throws SQLException {
            execute(connection, "create table if not exists " + TABLE.formatted(""));
            execute(connection, "create table if not exists orders_lock (one integer primary key)");
            execute(connection, "merge into orders_lock values (1)");
        }

        @Override
        void lock(Connection connection, String saleId) throws SQLException {
            execute(connection, "select one from orders_lock for update");
        }

        /** A commit alone is in the memory of this process for a while. */
        @Override
        void flush(Connection connection) throws SQLException {
            execute(connection, "checkpoint sync");
        }
    },

    /** A server, shared by any number of processes. */
    POSTGRESQL {
        @Override
        DataSource dataSource(String jdbcUrl) {
            PGSimpleDataSource source = new PGSimpleDataSource();
            // The driver logs what it cannot read, and would read user:password@ as a host.
            boolean readable = POSTGRESQL_URL.matcher(jdbcUrl).matches();
            Properties given = readable ? Driver.parseURL(jdbcUrl, new Properties()) : null;
            if (given == null) {
                throw malformed(jdbcUrl);
            }
            source.setURL(jdbcUrl);
            POSTGRESQL_SETTINGS.forEach((property, value) -> {
                if (!given.containsKey(property.getName())) {
                    source.setProperty(property, value);
                }
            });
            return source;
        }

        @Override
        void createTable(Connection connection) throws SQLException {
            // Two servers that create it at once would collide in the catalogue; one that only
            // may write to it must not try.
            execute(connection, """
                    do $$ begin
                      perform pg_advisory_xact_lock(%d);
                      if to_regclass('orders') is null then
                        create table %s;
                        create index orders_active on orders (sale, quantity)
                          where status in ('reserved', 'confirmed');
                      end if;
                    end $$""".formatted(key("table"), TABLE.formatted("collate \"C\"")));
        }

        @Override
        void lock(Connection connection, String saleId) throws SQLException {
            try (PreparedStatement lock =
                    connection.prepareStatement("select pg_advisory_xact_lock(?)")) {
                lock.setLong(1, key("sale " + saleId));
                lock.execute();
            }
        }

        @Override
        void flush(Connection connection) {}
    };

    private static final Pattern H2_URL = Pattern.compile("jdbc:h2:file:[^;]+(;.*)?");
    private static final Pattern POSTGRESQL_URL =
            Pattern.compile("jdbc:postgresql:(//[\\w.,:\\[\\]-]+/)?[^/?@]*(\\?.*)?");
    private static final Map<String, String> H2_SETTINGS = new LinkedHashMap<>();
    private static final Map<PGProperty, String> POSTGRESQL_SETTINGS = Map.of(
            PGProperty.CONNECT_TIMEOUT, "2",
            PGProperty.SOCKET_TIMEOUT, "10",
            PGProperty.TCP_KEEP_ALIVE, "true",
            // A server that hangs must not keep the others from writing, nor they from saying so.
            PGProperty.OPTIONS, "-c lock_timeout=8s -c idle_in_transaction_session_timeout=15s",
            PGProperty.APPLICATION_NAME, "spike");

    static {
        H2_SETTINGS.put("MODE", "PostgreSQL");
        H2_SETTINGS.put("DATABASE_TO_LOWER", "TRUE");
        H2_SETTINGS.put("DEFAULT_NULL_ORDERING", "HIGH");
        H2_SETTINGS.put("LOCK_TIMEOUT", "8000");
        // Else it closes at the signal, while the server still writes its last orders.
        H2_SETTINGS.put("DB_CLOSE_ON_EXIT", "FALSE");
    }

    private static final String TABLE = """
            orders (
              sale varchar not null,
              id varchar %s not null,
              buyer varchar not null,
              quantity integer not null,
              status varchar not null,
              reserved_at timestamp with time zone not null,
              updated_at timestamp with time zone not null,
              primary key (sale, id))""";

    /**
     * The database of this URL.
     *
     * @throws IllegalArgumentException if it is none of them
     */
    static OrderDatabase of(String jdbcUrl) {
        if (jdbcUrl.startsWith("jdbc:postgresql:")) {
            return POSTGRESQL;
        }
        if (H2_URL.matcher(jdbcUrl).matches()) {
            return H2;
        }
        throw malformed(jdbcUrl);
    }

    /** How to pool its connections; none is made before it is used. */
    HikariConfig pool(String jdbcUrl) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("spike-orders");
        config.setDataSource(dataSource(jdbcUrl));
        config.setInitializationFailTimeout(-1);
        config.setMaximumPoolSize(4);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(2_000);
        config.setValidationTimeout(1_000);
        config.setAutoCommit(false);
        // The guard must see what was committed while it waited for the lock.
        config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        // H2 reports a lost connection in words of its own; one that is in use all the time would
        // not be tested again, and fail for ever.
        config.setExceptionOverride(new SQLExceptionOverride() {
            @java.lang.Override
            public Override adjudicate(SQLException failure) {
                return Override.MUST_EVICT;
            }
        });
        return config;
    }

    /** With what this class needs, unless the URL says otherwise. */
    abstract DataSource dataSource(String jdbcUrl);

    /** Makes the table if there is none. */
    abstract void createTable(Connection connection) throws SQLException;

    /** Waits until no other transaction writes orders of the sale; then none does until its end. */
    abstract void lock(Connection connection, String saleId) throws SQLException;

    /** Makes what was committed survive the end of this process. */
    abstract void flush(Connection connection) throws SQLException;

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The name of a lock, as PostgreSQL wants it. */
    private static long key(String name) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(("spike " + name).getBytes(UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static IllegalArgumentException malformed(String jdbcUrl) {
        return new IllegalArgumentException(
                "must be jdbc:h2:file:PATH or jdbc:postgresql://HOST:PORT/DATABASE?user=USER&"
                        + "password=PASSWORD: jdbcUrl=" + withoutSecrets(jdbcUrl));
    }

    /** The URL without what may hold a password. */
    static String withoutSecrets(String jdbcUrl) {
        String shown = jdbcUrl.split("[?;]", 2)[0];
        int at = shown.lastIndexOf('@');
        int slashes = shown.indexOf("//");
        return at < 0
                ? shown
                : shown.substring(0, slashes < 0 ? 0 : slashes + 2) + "***" + shown.substring(at);
    }
}
