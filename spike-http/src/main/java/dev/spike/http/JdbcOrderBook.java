package dev.spike.http;

import com.zaxxer.hikari.HikariDataSource;

import dev.spike.core.OrderBook;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.http.OrderBatch.Change;
import dev.spike.http.OrderBatch.Written;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The orders in a database: an H2 file or PostgreSQL, in the table {@code orders}, one row for each
 * reservation, and {@code orders_units}. It makes them when they are not there.
 *
 * <p>It is also the last guard against overselling: a transaction after which more units of a sale
 * would be reserved or confirmed than its total is rolled back, also when several servers write to
 * one PostgreSQL. What was written survives the end of this process.
 *
 * <p>Thread-safe. The calls block: for a connection at most about two seconds, for an answer of
 * PostgreSQL at most ten, unless the URL says otherwise. While the database is away, or cannot
 * write, writing throws {@link OrderSink.UnavailableException} and reading {@link SQLException};
 * they work again when it is back.
 */
public final class JdbcOrderBook implements OrderSink, OrderBook, AutoCloseable {

    private static final String INSERT = """
            insert into orders (sale, id, buyer, quantity, status, reserved_at, updated_at)
            select cast(? as varchar), n.id, n.buyer, n.quantity, n.status,
              cast(n.reserved_at as timestamp with time zone),
              cast(n.updated_at as timestamp with time zone)
            from unnest(cast(? as varchar array), cast(? as varchar array),
              cast(? as integer array), cast(? as varchar array), cast(? as varchar array),
              cast(? as varchar array))
              as n (id, buyer, quantity, status, reserved_at, updated_at)""";

    private static final String UPDATE = """
            update orders o
            set status = n.status, updated_at = cast(n.updated_at as timestamp with time zone)
            from unnest(cast(? as varchar array), cast(? as varchar array),
              cast(? as varchar array)) as n (id, status, updated_at)
            where o.sale = ? and o.id = n.id and o.status = 'reserved'""";

    private static final String PAGE = """
            select id, quantity, status from orders
            where sale = ? and id > ? order by id fetch first ? rows only""";

    private static final String SUMS = """
            select status, count(*), sum(quantity) from orders where sale = ? group by status""";

    private final OrderDatabase database;
    private final HikariDataSource pool;
    private final OrderUnits units = new OrderUnits();
    private volatile boolean tablesExist;

    private JdbcOrderBook(OrderDatabase database, HikariDataSource pool) {
        this.database = database;
        this.pool = pool;
    }

    /**
     * Opens the book of this URL; returns at once, whether the database answers or not.
     *
     * @param jdbcUrl {@code jdbc:h2:file:PATH}, or {@code jdbc:postgresql://HOST:PORT/DATABASE}
     *     with user and password among its parameters
     * @throws IllegalArgumentException if the URL is no such; the message shows no password
     */
    public static JdbcOrderBook open(String jdbcUrl) {
        OrderDatabase database = OrderDatabase.of(jdbcUrl);
        return new JdbcOrderBook(database, new HikariDataSource(database.pool(jdbcUrl)));
    }

    /**
     * {@inheritDoc}
     *
     * @throws RefusedException also if the orders would be more units than the total
     */
    @Override
    public void write(String saleId, long total, List<OrderEvent> events)
            throws UnavailableException, RefusedException {
        try {
            writeAll(saleId, total, events);
        } catch (SQLException failure) {
            if (isAboutTheData(failure)) {
                throw new RefusedException(String.valueOf(failure.getMessage()), failure);
            }
            throw new UnavailableException(failure);
        }
    }

    /** Whether these events are to blame: a data exception, or a violated constraint. */
    private static boolean isAboutTheData(SQLException failure) {
        String state = String.valueOf(failure.getSQLState());
        return state.startsWith("22") || state.startsWith("23");
    }

    private void writeAll(String saleId, long total, List<OrderEvent> events)
            throws SQLException, RefusedException {
        OrderBatch batch = new OrderBatch(events);
        try (Connection connection = connect()) {
            long before = units.lock(connection, saleId);
            OrderBatch.Changes changes = batch.against(written(connection, saleId, batch.ids()));
            long after = OrderUnits.after(connection, saleId, before, changes, total);
            update(connection, saleId, changes.updates());
            insert(connection, saleId, changes.inserts());
            units.store(connection, saleId, after);
            connection.commit();
            units.committed(saleId);
            database.flush(connection);
        }
    }

    private Map<String, Written> written(
            Connection connection, String saleId, Collection<String> ids) throws SQLException {
        Map<String, Written> written = new HashMap<>();
        try (PreparedStatement find = find(connection, saleId, ids.toArray());
                ResultSet row = find.executeQuery()) {
            while (row.next()) {
                written.put(row.getString(1), new Written(row.getInt(2), status(row.getString(3))));
            }
        }
        return written;
    }

