package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A sale, with all its nodes, relays, buyers and faults, in virtual time: the same seed gives the
 * same run. After every step the stock must balance, and every answer must be true; in the end all
 * faults are healed, all holds end, what is left must sell to the last unit, and each reservation
 * must have its order.
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
     * @param happened what befell it, and how often
     * @param ended how many nodes ended
     * @param trace a hash of all that happened
     */
    record Run(
            long steps,
            Map<Faults.Fate, Long> calls,
            Map<Outcome, Long> answers,
            Map<Happening, Long> happened,
            int ended,
            long trace) {}

    private static final long RUSH = 20 * SECOND;
    private static final Duration HOLD = Duration.ofSeconds(5);

    /** After the last fault, until all calls, repeats and holds have ended. */
    private static final long CALM = 25 * SECOND;

    private final World world;
    private final SimulatedStore store;
    private final SimulatedBook book;
    private final Faults faults;
    private final Asked asked;
    private final Cluster cluster;
    private final Invariants invariants;
    private final AnswerInvariants ofAnswers;
    private final Operator operator;
    private final Incidents incidents;
    private final Sale sale;
    private final Map<Outcome, Long> answers = new EnumMap<>(Outcome.class);
    private final Set<ReservationId> mayBeDone = new HashSet<>();
    private long steps;

    Simulation(long seed, Consumer<String> trace) {
        this.world = new World(seed, trace);
        this.store = new SimulatedStore(world.scheduler, World.SALE);
        this.book = new SimulatedBook(world);
        this.faults = new Faults(world.random.nextInt(5) * 0.1);
        this.sale = drawSale();
        this.asked = new Asked(world);
        this.cluster = new Cluster(world, store, book, faults, asked);
        this.invariants = new Invariants(world, store, book, cluster, asked);
        this.ofAnswers = new AnswerInvariants(world, store, sale);
        this.operator = new Operator(world, cluster, store, sale);
        this.incidents = new Incidents(world, store, book, cluster, operator);
    }

    private Sale drawSale() {
        Instant start = store.server().now();
        Instant opens = world.oneIn(4) ? start.plusMillis(world.below(8_000)) : null;
        Instant closes = world.oneIn(5) ? start.plusMillis(10_000 + world.below(10_000)) : null;
        return Sale.of(World.SALE, 10 + world.random.nextInt(150))
                .withPerBuyer(world.random.nextInt(5))
                .withHold(HOLD)
                .withMaxHold(HOLD.multipliedBy(2))
                .withOpening(opens, closes);
    }

    SimulatedStore store() {
        return store;
    }

    Cluster cluster() {
        return cluster;
    }

    AnswerInvariants answers() {
        return ofAnswers;
    }

    Asked asked() {
        return asked;
    }

    Sale sale() {
        return sale;
    }

    /** Somebody asks, or was told that there is a reservation; whether that was so before. */
    boolean mayBeDone(ReservationId id) {
        return !mayBeDone.add(id);
    }

    /** Who asked was told that nothing was done. */
    void isNotDone(ReservationId id) {
        mayBeDone.remove(id);
    }

    void answered(Outcome outcome) {
        answers.merge(outcome, 1L, Long::sum);
    }

    /** Runs it; throws {@link BrokenPromise}. */
    Run run() {
        try {
            sellAndDrain();
            return new Run(
                    steps, faults.met(), answers, world.happened(), cluster.ended(), world.hash());
        } finally {
            world.scheduler.close();
        }
    }

    private void sellAndDrain() {
        store.server().run(stock -> stock.open(sale), opening -> false);
        noteHours();
        int buyers = 50 + world.random.nextInt(300);
        for (int i = 0; i < buyers; i++) {
            // Some come with a second key.
            ReservationId id = new ReservationId("buyer" + world.random.nextInt(buyers), "key" + i);
            // Some without a key, and of these some without a name.
            Buyer one = world.oneIn(5)
                    ? Buyer.withoutKey(world, this, world.oneIn(2) ? id.buyer() : "")
                    : new Buyer(world, this, id, 1 + world.random.nextInt(3));
            world.at(world.below(RUSH), one::ask);
        }
        if (cluster.mostBacklog() < Integer.MAX_VALUE) {
            book.beFrank();
        }
        incidents.planAll(RUSH);
        runUntil(RUSH);
        faults.heal();
        incidents.heal();
        runUntil(RUSH + CALM);
        cluster.replaceHalted();
        operator.reopen();
        // So that something is sold, and each relay that stands still sees that the book is there.
        operator.raise();
        runUntil(world.now() + 5 * SECOND);
        drain();
        new LastLook(world, this, book, operator).look(nanos -> runUntil(world.now() + nanos));
    }

    private void noteHours() {
        if (sale.opensAt() != null) {
            world.happened(Happening.OPENED_LATER, String.valueOf(sale.opensAt()));
        }
        if (sale.closesAt() != null) {
            world.happened(Happening.CLOSED_BY_TIME, String.valueOf(sale.closesAt()));
        }
    }

    private void runUntil(long nanos) {
        steps += world.scheduler.run(nanos, this::check);
    }

    private void check() {
        invariants.check();
        world.throwIfBroken();
        cluster.noticeDead();
    }

    /** Sells what is left, one after the other, and demands that it is all. */
    private void drain() {
        for (Progress progress : store.server().stock().reservations(null).reservations()) {
            ReservationId id = progress.reservation().id();
            if (progress.reservation().state() == Outcome.RESERVED) {
                world.fail("a hold did not end: " + progress);
            }
            // Of two calls, one may run too late, and the other when the clock went back.
            if (!mayBeDone.contains(id)
                    && !Asked.isWithoutKey(id)
                    && !world.happened().containsKey(Happening.CLOCK_BACK)) {
                world.fail("told that nothing was done, but there is " + progress);
            }
        }
        long left = store.server().stock().levels().available();
        long drained = 0;
        boolean more = true;
        for (int i = 0; more; i++) {
            List<Answer> got = new ArrayList<>();
            ReservationId id = new ReservationId("last" + i, "key");
            asked.reserve(id);
            SimulatedNode node = cluster.nodes().get(i % cluster.nodes().size());
            world.scheduler.after(0, node, () -> sellTo(id, node, got));
            runUntil(world.now() + SECOND / 10);
            more = got.size() == 1 && got.get(0).outcome() == Outcome.RESERVED;
            drained += more ? 1 : 0;
            if (!more && isBackedUp(got)) {
                // The relays are behind; they catch up.
                runUntil(world.now() + SECOND);
                more = true;
            } else if (!more && drained != left) {
                world.fail("drained " + drained + " of " + left + ", then " + got);
            }
        }
        world.note("drained " + drained);
        check();
    }

    private boolean isBackedUp(List<Answer> got) {
        return got.size() == 1
                && got.get(0).outcome() == Outcome.UNAVAILABLE
                && cluster.mostBacklog() < Integer.MAX_VALUE
                && world.now() < 300 * SECOND;
    }

    /** And confirms, so that it does not come back. */
    private void sellTo(ReservationId id, SimulatedNode node, List<Answer> got) {
        node.spike().reserveAsync(id.buyer(), id.key(), 1).thenAccept(answer -> {
            got.add(answer);
            if (answer.outcome() == Outcome.RESERVED) {
                asked.settle(id, Outcome.CONFIRMED);
                node.spike().confirmAsync(id);
            }
        });
    }
}
