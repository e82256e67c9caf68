package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import java.time.Duration;

/** The faults of a run, drawn at its start, each at a time of its own. */
final class Incidents {

    private static final long HOUR_MILLIS = Duration.ofHours(1).toMillis();

    private final World world;
    private final SimulatedStore store;
    private final SimulatedBook book;
    private final Cluster cluster;
    private final Operator operator;
    private final boolean mayLose;
    private boolean isEmptied;
    private boolean isHealed;

    Incidents(
            World world,
            SimulatedStore store,
            SimulatedBook book,
            Cluster cluster,
            Operator operator) {
        this.world = world;
        this.store = store;
        this.book = book;
        this.cluster = cluster;
        this.operator = operator;
        this.mayLose = world.oneIn(3);
    }

    private void plan(int most, long within, Runnable incident) {
        for (int i = world.random.nextInt(most + 1); i > 0; i--) {
            world.at(world.below(within), () -> {
                if (!isHealed) {
                    incident.run();
                }
            });
        }
    }

    void planAll(long within) {
        plan(2, within, this::storeIsAway);
        plan(1, within, this::storeIsSlow);
        plan(3, within, this::nodeDies);
        plan(3, within, this::nodePauses);
        plan(3, within, this::nodeIsCutOff);
        plan(1, within, () -> cluster.close(cluster.any()));
        plan(2, within, this::bookIsAway);
        plan(1, within, this::bookIsSlow);
        plan(2, within, operator::restock);
        if (world.oneIn(5)) {
            plan(2, within, this::clockJumps);
        }
        if (world.oneIn(4)) {
            plan(1, within, this::closes);
        }
        if (mayLose && world.oneIn(2)) {
            plan(1, within, this::failsOver);
        }
        if (mayLose && world.oneIn(2)) {
            // Soon: what comes in its place may then have made more changes than there were.
            plan(1, within / 2, this::storeIsEmptied);
        }
    }

    /** Ends what lasts, and sees to it that the sale is there, open, and has its nodes. */
    void heal() {
        world.note("heal");
        isHealed = true;
        store.servers().forEach(Server::heal);
        store.catchUpClock();
        book.heal();
        cluster.nodes().forEach(SimulatedNode::goOn);
        cluster.replaceDead();
        cluster.replaceHalted();
        operator.open();
    }

    private void storeIsAway() {
        long nanos = world.below(3 * SECOND);
        store.server().downFor(nanos);
        world.happened(Happening.STORE_AWAY, "for " + nanos + " ns");
        if (mayLose && world.oneIn(2)) {
            int lost = store.lose(1 + world.random.nextInt(20));
            if (lost > 0) {
                world.happened(Happening.STORE_LOST_CHANGES, "the last " + lost);
            }
        }
    }

    private void storeIsSlow() {
        long nanos = world.below(5 * SECOND);
        store.server().slowFor(nanos);
        world.happened(Happening.STORE_SLOW, "for " + nanos + " ns");
    }

    private void failsOver() {
        if (store.servers().size() > 1 || isEmptied) {
            return;
        }
        int behind = world.random.nextInt(20);
        long split = 1 + world.below(4 * SECOND);
        store.failOver(behind, split, cluster.nodes(), world.random);
        world.happened(Happening.STORE_FAILED_OVER, behind + " changes behind, split for " + split);
    }

    private void storeIsEmptied() {
        if (store.servers().size() > 1 || isEmptied) {
            return;
        }
        isEmptied = true;
        store.loseAll();
        store.server().downFor(world.below(SECOND));
        world.happened(Happening.STORE_EMPTIED, "");
        if (!world.oneIn(4)) {
            world.at(world.below(3 * SECOND), () -> {
                world.happened(Happening.STORE_OPENED_ANEW, "");
                operator.open();
            });
        }
    }

    private void clockJumps() {
        Duration ahead = Duration.ofMillis(world.random.nextLong(-HOUR_MILLIS, HOUR_MILLIS + 1));
        world.happened(
                ahead.compareTo(store.ahead()) > 0 ? Happening.CLOCK_FORWARD : Happening.CLOCK_BACK,
                "to " + ahead);
        store.setClock(ahead);
    }

    private void closes() {
        operator.close();
        world.at(world.below(5 * SECOND), operator::reopen);
    }

    private void nodeDies() {
        SimulatedNode node = cluster.any();
        world.happened(Happening.NODE_DIED, node.toString());
        node.die();
    }

    private void nodePauses() {
        SimulatedNode node = cluster.any();
        long nanos = world.below(4 * SECOND);
        node.pauseFor(nanos);
        world.happened(Happening.NODE_PAUSED, node + " for " + nanos + " ns");
    }

    private void nodeIsCutOff() {
        SimulatedNode node = cluster.any();
        long nanos = world.below(12 * SECOND);
        node.cutOffFor(nanos);
        world.happened(Happening.NODE_CUT_OFF, node + " for " + nanos + " ns");
    }

    private void bookIsAway() {
        long nanos = world.below(15 * SECOND);
        book.awayFor(nanos);
        world.happened(Happening.BOOK_AWAY, "for " + nanos + " ns");
    }

    private void bookIsSlow() {
        long nanos = world.below(5 * SECOND);
        book.slowFor(nanos);
        world.happened(Happening.BOOK_SLOW, "for " + nanos + " ns");
    }
}
