package dev.spike.bench.fault;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What must be true of the stores, the nodes and the book after every step. */
final class Invariants {

    private final World world;
    private final SimulatedStore store;
    private final SimulatedBook book;
    private final Cluster cluster;
    private final Asked asked;
    private final Map<Server, ServerInvariants> ofServers = new HashMap<>();
    private long mostTotal;

    Invariants(
            World world, SimulatedStore store, SimulatedBook book, Cluster cluster, Asked asked) {
        this.world = world;
        this.store = store;
        this.book = book;
        this.cluster = cluster;
        this.asked = asked;
    }

    void check() {
        for (SimulatedNode node : cluster.nodes()) {
            check(node);
        }
        List<Server> servers = store.servers();
        for (Server server : servers) {
            ServerInvariants known = ofServers.get(server);
            if (known == null || !known.areCurrent()) {
                known = new ServerInvariants(world, store, book, server, asked);
                ofServers.put(server, known);
            }
            known.check(cluster.mostBacklog());
            mostTotal = Math.max(mostTotal, server.stock().levels().total());
        }
        if (book.units() > mostTotal) {
            world.fail("orders of " + book.units() + " units, and never more than " + mostTotal);
        }
    }

    private void check(SimulatedNode node) {
        if (node.isDead()) {
            return;
        }
        boolean isHalted = node.spike().haltReason().isPresent();
        if (isHalted != node.wasToldOfALoss()) {
            world.fail(node
                    + (isHalted
                            ? " stopped selling: " + node.spike().haltReason().get()
                            : " sells on, though the store lost changes"));
        }
        if (!node.hasNotForgotten()) {
            world.fail(node + " went back to older levels");
        }
    }
}
