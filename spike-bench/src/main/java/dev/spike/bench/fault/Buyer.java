package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A buyer with a key, who asks until answered, and then pays, cancels, extends, or does nothing,
 * each at any node; and who holds every answer against what is true.
 */
final class Buyer {

    /** The latest moment of an answer, while the node runs. */
    private static final long LATEST =
            SimulatedNode.TIMEOUT.multipliedBy(21).dividedBy(20).plusMillis(1).toNanos();

    /** An answer that came, and what was so when it was asked for. */
    private record Told(
            Answer answer,
            SimulatedNode node,
            int losses,
            boolean wasHalted,
            long askedNanos,
            @Nullable Long knewSinceNanos) {

        Outcome outcome() {
            return answer.outcome();
        }

        /** From when on what it may be refused by was so. */
        long sinceNanos() {
            return knewSinceNanos == null ? askedNanos : knewSinceNanos;
        }
    }

    private final World world;
    private final Simulation simulation;
    private final SimulatedStore store;
    private final int quantity;
    private ReservationId id;
    private boolean hasKey = true;
    private int tries;
    private Instant deadline = Instant.EPOCH;
    private int lossesAtDeadline;

    Buyer(World world, Simulation simulation, ReservationId id, int quantity) {
        this.world = world;
        this.simulation = simulation;
        this.store = simulation.store();
        this.id = id;
        this.quantity = quantity;
        this.tries = 1 + world.random.nextInt(4);
    }

    /**
     * One whose key the node draws.
     *
     * @param name empty: none
     */
    static Buyer withoutKey(World world, Simulation simulation, String name) {
        ReservationId none = new ReservationId(name.isEmpty() ? "nobody" : name, "none");
        Buyer buyer = new Buyer(world, simulation, none, 1 + world.random.nextInt(3));
        buyer.hasKey = false;
        return buyer;
    }

    void ask() {
        tries--;
        SimulatedNode node = simulation.cluster().any();
        if (!hasKey) {
            world.scheduler.after(0, node, () -> askWithoutKey(node));
            return;
        }
        int wish = world.oneIn(20) ? quantity + 1 : quantity;
        // Until this try is answered, nobody knows.
        boolean wasOpen = simulation.mayBeDone(id);
        world.scheduler.after(0, node, () -> {
            simulation.asked().reserve(id);
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

    private void askWithoutKey(SimulatedNode node) {
        boolean isNamed = !id.buyer().equals("nobody");
        String buyer = isNamed ? id.buyer() : "";
        simulation.asked().reserveWithoutKey(buyer, quantity);
        answer(
                isNamed
                        ? node.spike().reserveAsync(buyer, quantity)
                        : node.spike().reserveAsync(quantity),
                node,
                "reserve without a key " + quantity,
                told -> {
                    if (told.outcome() == Outcome.UNAVAILABLE) {
                        simulation.asked().isNotReserved(buyer, quantity);
                    }
                    if (told.answer.repeated()) {
                        world.fail("a key that nobody knew was repeated: " + told);
                    }
                    ReservationId made = told.answer.id();
                    if (made != null) {
                        // From now on it has one, also if nobody knows whether it was used.
                        id = simulation.asked().named(made);
                        hasKey = true;
                        simulation.mayBeDone(id);
                    }
                    reserved(told, quantity);
                });
    }

    private void answer(
            CompletionStage<Answer> stage, SimulatedNode node, String what, Consumer<Told> then) {
        int losses = store.losses();
        boolean wasHalted = node.spike().haltReason().isPresent();
        boolean wasBackedUp = what.startsWith("reserve") && node.isBackedUp();
        Long knewSince = node.knowsSinceNanos();
        boolean[] isAtOnce = {true};
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
            Told full = new Told(answer, node, losses, wasHalted, asked, knewSince);
            if (isAtOnce[0] && knewSince == null && isRefusal(answer.outcome())) {
                world.fail(node + " refused by what was too old: " + full);
            }
            checkDeadline(full);
            then.accept(full);
        };
        stage.whenComplete(told);
        isAtOnce[0] = false;
    }

    private static boolean isRefusal(Outcome outcome) {
        return outcome == Outcome.SOLD_OUT
                || outcome == Outcome.ALL_RESERVED
                || outcome == Outcome.NOT_OPEN
                || outcome == Outcome.CLOSED;
    }

    /** A hold lives as long as was told. */
    private void checkDeadline(Told told) {
        Reservation reservation = told.answer.reservation();
        if (reservation != null && reservation.state() == Outcome.RESERVED) {
            Instant until = reservation.expiresAt();
            boolean isLater = lossesAtDeadline != told.losses || until.isAfter(deadline);
            deadline = isLater ? until : deadline;
            lossesAtDeadline = told.losses;
        } else if (told.outcome() == Outcome.EXPIRED
                && lossesAtDeadline == store.losses()
                && store.latest().isBefore(deadline)) {
            world.fail("told EXPIRED before " + deadline + ": " + told);
        }
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
                if (store.losses() == told.losses
                        && !store.has(id, known -> known.reservation().quantity() != wish)) {
                    world.fail("told that there is another quantity than " + wish
                            + ", but there is " + store.find(id) + " of " + id);
                }
            }
            case SOLD_OUT ->
                requireEver(
                        told,
                        levels -> levels.phase() == Levels.Phase.OPEN
                                && levels.available() < wish
                                && !isAllReserved(levels));
            case ALL_RESERVED ->
                requireEver(
                        told,
                        levels -> levels.phase() == Levels.Phase.OPEN && isAllReserved(levels));
            case NOT_OPEN ->
                requireEver(
                        told,
                        levels -> levels.phase() == Levels.Phase.ABSENT
                                || levels.phase() == Levels.Phase.NOT_YET_OPEN);
            case CLOSED -> requireEver(told, levels -> levels.phase() == Levels.Phase.CLOSED);
            case UNKNOWN, UNAVAILABLE -> {
                if (tries > 0) {
                    world.at(world.below(SECOND), this::ask);
                }
            }
            case LIMIT_REACHED -> {
                requireLimit(told, wish);
                requireNew(told, told.askedNanos);
            }
            default -> world.fail("an answer that cannot be: " + told);
        }
    }

