package dev.spike.bench.fault;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * A sale, with all its nodes, buyers and faults, in virtual time, on one thread: the same seed
 * gives the same run. After every step the stock must balance, and every answer must be true; in
 * the end all faults are healed, all holds end, and what is left must sell to the last unit.
 */
final class Simulation {

    /** What is not as it must be. */
    static final class BrokenPromise extends RuntimeException {
        private static final long serialVersionUID = 1;

        BrokenPromise(String message) {
            super(message);
        }
    }

    /**
     * What a run came to.
     *
     * @param steps how many tasks ran
     * @param calls how many calls met what
     * @param answers how many answers buyers got
     * @param losses how often the store lost its last changes
     * @param deaths how many nodes died or stopped selling
     * @param trace a hash of all that happened
     */
    record Run(
            long steps,
            Map<Faults.Fate, Long> calls,
            Map<Outcome, Long> answers,
            int losses,
            int deaths,
            long trace) {}

    private static final String SALE = "simulated";
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final long RUSH = 20 * SECOND;
    private static final Duration HOLD = Duration.ofSeconds(5);

    /** After the last fault, until all calls, repeats and holds have ended. */
    private static final long CALM = 40 * SECOND;

    /** How old a node's knowledge may be by which it refuses: three syncs, and those in vain. */
    private static final long STALE = 5 * SECOND;

    private final Random random;
    private final Consumer<String> trace;
    private final Scheduler scheduler;
    private final SimulatedStore store;
    private final Faults faults;
    private final List<SimulatedNode> nodes = new ArrayList<>();
    private final int nodeCount;
    private final Sale sale;
    private final boolean mayLose;
    private final Map<Outcome, Long> answers = new EnumMap<>(Outcome.class);
    private final Invariants invariants;
    private final Set<ReservationId> mayBeDone = new HashSet<>();
    private int deaths;
    private int started;
    private long hash;
    private @Nullable String broken;

    Simulation(long seed, Consumer<String> trace) {
        this.random = new Random(seed);
        this.trace = trace;
        this.scheduler = new Scheduler(random);
        this.store = new SimulatedStore(scheduler, SALE);
        this.invariants = new Invariants(scheduler, store, this::fail);
        this.faults = new Faults(random.nextInt(5) * 0.1);
        this.nodeCount = 1 + random.nextInt(4);
        this.mayLose = random.nextInt(3) == 0;
        this.sale = Sale.of(SALE, 10 + random.nextInt(150))
                .withPerBuyer(random.nextInt(5))
                .withHold(HOLD)
                .withMaxHold(HOLD.multipliedBy(2));
    }

    /** Runs it; throws {@link BrokenPromise}. */
    Run run() {
        store.run(remote -> remote.open(sale));
        for (int i = 0; i < nodeCount; i++) {
            nodes.add(start());
        }
        plan();
        long steps = runUntil(RUSH);
        heal();
        steps += runUntil(RUSH + CALM);
        replaceHalted();
        steps += runUntil(RUSH + CALM + SECOND);
        steps += drain();
        return new Run(steps, faults.met(), answers, store.losses(), deaths, hash);
    }

    private SimulatedNode start() {
        return new SimulatedNode("node" + started++, nodeCount, scheduler, random, store, faults);
    }

    private long runUntil(long endNanos) {
        long steps = 0;
        while (scheduler.step(endNanos)) {
            steps++;
            check();
        }
        return steps;
    }

    private void note(String what) {
        String line = scheduler.nowNanos() / 1_000 + " µs " + what;
        hash = 31 * hash + line.hashCode();
        trace.accept(line);
    }

    private void at(long nanos, Runnable task) {
        scheduler.after(nanos, null, task);
    }

    private void plan() {
        int buyers = 50 + random.nextInt(300);
        for (int i = 0; i < buyers; i++) {
            // Some come with a second key.
            String buyer = "buyer" + random.nextInt(buyers);
            Buyer one = new Buyer(new ReservationId(buyer, "key" + i), 1 + random.nextInt(3));
            at(random.nextLong(RUSH), one::ask);
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            at(random.nextLong(RUSH), this::storeFails);
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            at(random.nextLong(RUSH), this::nodeDies);
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            at(random.nextLong(RUSH), this::nodePauses);
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            at(random.nextLong(RUSH), this::nodeIsCutOff);
        }
        for (int i = random.nextInt(3); i > 0; i--) {
            RemoteSpike.Operation operation =
                    new RemoteSpike.Operation("op" + i, random.nextBoolean() ? 20 : -20);
            at(random.nextLong(RUSH), () -> {
                RemoteSpike.Restock done = store.run(remote -> remote.restock(operation));
                note("restock by " + done.applied());
            });
        }
    }