    private PreparedStatement find(Connection connection, String saleId, Object[] ids)
            throws SQLException {
        PreparedStatement find = connection.prepareStatement(database.find());
        find.setArray(1, connection.createArrayOf("varchar", ids));
        find.setString(2, saleId);
        return find;
    }

    private static void update(Connection connection, String saleId, List<Change> changes)
            throws SQLException {
        if (changes.isEmpty()) {
            return;
        }
        try (PreparedStatement update = connection.prepareStatement(UPDATE)) {
            setColumn(update, 1, changes, Change::id);
            setColumn(update, 2, changes, change -> text(change.event().state()));
            setColumn(update, 3, changes, change -> change.event().at().toString());
            update.setString(4, saleId);
            requireChanged(update.executeUpdate(), changes);
        }
    }

    private static void insert(Connection connection, String saleId, List<Change> changes)
            throws SQLException {
        if (changes.isEmpty()) {
            return;
        }
        try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, saleId);
            setColumn(insert, 2, changes, Change::id);
            setColumn(insert, 3, changes, change -> change.event().id().buyer());
            insert.setArray(
                    4,
                    connection.createArrayOf(
                            "integer",
                            OrderBatch.column(changes, change -> change.event().quantity())));
            setColumn(insert, 5, changes, change -> text(change.event().state()));
            setColumn(insert, 6, changes, change -> change.event().reservedAt().toString());
            setColumn(insert, 7, changes, change -> change.event().at().toString());
            requireChanged(insert.executeUpdate(), changes);
        }
    }

    private static void setColumn(
            PreparedStatement statement,
            int parameter,
            List<Change> changes,
            Function<Change, Object> value)
            throws SQLException {
        statement.setArray(
                parameter,
                statement
                        .getConnection()
                        .createArrayOf("varchar", OrderBatch.column(changes, value)));
    }

    private static void requireChanged(int rows, List<Change> changes) throws SQLException {
        if (rows != changes.size()) {
            throw new SQLException("somebody else changed these orders meanwhile: rows=" + rows
                    + ", expected=" + changes.size());
        }
    }

    @Override
    public Map<Outcome, Sum> sums(String saleId) throws SQLException {
        Map<Outcome, Sum> sums = new EnumMap<>(Outcome.class);
        try (Connection connection = connect();
                PreparedStatement select = connection.prepareStatement(SUMS)) {
            select.setString(1, saleId);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    sums.put(status(row.getString(1)), new Sum(row.getLong(2), row.getLong(3)));
                }
            }
        }
        return sums;
    }

    @Override
    public List<Order> find(String saleId, Collection<ReservationId> ids) throws SQLException {
        Object[] texts = ids.stream().map(ReservationId::toString).toArray();
        try (Connection connection = connect();
                PreparedStatement find = find(connection, saleId, texts)) {
            return orders(find);
        }
    }

    @Override
    public List<Order> page(String saleId, String after, int limit) throws SQLException {
        try (Connection connection = connect();
                PreparedStatement page = connection.prepareStatement(PAGE)) {
            page.setString(1, saleId);
            page.setString(2, after);
            page.setInt(3, limit);
            return orders(page);
        }
    }

    private static List<Order> orders(PreparedStatement select) throws SQLException {
        List<Order> orders = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                orders.add(new Order(
                        ReservationId.parse(row.getString(1)),
                        row.getInt(2),
                        status(row.getString(3))));
            }
        }
        return orders;
    }

    /** A connection to a database that has the tables. */
    private Connection connect() throws SQLException {
        Connection connection = pool.getConnection();
        try {
            if (!tablesExist) {
                database.createTables(connection);
                connection.commit();
                tablesExist = true;
            }
            return connection;
        } catch (SQLException | RuntimeException failure) {
            connection.close();
            throw failure;
        }
    }

    private static String text(Outcome status) {
        return switch (status) {
            case RESERVED -> "reserved";
            case CONFIRMED -> "confirmed";
            case CANCELLED -> "cancelled";
            case EXPIRED -> "expired";
            default -> throw new IllegalArgumentException("no status of an order: " + status);
        };
    }

    private static Outcome status(String text) {
        return switch (text) {
            case "reserved" -> Outcome.RESERVED;
            case "confirmed" -> Outcome.CONFIRMED;
            case "cancelled" -> Outcome.CANCELLED;
            case "expired" -> Outcome.EXPIRED;
            default -> throw new IllegalStateException("no status of an order: " + text);
        };
    }

    /** Ends the connections, also those in use, in about ten seconds at most. */
    @Override
    public void close() {
        pool.close();
    }
}
