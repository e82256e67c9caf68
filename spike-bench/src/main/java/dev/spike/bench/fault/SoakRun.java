package dev.spike.bench.fault;

import com.fasterxml.jackson.databind.JsonNode;

import dev.spike.bench.fault.Judge.Evidence;
import dev.spike.bench.fault.Judge.Standstill;
import dev.spike.bench.fault.Judge.Verdict;
import dev.spike.bench.fault.Told.Verb;
import dev.spike.bench.rig.Wait;
import dev.spike.core.OrderBook.Order;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * One sale on real processes, with buyers and faults for a while. Then everything is healed, what
 * is left is sold, and a {@link Judge} looks at all of it.
 */
final class SoakRun implements AutoCloseable {

    static final Sale SALE = Sale.of("soak", 60).withPerBuyer(4);

    private static final int DRAIN_TRIES = 3_000;

    /**
     * What came of it.
     *
     * @param counts of what happened, in words
     * @param broken what is not as it was promised, in words
     */
    record Outcomes(Map<String, Long> counts, List<String> broken) {}

    private final Installation site;
    private final Sale sale;
    private final int perSecond;
    private final Consumer<String> tell;
    private final History history;
    private final Asker asker;
    private final Witness witness;
    private final Shoppers shoppers;
    private final List<String> broken = new ArrayList<>();
    private final List<Standstill> standstills = new ArrayList<>();
    private final Map<Incident, Long> incidents = new EnumMap<>(Incident.class);

    /**
     * Starts everything. Blocks.
     *
     * @param folder for logs, files and the history
     * @param hold of the sale
     * @param perSecond buyers that come
     * @param tell told what happens, as it happens
     */
    SoakRun(Path folder, int nodes, Duration hold, int perSecond, Consumer<String> tell)
            throws IOException {
        this.perSecond = perSecond;
        this.tell = tell;
        sale = SALE.withHold(hold);
        history = new History(folder.resolve("history.jsonl"));
        site = Installation.start(folder, sale);
        try {
            asker = new Asker(site, sale.id(), history);
            witness = new Witness(site, sale);
            site.startNodes(nodes);
            shoppers = new Shoppers(asker, nodes, sale);
        } catch (RuntimeException failure) {
            site.close();
            throw failure;
        }
    }

    /** Does these faults to it, while buyers come, and judges. Blocks. */
    Outcomes run(Iterator<Plan.Step> plan) throws SQLException {
        shoppers.start(perSecond);
        plan.forEachRemaining(this::happen);
        try {
            tell.accept("all is well; everybody finishes");
            shoppers.finish();
            drain();
            awaitOrders();
        } catch (IllegalStateException stuck) {
            broken.add("it does not come to its end: " + stuck.getMessage());
        }
        shoppers.failures().forEach(failure -> broken.add("the load failed: " + failure));
        checkNodes();
        Verdict verdict = Judge.judge(new Evidence(
                history.told(),
                witness.changes(),
                witness.reservations(),
                orders(),
                standstills,
                witness.now().total(),
                sale.perBuyer()));
        broken.addAll(witness.unbalanced());
        broken.addAll(verdict.broken());
        return new Outcomes(counts(verdict), List.copyOf(broken));
    }

    private void happen(Plan.Step step) {
        sleep(step.wellMillis());
        history.note(step.toString());
        tell.accept(step.toString());
        long from = System.currentTimeMillis();
        List<Runnable> healing = new ArrayList<>();
        List<Incident> order = step.incidents().stream()
                .sorted(Comparator.comparing(incident -> incident.where))
                .toList();
        order.forEach(incident -> healing.add(incident.begin(site, step.node())));
        sleep(step.millis());
        healing.forEach(Runnable::run);
        if (order.stream().anyMatch(Incident::stopsTheStore)) {
            standstills.add(new Standstill(from, System.currentTimeMillis()));
        }
        order.forEach(incident -> incidents.merge(incident, 1L, Long::sum));
        history.note("healed");
    }

    /** Sells what is left, to buyers that did not come before, as far as the total. */
    private void drain() {
        long total = witness.now().total();
        tell.accept("selling the rest of " + total + " units");
        for (int tries = 0; tries < DRAIN_TRIES; tries++) {
            Witness.Sample levels = witness.now();
            if (levels.available() == 0 && levels.reserved() == 0) {
                break;
            } else if (levels.available() == 0) {
                sleep(20);
                continue;
            }
            int node = tries % site.nodes();
            int quantity = (int) Math.min(levels.available(), sale.perBuyer());
            ReservationId id = new ReservationId("last-" + tries, "last-key-" + tries);
            Told told = asker.ask(Verb.RESERVE, node, id, quantity).join();
            if (told.outcome() == Outcome.RESERVED) {
                asker.ask(Verb.CONFIRM, (node + 1) % site.nodes(), id, quantity).join();
            } else {
                sleep(20);
            }
        }
        Witness.Sample last = witness.now();
        if (last.sold() != total || last.total() != total) {
            broken.add("the rest cannot be sold: " + last);
        }
    }

    private void awaitOrders() {
        tell.accept("waiting for the orders");
        Wait.until("all orders are written", () -> {
            JsonNode lag = asker.look(0, "/orders");
            return lag != null && lag.path("backlog").asLong(-1) == 0;
        });
    }

    /**
     * Each node is ready, finds no difference, has put nothing aside, and never stopped selling.
     */
    private void checkNodes() {
        for (int node = 0; node < site.nodes(); node++) {
            String ready = asker.readiness(node);
            JsonNode audit = asker.look(node, "/audit");
            JsonNode lag = asker.look(node, "/orders");
            if (!ready.equals("ok")) {
                broken.add("node " + node + " is not ready: " + ready);
            }
            if (audit == null || !audit.path("balanced").asBoolean(false)) {
                broken.add("node " + node + " audits " + audit);
            }
            if (lag == null || lag.path("deadLetters").asLong(-1) != 0) {
                broken.add("node " + node + " has dead letters: " + lag);
            }
        }
        site.logsOfNodes()
                .forEach((name, log) -> log.lines()
                        .filter(line -> line.contains("stopped selling"))
                        .forEach(line -> broken.add(name + " says: " + line)));
    }

    private List<Order> orders() throws SQLException {
        List<Order> orders = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(site.postgres().url());
                PreparedStatement select = connection.prepareStatement(
                        "select id, quantity, status from orders where sale = ?")) {
            select.setString(1, sale.id());
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    orders.add(new Order(
                            ReservationId.parse(row.getString(1)),
                            row.getInt(2),
                            Outcome.valueOf(row.getString(3).toUpperCase(Locale.ROOT))));
                }
            }
        }
        return orders;
    }

    private Map<String, Long> counts(Verdict verdict) {
        Map<String, Long> counts = new TreeMap<>();
        for (Told told : history.told()) {
            counts.merge(
                    "told " + told.verb() + " " + (told.status() == 0 ? "nothing" : told.outcome()),
                    1L,
                    Long::sum);
        }
        incidents.forEach((incident, count) -> counts.put("fault " + incident, count));
        verdict.checks().forEach((check, count) -> counts.put("checked " + check, count));
        witness.changes().stream()
                .flatMap(change -> change.entry().events().stream())
                .forEach(event -> counts.merge("reservation " + event.state(), 1L, Long::sum));
        counts.put("checked levels balance", witness.samples());
        counts.put("units sold", witness.now().sold());
        return counts;
    }

    private static void sleep(long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void close() throws IOException {
        shoppers.close();
        witness.close();
        site.close();
        history.close();
    }
}
