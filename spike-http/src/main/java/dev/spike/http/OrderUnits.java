package dev.spike.http;

import dev.spike.core.OrderSink;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The units of each sale that are reserved or confirmed, in the table {@code orders_units}. Its row
 * is changed in the transaction that changes the orders, and locked from that transaction's start:
 * so the writers of a sale come one after the other, and each knows what the others committed.
 *
 * <p>To count the orders in each transaction would cost the more, the more there are. They are
 * counted at the first transaction of each sale here, and before one is refused: what somebody
 * changed in the orders by hand is then noticed.
 */
final class OrderUnits {

    private static final String LOCK = "select units from orders_units where sale = ? for update";

    private static final String CREATE =
            "insert into orders_units (sale, units) values (?, 0) on conflict do nothing";

    private static final String STORE = "update orders_units set units = ? where sale = ?";

    private static final String COUNT = """
            select coalesce(sum(quantity), 0) from orders
            where sale = ? and status in ('reserved', 'confirmed')""";

    private final Set<String> counted = ConcurrentHashMap.newKeySet();

    /**
     * Waits until no other transaction writes orders of the sale; then none does until the end of
     * this one.
     *
     * @return its units
     */
    long lock(Connection connection, String saleId) throws SQLException {
        long units = select(connection, LOCK, saleId);
        if (units < 0) {
            try (PreparedStatement create = connection.prepareStatement(CREATE)) {
                create.setString(1, saleId);
                create.executeUpdate();
            }
            units = select(connection, LOCK, saleId);
        }
        return counted.contains(saleId) ? units : count(connection, saleId);
    }

    /**
     * The units after these changes.
     *
     * @throws OrderSink.RefusedException if units are added and are then more than the total
     */
    static long after(
            Connection connection,
            String saleId,
            long units,
            OrderBatch.Changes changes,
            long total)
            throws SQLException, OrderSink.RefusedException {
        long change = changes.added() - changes.freed();
        if (changes.added() == 0 || units + change <= total) {
            return units + change;
        }
        long recounted = count(connection, saleId) + change;
        if (recounted > total) {
            throw new OrderSink.RefusedException(
                    "units reserved or confirmed must be <= total, nothing was written: sale="
                            + saleId + ", units=" + recounted + ", total=" + total,
                    null);
        }
        return recounted;
    }

    void store(Connection connection, String saleId, long units) throws SQLException {
        try (PreparedStatement store = connection.prepareStatement(STORE)) {
            store.setLong(1, units);
            store.setString(2, saleId);
            store.executeUpdate();
        }
    }

    /** After what was stored is committed. */
    void committed(String saleId) {
        counted.add(saleId);
    }

    private static long count(Connection connection, String saleId) throws SQLException {
        return select(connection, COUNT, saleId);
    }

    /** The number; -1 if there is no row. */
    private static long select(Connection connection, String sql, String saleId)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            select.setString(1, saleId);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? row.getLong(1) : -1;
            }
        }
    }
}
