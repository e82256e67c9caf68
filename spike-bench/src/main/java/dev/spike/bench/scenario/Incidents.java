package dev.spike.bench.scenario;

import dev.spike.bench.rig.Wait;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/**
 * What befalls the nodes while the crowd is buying: each time that a certain share of the units has
 * been reserved, the busiest node is killed, or one more is started, which then gets the most
 * traffic. On a thread of its own.
 */
final class Incidents implements AutoCloseable {

    static final int KILLED = 3;
    static final int ADDED = 2;

    /**
     * What happened.
     *
     * @param atMillis of the epoch, by the store's clock
     * @param what in words
     */
    record Incident(long atMillis, String what) {}

    private final Crowd crowd;
    private final int units;
    private final Function<String, Node> starter;
    private final List<Incident> happened = new ArrayList<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    /** @param starter starts a node of this name */
    Incidents(Crowd crowd, int units, Function<String, Node> starter) {
        this.crowd = crowd;
        this.units = units;
        this.starter = starter;
    }

    /** Begins to watch the sale; answers all that will have happened. */
    Future<List<Incident>> start() {
        return thread.submit(() -> {
            at(0.15, this::kill);
            at(0.25, () -> add("added-1"));
            at(0.35, this::kill);
            at(0.50, () -> add("added-2"));
            at(0.60, this::kill);
            return List.copyOf(happened);
        });
    }

    private void at(double share, Runnable incident) {
        Wait.until(
                share + " of the units are reserved", () -> crowd.reserved.sum() >= share * units);
        incident.run();
    }

    private void kill() {
        Wait.until("a node has requests under way", () -> busiest().isPresent());
        Node node = busiest().orElseGet(() -> crowd.traffic().nodes().get(0));
        int underWay = node.underWay();
        node.kill();
        crowd.redirect(crowd.traffic().without(node));
        tell("killed " + node + " with " + underWay + " requests under way");
    }

    private Optional<Node> busiest() {
        return crowd.traffic().nodes().stream()
                .filter(node -> node.underWay() > 0)
                .max(Comparator.comparingInt(Node::underWay));
    }

    private void add(String name) {
        Node node = starter.apply(name);
        crowd.redirect(crowd.traffic().with(node));
        tell("started " + node);
    }

    private void tell(String what) {
        happened.add(new Incident(crowd.clock.millis(), what));
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
