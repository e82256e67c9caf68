package dev.spike.bench.scenario;

import java.util.concurrent.CompletionStage;

/** A way to sell a stock, opened with its units. Its calls come from many threads at once. */
interface Strategy extends AutoCloseable {

    /**
     * What the database says.
     *
     * @param orders that were ever made
     * @param paid those of them that are paid for, each one unit
     */
    record Books(long orders, long paid) {}

    /** Asks for a unit; whether it is promised. A repeat under the same key gets the same. */
    CompletionStage<Boolean> ask(Buyer buyer);

    /** Pays for the promised unit, blocking; false: there is none any more. */
    boolean pay(Buyer buyer);

    /** Waits until no unit is held by a promise whose time has passed. */
    void awaitHoldsEnded();

    /** Whether orders are written after the buyers are answered. */
    boolean writesLater();

    /** Waits until every order is in the database. */
    void awaitOrders();

    /**
     * Reads the database.
     *
     * @throws IllegalStateException if the stock does not agree with the orders
     */
    Books books() throws Exception;

    @Override
    void close();
}
