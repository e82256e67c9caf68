package dev.spike.bench.scenario;

/**
 * Order-then-deduct, the textbook form: one transaction deducts a unit and makes the order. Every
 * buyer waits for the lock on the one row of the stock, and it is held until the commit is on disk.
 * An order that nobody pays for keeps its unit.
 */
final class OrderThenDeduct extends Shop {

    private static final String DEDUCT =
            "update bench_stock set sold = sold + 1 where id = 1 and sold < total";
    private static final String ORDER = """
            insert into bench_orders (buyer, key, status) values (?, ?, 'ordered')
            on conflict do nothing""";
    private static final String FIND = "select 1 from bench_orders where buyer = ? and key = ?";
    private static final String PAY =
            "update bench_orders set status = 'paid' where buyer = ? and key = ?";

    OrderThenDeduct(String jdbcUrl, int connections, int units) {
        super(jdbcUrl, connections, units);
    }

    /** If all is sold, or the order was made before, nothing is kept. */
    @Override
    boolean order(Buyer buyer) {
        boolean[] isThere = new boolean[1];
        return transaction(connection -> {
                    if (update(connection, DEDUCT) == 0) {
                        isThere[0] = exists(connection, FIND, buyer.name(), buyer.key());
                        return false;
                    }
                    boolean isNew = update(connection, ORDER, buyer.name(), buyer.key()) == 1;
                    isThere[0] = true;
                    return isNew;
                })
                || isThere[0];
    }

    @Override
    public boolean pay(Buyer buyer) {
        return transaction(connection -> update(connection, PAY, buyer.name(), buyer.key()) == 1);
    }

    @Override
    long mustBeSold(Books books) {
        return books.orders();
    }
}
