package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.ReservationId;

import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A buyer with a key, who asks until answered, and then pays, cancels, extends, or does nothing,
 * each at any node; and who holds every answer against what is true.
 */
final class Buyer {

    /** How old a node's knowledge may be by which it refuses: three syncs, and those in vain. */
    private static final long STALE = 5 * SECOND;

    /** The latest moment of an answer, while the node runs. */
    private static final long LATEST =
            SimulatedNode.TIMEOUT.multipliedBy(21).dividedBy(20).plusMillis(1).toNanos();

    /** An answer that came, and what was so when it was asked for. */
    private record Told(
            Answer answer, SimulatedNode node, int losses, boolean wasHalted, long askedNanos) {

        Outcome outcome() {
            return answer.outcome();
        }
    }

    private final World world;
    private final Simulation simulation;
    private final SimulatedStore store;
    private final ReservationId id;
    private final int quantity;
    private int tries;

    Buyer(World world, Simulation simulation, ReservationId id, int quantity) {
        this.world = world;
        this.simulation = simulation;
        this.store = simulation.store();
        this.id = id;
        this.quantity = quantity;
        this.tries = 1 + world.random.nextInt(4);
    }

    void ask() {
        tries--;
        SimulatedNode node = simulation.cluster().any();
        int wish = world.oneIn(20) ? quantity + 1 : quantity;
        // Until this try is answered, nobody knows.
        boolean wasOpen = simulation.mayBeDone(id);
        world.scheduler.after(0, node, () -> {
            simulation.invariants().asked(id);
            answer(
                    node.spike().reserveAsync(id.buyer(), id.key(), wish),
                    node,
                    "reserve " + wish,
                    told -> {
                        // A refusal may be of the second of two tries, and the first come late.
                        if (!wasOpen && told.outcome() == Outcome.UNAVAILABLE) {
                            simulation.isNotDone(id);
                        }
                        reserved(told, wish);
                    });
        });
    }

    private void answer(
            CompletionStage<Answer> stage, SimulatedNode node, String what, Consumer<Told> then) {
        int losses = store.losses();
        boolean wasHalted = node.spike().haltReason().isPresent();
        boolean wasBackedUp = what.startsWith("reserve") && node.isBackedUp();
        long asked = world.now();
        long paused = node.pausedNanos();
        node.asked(1);
        BiConsumer<Answer, Throwable> told = (answer, failure) -> {
            node.asked(-1);
            if (node.isDead()) {
                return;
            }
            if (failure != null) {
                world.fail(what + " of " + id + " failed: " + failure);
                return;
            }
            world.note(node + ": " + what + " of " + id.buyer() + "/" + id.key() + ": "
                    + answer.outcome() + (answer.repeated() ? " before" : ""));
            simulation.answered(answer.outcome());
            if (world.now() - asked > LATEST + node.pausedNanos() - paused) {
                world.fail("an answer after " + (world.now() - asked) + " ns, of " + id);
            }
            if (wasHalted && answer.outcome() != Outcome.UNAVAILABLE) {
                world.fail(node + " had stopped selling, and answered " + answer);
            }
            boolean isNew = answer.outcome() == Outcome.RESERVED && !answer.repeated();
            if (wasBackedUp && isNew) {
                world.fail(node + " knew of too many orders that wait, and reserved " + id);
            }
            then.accept(new Told(answer, node, losses, wasHalted, asked));
        };
        stage.whenComplete(told);
    }

    private void reserved(Told told, int wish) {
        switch (told.outcome()) {
            case RESERVED -> {
                simulation.mayBeDone(id);
                requireKept(told, wish);
                world.at(world.below(8 * SECOND), this::settle);
                if (tries > 0 && world.oneIn(4)) {
                    world.at(world.below(SECOND), this::ask);
                }
            }
            case CONFIRMED, CANCELLED, EXPIRED -> {
                simulation.mayBeDone(id);
                requireKept(told, wish);
            }
            case MISMATCH -> {
                if (store.losses() == told.losses && !store.has(id, known -> true)) {
                    world.fail("told that there is another quantity, but there is none: " + id);
                }
            }
            case SOLD_OUT ->
                requireEver(
                        told,
                        levels -> levels.phase() == Levels.Phase.OPEN && levels.available() < wish);
            case ALL_RESERVED ->
                requireEver(told, levels -> levels.answerTo(wish) == Outcome.ALL_RESERVED);
            case NOT_OPEN -> requireEver(told, levels -> levels.answerTo(wish) == Outcome.NOT_OPEN);
            case CLOSED -> requireEver(told, levels -> levels.answerTo(wish) == Outcome.CLOSED);
            case UNKNOWN, UNAVAILABLE -> {
                if (tries > 0) {
                    world.at(world.below(SECOND), this::ask);
                }
            }
            case LIMIT_REACHED -> {
                if (simulation.sale().perBuyer() == 0) {
                    world.fail("a limit that there is not");
                }
                requireNew(told);
            }
            default -> world.fail("an answer that cannot be: " + told);
        }
    }

    /** A refusal was true lately, of a server that the node may have reached. */
    private void requireEver(Told told, Predicate<Levels> such) {
        requireNew(told);
        long since = told.askedNanos - STALE - told.node.pausedNanos();
        boolean was = store.servers().stream().anyMatch(one -> one.levels().wereEver(since, such));
        if (!was && store.lostNanos() < since) {
            world.fail("told " + told.outcome() + ", which was not so for long, to " + id);
        }
    }

    /** Who holds units for longer than a node may not know it is not refused them. */
    private void requireNew(Told told) {
        long since = told.askedNanos - STALE - told.node.pausedNanos();
        Progress known = store.find(id);
        if (known != null
                && store.lostNanos() < since
                && store.clockJumpedNanos() < since
                && store.server().nanosAt(known.reservedAt()) < since) {
            world.fail("told " + told.outcome() + ", but there is " + known);
        }
    }

    private void requireKept(Told told, int wish) {
        if (store.losses() == told.losses
                && !store.has(id, kept -> kept.reservation().quantity() == wish)) {
            world.fail("told " + told.outcome() + ", but there is " + store.find(id) + " of " + id);
        }
    }

    private void settle() {
        int wish = world.random.nextInt(10);
        SimulatedNode node = simulation.cluster().any();
        world.scheduler.after(0, node, () -> {
            if (wish < 6) {
                answer(node.spike().confirmAsync(id), node, "confirm", this::settled);
            } else if (wish < 8) {
                answer(node.spike().cancelAsync(id), node, "cancel", this::settled);
            } else if (wish < 9) {
                answer(node.spike().extendAsync(id), node, "extend", this::settled);
            }
        });
    }

    private void settled(Told told) {
        switch (told.outcome()) {
            case CONFIRMED, CANCELLED, EXPIRED -> {
                if (store.losses() == told.losses
                        && !store.has(id, kept -> kept.reservation().state() == told.outcome())) {
                    world.fail("told " + told.outcome() + ", but it is " + store.find(id));
                }
                // Perhaps once more, elsewhere: what is final stays.
                if (world.oneIn(4)) {
                    world.at(world.below(SECOND), this::settle);
                }
            }
            case NOT_FOUND -> {
                if (store.losses() == 0) {
                    world.fail("not found, though it was reserved: " + id);
                }
            }
            case UNKNOWN, UNAVAILABLE -> {
                if (world.oneIn(2)) {
                    world.at(world.below(SECOND), this::settle);
                }
            }
            case RESERVED, LIMIT_REACHED -> world.at(world.below(SECOND), this::settle);
            default -> world.fail("an answer that cannot be: " + told);
        }
    }
}
