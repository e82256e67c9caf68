package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import dev.spike.core.RemoteSpike.Restock;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.Sale;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Who opens, closes, reopens and restocks the sale, at any node, and repeats what got no answer.
 */
final class Operator {

    private static final long AGAIN = 2 * SECOND;

    private final World world;
    private final Cluster cluster;
    private final SimulatedStore store;
    private final Sale sale;
    private final Map<String, Long> applied = new HashMap<>();
    private int operations;

    Operator(World world, Cluster cluster, SimulatedStore store, Sale sale) {
        this.world = world;
        this.cluster = cluster;
        this.store = store;
        this.sale = sale;
    }

    /** Calls again and again until a node has had an answer. */
    private void insist(String what, Predicate<SimulatedNode> call) {
        boolean[] done = {false};
        insist(what, call, done);
    }

    private void insist(String what, Predicate<SimulatedNode> call, boolean[] done) {
        if (done[0]) {
            return;
        }
        SimulatedNode node = cluster.any();
        node.run(() -> {
            try {
                done[0] |= call.test(node);
            } catch (RemoteSpikeException noAnswer) {
                world.note(what + " got no answer: " + noAnswer.getMessage());
            }
        });
        world.at(AGAIN, () -> insist(what, call, done));
    }

    /** Opens the sale, if there is none. */
    void open() {
        insist("open", node -> {
            node.spike().open(sale);
            return true;
        });
    }

    void close() {
        insist("close", node -> {
            node.spike().closeSale();
            world.happened(Happening.CLOSED_BY_HAND, "at " + node);
            return true;
        });
    }

    void reopen() {
        insist("reopen", node -> {
            node.spike().reopenSale();
            world.happened(Happening.REOPENED, "at " + node);
            return true;
        });
    }

    /** Adds units. */
    void raise() {
        String id = "op" + operations++;
        insist("restock", node -> restock(id, 5, node));
    }

    /** Changes the total; perhaps twice under one id, at two nodes. */
    void restock() {
        String id = "op" + operations++;
        long delta = (1 + world.below(20)) * (world.oneIn(2) ? 1 : -1);
        insist("restock", node -> restock(id, delta, node));
        if (world.oneIn(3)) {
            world.at(
                    world.below(3 * SECOND),
                    () -> insist("restock", node -> restock(id, delta, node)));
        }
    }

    private boolean restock(String id, long delta, SimulatedNode node) {
        int losses = store.losses();
        Restock done = node.spike().restock(id, delta);
        switch (done.effect()) {
            case APPLIED ->
                world.happened(
                        delta > 0 ? Happening.RESTOCKED_UP : Happening.RESTOCKED_DOWN,
                        id + " by " + done.applied() + " of " + delta);
            case REPEATED -> world.happened(Happening.RESTOCK_REPEATED, id);
            case ABSENT -> {
                return false;
            }
            case OTHER_DELTA -> world.fail("another delta under " + id);
        }
        Long before = applied.put(id, done.applied());
        if (before != null && before != done.applied() && store.losses() == 0 && losses == 0) {
            world.fail(id + " applied " + before + ", and then " + done.applied());
        }
        return true;
    }

    /** By how much the total was changed, if nothing was lost. */
    long applied() {
        return applied.values().stream().mapToLong(units -> units).sum();
    }
}
