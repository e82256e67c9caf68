package dev.spike.bench.scenario;

/**
 * Pay-then-deduct: the order is made without touching the stock, as long as any is left, and the
 * payment deducts the unit. More buyers are promised a unit than there are: who pays when none is
 * left is refused; unguarded, the unit is sold nevertheless.
 */
final class PayThenDeduct extends Shop {

    private static final String ORDER = """
            insert into bench_orders (buyer, key, status)
            select ?, ?, 'ordered' from bench_stock where id = 1 and sold < total
            on conflict do nothing""";
    private static final String FIND = "select 1 from bench_orders where buyer = ? and key = ?";
    private static final String DEDUCT = "update bench_stock set sold = sold + 1 where id = 1";
    private static final String PAY =
            "update bench_orders set status = 'paid' where buyer = ? and key = ?";
    private static final String REFUSE =
            "update bench_orders set status = 'refused' where buyer = ? and key = ?";

    private final String deduct;

    /** @param guarded whether a payment is refused if no unit is left */
    PayThenDeduct(String jdbcUrl, int connections, int units, boolean guarded) {
        super(jdbcUrl, connections, units);
        this.deduct = guarded ? DEDUCT + " and sold < total" : DEDUCT;
    }

    @Override
    boolean order(Buyer buyer) {
        return transaction(connection -> update(connection, ORDER, buyer.name(), buyer.key()) == 1
                || exists(connection, FIND, buyer.name(), buyer.key()));
    }

    @Override
    public boolean pay(Buyer buyer) {
        boolean[] paid = new boolean[1];
        transaction(connection -> {
            paid[0] = update(connection, deduct) == 1;
            return update(connection, paid[0] ? PAY : REFUSE, buyer.name(), buyer.key()) == 1;
        });
        return paid[0];
    }

    @Override
    long mustBeSold(Books books) {
        return books.paid();
    }
}
