package dev.spike.http;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.SQLExceptionOverride;

import org.h2.jdbcx.JdbcDataSource;
import org.h2.store.fs.FileUtils;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.sql.DataSource;

/** The databases that an order book can be in, and all in which they differ. */
enum OrderDatabase {
    /** In this process, in a file. It finds no index for {@code = any}. */
    H2("""
            select o.id, o.quantity, o.status
            from unnest(cast(? as varchar array)) as n (id)
            join orders o on o.id = n.id and o.sale = ?""") {
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
        Path lock(String jdbcUrl) {
            String file = jdbcUrl.substring("jdbc:h2:file:".length()).split(";", 2)[0];
            // As H2 reads it, which begins at the user's home where it begins with ~.
            return Path.of(FileUtils.toRealPath(file + ".lock"));
        }

        @Override
        void createTables(Connection connection) throws SQLException {
            execute(connection, "create table if not exists " + TABLE.formatted(""));
            execute(connection, "create table if not exists " + UNITS);
        }

        /** A commit alone is in the memory of this process for a while. */
        @Override
        void flush(Connection connection) throws SQLException {
            execute(connection, "checkpoint sync");
        }
    },

    /** A server, shared by any number of processes. */
    POSTGRESQL("""
            select id, quantity, status from orders where id = any(?) and sale = ?""") {
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
        void createTables(Connection connection) throws SQLException {
            // Two servers that create them at once would collide in the catalogue; one that only
            // may write to them must not try.
            execute(connection, """
                    do $$ begin
                      perform pg_advisory_xact_lock(%d);
                      if to_regclass('orders') is null then
                        create table %s;
                      end if;
                      if to_regclass('orders_units') is null then
                        create table %s;
                      end if;
                    end $$""".formatted(
                            TABLES_LOCK, TABLE.formatted("collate \"C\""), UNITS));
        }

        @Override
        void flush(Connection connection) {}
    };

    /** The first bytes of "spike orders", as a number. */
    private static final long TABLES_LOCK = 0x7370696b65206f72L;

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
        // It would answer a query with a former result for a moment after another's commit: the
        // guard, which has the lock by then, would not see what was committed.
        H2_SETTINGS.put("OPTIMIZE_REUSE_RESULTS", "0");
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

    private static final String UNITS = """
            orders_units (
              sale varchar primary key,
              units bigint not null)""";

    private final String find;

    OrderDatabase(String find) {
        this.find = find;
    }

    /** Selects id, quantity and status of the orders with these ids (an array) of a sale. */
    String find() {
        return find;
    }

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
        config.setMaximumPoolSize(10);
        config.setMinimumIdle(0);
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

    /** The file that who opens the database must hold, since one at a time can; null: none. */
    @Nullable
    Path lock(String jdbcUrl) {
        return null;
    }

    /** Makes the tables that are not there. */
    abstract void createTables(Connection connection) throws SQLException;

    /** Makes what was committed survive the end of this process. */
    abstract void flush(Connection connection) throws SQLException;

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Shows no more of the URL than its kind: a secret may be anywhere in a malformed one. */
    private static IllegalArgumentException malformed(String jdbcUrl) {
        Matcher kind = Pattern.compile("(jdbc:\\w+:)?").matcher(jdbcUrl);
        return new IllegalArgumentException(
                "must be jdbc:h2:file:PATH or jdbc:postgresql://HOST:PORT/DATABASE?user=USER&"
                        + "password=PASSWORD: jdbcUrl="
                        + (kind.lookingAt() ? kind.group() : "") + "***");
    }
}
