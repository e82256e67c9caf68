package dev.spike.bench.scenario;

import dev.spike.bench.report.Result;
import dev.spike.bench.scenario.Buyer.Paying;
import dev.spike.bench.scenario.Strategy.Books;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Plays one sale of one strategy, and audits it. */
final class Sales {

    static final String SELLING = "selling, answers/s";
    static final String CROWD = "crowd, answers/s";
    private static final Duration LONG = Duration.ofHours(1);

    /** Opens a stock. */
    interface Opening {
        Strategy open(int units, Duration hold);
    }

    /**
     * What is compared.
     *
     * @param inFlight how many requests a thread sends before it waits
     */
    record Row(String strategy, String callers, int inFlight, Opening opening) {
        List<String> labels() {
            return List.of(strategy, callers);
        }
    }

    private final Callers callers;
    private final Transactions transactions;
    private final Duration hold;

    Sales(Callers callers, Transactions transactions, Duration hold) {
        this.callers = callers;
        this.transactions = transactions;
        this.hold = hold;
    }

    /** As many units as buyers: nobody is refused. */
    void sellToEach(Row row, List<Buyer> buyers, Result result) throws Exception {
        long before = transactions.count();
        try (Strategy strategy = row.opening().open(buyers.size(), LONG)) {
            Callers.Answers asked = callers.ask(strategy, buyers, row.inFlight());
            long answered = System.nanoTime();
            strategy.awaitOrders();
            double after = (System.nanoTime() - answered) / 1e9;
            require("promised", buyers.size(), asked.yes().size());
            require("orders in the database", buyers.size(), strategy.books().orders());
            result.add(row.labels(), SELLING, buyers.size() / asked.seconds());
            if (strategy.writesLater()) {
                result.add(row.labels(), "selling, orders written after, s", after);
            }
        }
        result.add(
                row.labels(),
                "selling, transactions per buyer",
                (double) (transactions.count() - before) / buyers.size());
    }

    /** More buyers than units. */
    void sellToCrowd(Row row, List<Buyer> buyers, int units, Result result) throws Exception {
        long before = transactions.count();
        List<String> labels = row.labels();
        try (Strategy strategy = row.opening().open(units, hold)) {
            Callers.Answers asked = callers.ask(strategy, buyers, row.inFlight());
            List<Buyer> promised = asked.yes();
            List<Buyer> inTime = callers.pay(strategy, promised, Paying.IN_TIME).yes();
            strategy.awaitHoldsEnded();
            List<Buyer> late = callers.pay(strategy, promised, Paying.LATE).yes();

            List<Buyer> coming = comingAgain(buyers, inTime, late);
            List<Buyer> again = callers.ask(strategy, coming, row.inFlight()).yes();
            List<Buyer> paidAgain = callers.pay(strategy, again, Paying.IN_TIME).yes();
            strategy.awaitHoldsEnded();
            strategy.awaitOrders();

            Books books = strategy.books();
            long paid = inTime.size() + late.size() + paidAgain.size();
            require("orders in the database", promised.size() + again.size(), books.orders());
            require("paid orders in the database", paid, books.paid());
            result.add(labels, CROWD, buyers.size() / asked.seconds());
            result.add(labels, "units oversold", Math.max(0, paid - units));
            result.add(labels, "units left unsold", Math.max(0, units - paid));
            long inVain = count(promised, Paying.IN_TIME)
                    - inTime.size()
                    + again.size()
                    - paidAgain.size();
            result.add(labels, "promised, paid in time, got none, buyers", inVain);
            result.add(
                    labels,
                    "promised, paid late, refused, buyers",
                    count(promised, Paying.LATE) - late.size());
        }
        result.add(
                labels,
                "crowd, transactions per buyer",
                (double) (transactions.count() - before) / buyers.size());
    }

    private static long count(List<Buyer> buyers, Paying paying) {
        return buyers.stream().filter(buyer -> buyer.paying() == paying).count();
    }

    /** Who has no unit and would pay, in the order in which they came first. */
    private static List<Buyer> comingAgain(
            List<Buyer> buyers, List<Buyer> inTime, List<Buyer> late) {
        List<Buyer> paid = new ArrayList<>(inTime);
        paid.addAll(late);
        Set<String> served =
                paid.stream().map(Buyer::name).collect(Collectors.toCollection(HashSet::new));
        return buyers.stream()
                .filter(buyer -> buyer.paying() != Paying.NEVER)
                .filter(buyer -> !served.contains(buyer.name()))
                .map(Buyer::again)
                .toList();
    }

    private static void require(String what, long told, long found) {
        if (found != told) {
            throw new IllegalStateException(
                    what + " must be as the buyers were told: told=" + told + ", found=" + found);
        }
    }
}