    /** No unit at all is available, while some are reserved. */
    private static boolean isAllReserved(Levels levels) {
        return levels.available() == 0 && levels.reserved() > 0;
    }

    /** Only the store says so, and the buyer had so much at some moment since it was asked. */
    private void requireLimit(Told told, int wish) {
        int limit = simulation.sale().perBuyer();
        boolean was = limit > 0
                && store.servers().stream()
                        .anyMatch(one -> one.unitsOf(id.buyer())
                                .wasEver(told.askedNanos, units -> units + wish > limit));
        if (!was && store.losses() == told.losses) {
            world.fail("told of a limit of " + limit + " that was not reached: " + id);
        }
    }

    /** A refusal was true lately, of a server that the node may have reached. */
    private void requireEver(Told told, Predicate<Levels> such) {
        long since = told.sinceNanos();
        requireNew(told, since);
        boolean was = store.servers().stream().anyMatch(one -> one.levels().wasEver(since, such));
        if (!was && store.lostNanos() < since) {
            world.fail("told " + told.outcome() + ", which was not so for long, to " + id);
        }
    }

    /** Who holds units for longer than a node may not know it is not refused them. */
    private void requireNew(Told told, long since) {
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
            if (wish < 5) {
                simulation.asked().settle(id, Outcome.CONFIRMED);
                settle(node.spike().confirmAsync(id), node, Outcome.CONFIRMED);
            } else if (wish < 7) {
                simulation.asked().settle(id, Outcome.CANCELLED);
                settle(node.spike().cancelAsync(id), node, Outcome.CANCELLED);
            } else if (wish < 9) {
                simulation.asked().settle(id, Outcome.RESERVED);
                settle(node.spike().extendAsync(id), node, Outcome.RESERVED);
            }
        });
    }

    private void settle(CompletionStage<Answer> stage, SimulatedNode node, Outcome to) {
        answer(stage, node, "settle as " + to, told -> {
            if (told.outcome() == Outcome.UNAVAILABLE) {
                simulation.asked().isNotSettled(id, to);
            }
            settled(told);
        });
    }

    private void settled(Told told) {
        switch (told.outcome()) {
            case CONFIRMED, CANCELLED, EXPIRED -> {
                if (store.losses() == told.losses
                        && !store.has(id, kept -> kept.reservation().state() == told.outcome())) {
                    world.fail("told " + told.outcome() + ", but it is " + store.find(id));
                }
                // Perhaps once more, elsewhere: what is final stays, whatever it is asked by.
                if (world.oneIn(4)) {
                    world.at(world.below(SECOND), world.oneIn(2) ? this::settle : this::ask);
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
            case RESERVED -> world.at(world.below(SECOND), this::settle);
            case LIMIT_REACHED -> {
                Instant latest = store.latest().plus(simulation.sale().hold());
                Progress known = store.find(id);
                if (store.losses() == told.losses
                        && (known == null
                                || !latest.isAfter(known.reservedAt()
                                        .plus(simulation.sale().maxHold())))) {
                    world.fail("told that it may not be held longer: " + known);
                }
                world.at(world.below(SECOND), this::settle);
            }
            default -> world.fail("an answer that cannot be: " + told);
        }
    }
}
