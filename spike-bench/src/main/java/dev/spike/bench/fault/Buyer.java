package dev.spike.bench.fault;

import static dev.spike.bench.fault.World.SECOND;

import dev.spike.bench.fault.AnswerInvariants.Question;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;

import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * A buyer with a key or without, who asks until answered, and then pays, cancels, extends, or does
 * nothing, each at any node; and who holds every answer against what is true.
 */
final class Buyer {

    private static final String NOBODY = "nobody";

    private final World world;
    private final Simulation simulation;
    private final AnswerInvariants invariants;
    private final int quantity;
    private ReservationId id;
    private boolean hasKey = true;
    private int tries;

    Buyer(World world, Simulation simulation, ReservationId id, int quantity) {
        this.world = world;
        this.simulation = simulation;
        this.invariants = simulation.answers();
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
        ReservationId none = new ReservationId(name.isEmpty() ? NOBODY : name, "none");
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
            String what = "reserve " + wish;
            if (world.oneIn(8)
                    && isRefusedAtOnce(
                            invariants.asks(node, what + " at once"),
                            spike -> spike.reserve(id.buyer(), id.key(), wish),
                            wish)) {
                if (!wasOpen) {
                    simulation.isNotDone(id);
                }
                return;
            }
            simulation.asked().reserve(id);
            answer(
                    node,
                    what,
                    node.spike().reserveAsync(id.buyer(), id.key(), wish),
                    (question, answer) -> {
                        // A refusal may be of the second of two tries, and the first come late.
                        if (!wasOpen && answer.outcome() == Outcome.UNAVAILABLE) {
                            simulation.isNotDone(id);
                        }
                        invariants.checkReserve(question, id, answer, wish);
                        reserved(answer.outcome());
                    });
        });
    }

    private void askWithoutKey(SimulatedNode node) {
        boolean isNamed = !id.buyer().equals(NOBODY);
        String buyer = isNamed ? id.buyer() : "";
        String what = "reserve " + quantity + " without a key";
        if (world.oneIn(2)
                && (isNamed
                        ? isRefusedAtOnce(
                                invariants.asks(node, what + " at once"),
                                spike -> spike.reserve(buyer, quantity),
                                quantity)
                        : isRefusedAtOnce(
                                invariants.asksUntilItLooks(node, what + " at once"),
                                spike -> spike.reserve(quantity),
                                quantity))) {
            return;
        }
        simulation.asked().reserveWithoutKey(buyer, quantity);
        answer(
                node,
                what,
                isNamed
                        ? node.spike().reserveAsync(buyer, quantity)
                        : node.spike().reserveAsync(quantity),
                (question, answer) -> {
                    if (answer.outcome() == Outcome.UNAVAILABLE) {
                        simulation.asked().isNotReserved(buyer, quantity);
                    }
                    if (answer.repeated()) {
                        world.fail("a key that nobody knew was repeated: " + answer);
                    }
                    ReservationId made = answer.id();
                    if (made != null) {
                        // From now on it has one, also if nobody knows whether it was used.
                        id = simulation.asked().named(made);
                        hasKey = true;
                        simulation.mayBeDone(id);
                    }
                    invariants.checkReserve(question, id, answer, quantity);
                    reserved(answer.outcome());
                });
    }

    /**
     * Asks by a form that blocks, on a thread that is interrupted and so does not: what the node
     * does not refuse by itself is not done.
     */
    private boolean isRefusedAtOnce(Question question, Function<Spike, Answer> request, int wish) {
        Thread.currentThread().interrupt();
        Answer answer = request.apply(question.node().spike());
        boolean isStill = Thread.interrupted();
        world.note(question + " of " + id.buyer() + "/" + id.key() + ": " + answer.outcome());
        invariants.checkReserve(question, id, answer, wish);
        boolean isRefused = answer.outcome() != Outcome.UNAVAILABLE;
        if (!isStill || isRefused && answer.id() != null) {
            world.fail(question + " of " + id + " did not end at once: " + answer);
        }
        return isRefused;
    }

    private void answer(
            SimulatedNode node,
            String what,
            CompletionStage<Answer> stage,
            BiConsumer<Question, Answer> then) {
        Question question = invariants.asks(node, what);
        node.asked(1);
        stage.whenComplete((answer, failure) -> {
            node.asked(-1);
            if (node.isDead()) {
                return;
            }
            if (failure != null) {
                world.fail(question + " of " + id + " failed: " + failure);
                return;
            }
            world.note(question + " of " + id.buyer() + "/" + id.key() + ": " + answer.outcome()
                    + (answer.repeated() ? " before" : ""));
            simulation.answered(answer.outcome());
            then.accept(question, answer);
        });
        question.waits();
    }

    private void reserved(Outcome outcome) {
        if (outcome == Outcome.RESERVED) {
            world.at(world.below(8 * SECOND), this::settle);
        }
        switch (outcome) {
            case RESERVED, CONFIRMED, CANCELLED, EXPIRED -> {
                simulation.mayBeDone(id);
                if (tries > 0 && world.oneIn(4)) {
                    world.at(world.below(SECOND), this::ask);
                }
            }
            case UNKNOWN, UNAVAILABLE -> {
                if (tries > 0) {
                    world.at(world.below(SECOND), this::ask);
                }
            }
            default -> {}
        }
    }

    private void settle() {
        int wish = world.random.nextInt(10);
        SimulatedNode node = simulation.cluster().any();
        world.scheduler.after(0, node, () -> {
            if (wish < 5) {
                settle(node, Outcome.CONFIRMED, node.spike()::confirmAsync);
            } else if (wish < 7) {
                settle(node, Outcome.CANCELLED, node.spike()::cancelAsync);
            } else if (wish < 9) {
                settle(node, Outcome.RESERVED, node.spike()::extendAsync);
            }
        });
    }

    private void settle(
            SimulatedNode node,
            Outcome to,
            Function<ReservationId, CompletionStage<Answer>> settlement) {
        simulation.asked().settle(id, to);
        answer(node, "settle as " + to, settlement.apply(id), (question, answer) -> {
            if (answer.outcome() == Outcome.UNAVAILABLE) {
                simulation.asked().isNotSettled(id, to);
            }
            invariants.checkSettle(question, id, answer);
            settled(answer.outcome());
        });
    }

    private void settled(Outcome outcome) {
        switch (outcome) {
            case CONFIRMED, CANCELLED, EXPIRED -> {
                // Perhaps once more, elsewhere: what is final stays, whatever it is asked by.
                if (world.oneIn(4)) {
                    world.at(world.below(SECOND), world.oneIn(2) ? this::settle : this::ask);
                }
            }
            case UNKNOWN, UNAVAILABLE -> {
                if (world.oneIn(2)) {
                    world.at(world.below(SECOND), this::settle);
                }
            }
            case RESERVED, LIMIT_REACHED -> world.at(world.below(SECOND), this::settle);
            default -> {}
        }
    }
}