    private void storeFails() {
        long nanos = random.nextLong(3 * SECOND);
        store.downFor(nanos);
        int lost = mayLose && random.nextBoolean() ? store.lose(1 + random.nextInt(20)) : 0;
        note("store down for " + nanos + " ns, loses " + lost);
    }

    private void nodeDies() {
        int which = random.nextInt(nodes.size());
        note(nodes.get(which) + " dies");
        replace(which);
    }

    private void replace(int which) {
        nodes.get(which).die();
        deaths++;
        nodes.set(which, start());
    }

    private void nodePauses() {
        SimulatedNode node = nodes.get(random.nextInt(nodes.size()));
        long nanos = random.nextLong(4 * SECOND);
        node.pauseFor(nanos);
        note(node + " pauses for " + nanos + " ns");
    }

    private void nodeIsCutOff() {
        SimulatedNode node = nodes.get(random.nextInt(nodes.size()));
        long nanos = random.nextLong(12 * SECOND);
        node.cutOffFor(nanos);
        note(node + " is cut off for " + nanos + " ns");
    }

    private void heal() {
        note("heal");
        faults.heal();
        store.up();
        nodes.forEach(SimulatedNode::goOn);
        replaceHalted();
    }

    /** As an operator does with nodes that say that the store lost changes. */
    private void replaceHalted() {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).spike().haltReason().isPresent()) {
                replace(i);
            }
        }
    }

    /** A buyer with a key, who asks until answered, and then pays, cancels, or does nothing. */
    private final class Buyer {
        private final ReservationId id;
        private final int quantity;
        private int tries = 1 + random.nextInt(4);

        Buyer(ReservationId id, int quantity) {
            this.id = id;
            this.quantity = quantity;
        }

        void ask() {
            tries--;
            SimulatedNode node = nodes.get(random.nextInt(nodes.size()));
            // Until this try is answered, nobody knows.
            boolean wasOpen = !mayBeDone.add(id);
            scheduler.after(0, node, () -> {
                int losses = store.losses();
                invariants.asked(id);
                answer(
                        node.spike().reserveAsync(id.buyer(), id.key(), quantity),
                        node,
                        "reserve " + quantity,
                        answer -> {
                            // A refusal may be of the second of two tries, and the first come late.
                            if (!wasOpen && answer.outcome() == Outcome.UNAVAILABLE) {
                                mayBeDone.remove(id);
                            }
                            reserved(answer, node, losses);
                        });
            });
        }

        private void answer(
                CompletionStage<Answer> stage,
                SimulatedNode node,
                String what,
                Consumer<Answer> then) {
            stage.whenComplete((answer, failure) -> {
                if (node.isDead()) {
                    return;
                }
                if (failure != null) {
                    fail(what + " of " + id + " failed: " + failure);
                    return;
                }
                note(node + ": " + what + " of " + id.buyer() + "/" + id.key() + ": "
                        + answer.outcome() + (answer.repeated() ? " before" : ""));
                answers.merge(answer.outcome(), 1L, Long::sum);
                then.accept(answer);
            });
        }

        private void reserved(Answer answer, SimulatedNode node, int losses) {
            switch (answer.outcome()) {
                case RESERVED -> {
                    mayBeDone.add(id);
                    requireKept(answer, losses);
                    at(random.nextLong(8 * SECOND), this::settle);
                    if (tries > 0 && random.nextInt(4) == 0) {
                        at(random.nextLong(SECOND), this::ask);
                    }
                }
                case CONFIRMED, CANCELLED, EXPIRED -> {
                    mayBeDone.add(id);
                    requireKept(answer, losses);
                }
                case SOLD_OUT, ALL_RESERVED -> {
                    long since = scheduler.nowNanos() - STALE - node.pausedNanos();
                    if (invariants.leastAvailable(since) >= quantity) {
                        fail("told " + answer.outcome() + " while at least "
                                + invariants.leastAvailable(since) + " were available, to " + id);
                    }
                }
                case UNKNOWN, UNAVAILABLE -> {
                    if (tries > 0) {
                        at(random.nextLong(SECOND), this::ask);
                    }
                }
                case LIMIT_REACHED -> {
                    if (sale.perBuyer() == 0) {
                        fail("a limit that there is not");
                    }
                }
                default -> fail("an answer that cannot be: " + answer);
            }
        }

        private void requireKept(Answer answer, int losses) {
            if (store.losses() != losses) {
                return;
            }
            Progress kept = store.stock().find(id);
            if (kept == null || kept.reservation().quantity() != quantity) {
                fail("told " + answer.outcome() + ", but there is " + kept + " of " + id);
            }
        }

        private void settle() {
            int wish = random.nextInt(10);
            SimulatedNode node = nodes.get(random.nextInt(nodes.size()));
            scheduler.after(0, node, () -> {
                int losses = store.losses();
                if (wish < 6) {
                    answer(
                            node.spike().confirmAsync(id),
                            node,
                            "confirm",
                            done -> settled(done, losses));
                } else if (wish < 8) {
                    answer(
                            node.spike().cancelAsync(id),
                            node,
                            "cancel",
                            done -> settled(done, losses));
                } else if (wish < 9) {
                    answer(
                            node.spike().extendAsync(id),
                            node,
                            "extend",
                            done -> settled(done, losses));
                }
            });
        }

        private void settled(Answer done, int losses) {
            switch (done.outcome()) {
                case CONFIRMED, CANCELLED, EXPIRED -> {
                    Progress kept = store.stock().find(id);
                    if (store.losses() == losses
                            && (kept == null || kept.reservation().state() != done.outcome())) {
                        fail("told " + done.outcome() + ", but it is " + kept);
                    }
                }
                case NOT_FOUND -> {
                    if (store.losses() == 0) {
                        fail("not found, though it was reserved: " + id);
                    }
                }
                case UNKNOWN, UNAVAILABLE -> {
                    if (random.nextBoolean()) {
                        at(random.nextLong(SECOND), this::settle);
                    }
                }
                case RESERVED, LIMIT_REACHED -> at(random.nextLong(SECOND), this::settle);
                default -> fail("an answer that cannot be: " + done);
            }
        }
    }

    private void fail(String what) {
        if (broken == null) {
            broken = scheduler.nowNanos() / 1_000 + " µs: " + what;
        }
    }

    private void check() {
        invariants.check(nodes);
        if (broken != null) {
            throw new BrokenPromise(broken);
        }
    }

    /** Sells what is left, one after the other, and demands that it is all. */
    private long drain() {
        long steps = 0;
        for (Progress progress : store.stock().reservations(null).reservations()) {
            ReservationId id = progress.reservation().id();
            if (progress.reservation().state() == Outcome.RESERVED) {
                fail("a hold did not end: " + progress);
            }
            if (!mayBeDone.contains(id)) {
                fail("told that nothing was done, but there is " + progress);
            }
        }
        long left = store.stock().levels().available();
        long drained = 0;
        boolean more = true;
        for (int i = 0; more; i++) {
            List<Answer> got = new ArrayList<>();
            ReservationId id = new ReservationId("last" + i, "key");
            invariants.asked(id);
            SimulatedNode node = nodes.get(i % nodes.size());
            scheduler.after(0, node, () -> sellTo(id, node, got));
            steps += runUntil(scheduler.nowNanos() + SECOND / 10);
            more = got.size() == 1 && got.get(0).outcome() == Outcome.RESERVED;
            drained += more ? 1 : 0;
            if (!more && drained != left) {
                fail("drained " + drained + " of " + left + ", then " + got);
            }
        }
        note("drained " + drained);
        check();
        return steps;
    }

    /** And confirms, so that it does not come back. */
    private static void sellTo(ReservationId id, SimulatedNode node, List<Answer> got) {
        node.spike().reserveAsync(id.buyer(), id.key(), 1).thenAccept(answer -> {
            got.add(answer);
            if (answer.outcome() == Outcome.RESERVED) {
                node.spike().confirmAsync(id);
            }
        });
    }
}
