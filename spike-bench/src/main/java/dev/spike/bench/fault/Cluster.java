package dev.spike.bench.fault;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The nodes of a simulation: they die, close, and others come in their place. */
final class Cluster {

    private final World world;
    private final SimulatedStore store;
    private final SimulatedBook book;
    private final Faults faults;
    private final Asked asked;
    private final List<SimulatedNode> nodes = new ArrayList<>();
    private final Set<SimulatedNode> noticed = new HashSet<>();
    private final long mostBacklog;
    private final Duration takeOverAfter;
    private final int tries;
    private int started;
    private int ended;

    Cluster(World world, SimulatedStore store, SimulatedBook book, Faults faults, Asked asked) {
        this.world = world;
        this.store = store;
        this.book = book;
        this.faults = faults;
        this.asked = asked;
        this.mostBacklog = world.oneIn(3) ? 5 + world.random.nextInt(60) : Integer.MAX_VALUE;
        this.takeOverAfter = Duration.ofMillis(1_500 + world.random.nextInt(3_000));
        this.tries = 2 + world.random.nextInt(3);
        int count = 1 + world.random.nextInt(4);
        int relays = 1 + world.random.nextInt(Math.min(3, count));
        for (int i = 0; i < count; i++) {
            nodes.add(start(new SimulatedNode.Setup(
                    count,
                    mostBacklog,
                    i < relays ? "relay" + i : null,
                    takeOverAfter,
                    tries,
                    1 + world.random.nextInt(50))));
        }
    }

    private SimulatedNode start(SimulatedNode.Setup setup) {
        return new SimulatedNode("node" + started++, setup, world, store, book, faults, asked);
    }

    /** From how many order events on that wait no node may reserve. */
    long mostBacklog() {
        return mostBacklog;
    }

    List<SimulatedNode> nodes() {
        return nodes;
    }

    /** How many nodes have ended. */
    int ended() {
        return ended;
    }

    SimulatedNode any() {
        return nodes.get(world.random.nextInt(nodes.size()));
    }

    /** One starts in its place, with the same name of its relay or with a new one. */
    void replace(SimulatedNode node) {
        int which = nodes.indexOf(node);
        if (which >= 0) {
            node.die();
            ended++;
            SimulatedNode.Setup setup = node.setup();
            boolean isRenamed = setup.consumer() != null && world.oneIn(2);
            nodes.set(
                    which,
                    start(
                            isRenamed
                                    ? new SimulatedNode.Setup(
                                            setup.nodes(),
                                            setup.mostBacklog(),
                                            "relay-of-node" + started,
                                            setup.takeOverAfter(),
                                            setup.tries(),
                                            setup.batch())
                                    : setup));
        }
    }

    /** Sees to it that others come for those that died, after a while. */
    void noticeDead() {
        for (SimulatedNode node : nodes) {
            if (node.isDead() && noticed.add(node)) {
                world.at(world.below(3 * World.SECOND), () -> replace(node));
            }
        }
    }

    /** Replaces those that died. */
    void replaceDead() {
        List.copyOf(nodes).stream().filter(SimulatedNode::isDead).forEach(this::replace);
    }

    /** As an operator does with nodes that say that the store lost changes. */
    void replaceHalted() {
        for (SimulatedNode node : List.copyOf(nodes)) {
            if (node.spike().haltReason().isPresent()) {
                world.happened(
                        Happening.NODE_HALTED,
                        node + ": " + node.spike().haltReason().get());
                replace(node);
            }
        }
    }

    /** Closes a node, and has another one in its place at once. */
    void close(SimulatedNode node) {
        int which = nodes.indexOf(node);
        if (which >= 0 && !node.isDead()) {
            world.happened(Happening.NODE_CLOSED, node + " begins");
            node.close(() -> {
                if (node.unanswered() > 0) {
                    world.fail(node + " closed with " + node.unanswered() + " unanswered");
                }
                world.note(node + " is closed");
            });
        }
    }
}
