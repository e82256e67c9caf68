package dev.spike.bench.fault;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What must be true of each answer, by what the store's servers were since it was asked for. What
 * an answer means is said here in words of its own, not in those of the code that answers.
 */
final class AnswerInvariants {

    /** The latest moment of an answer, while the node runs. */
    private static final long LATEST =
            SimulatedNode.TIMEOUT.multipliedBy(21).dividedBy(20).plusMillis(1).toNanos();

    /**
     * What was so when something was asked for.
     *
     * @param losses see {@link SimulatedStore#losses}
     * @param wasHalted whether the node had stopped selling
     * @param wasBackedUp whether the node knew that it must not reserve
     * @param knewSinceNanos from when on what the node may refuse by was so; null: it must ask
     */
    private record Then(
            int losses,
            boolean wasHalted,
            boolean wasBackedUp,
            long nanos,
            @Nullable Long knewSinceNanos) {}

    /** Something that is asked of a node now. */
    static final class Question {
        private final SimulatedNode node;
        private final String what;
        private final Then then;
        private boolean isPending;

        private Question(SimulatedNode node, String what, Then then) {
            this.node = node;
            this.what = what;
            this.then = then;
        }

        SimulatedNode node() {
            return node;
        }

        /** The node did not answer by itself at once. */
        void waits() {
            isPending = true;
        }

        @Override
        public String toString() {
            return node + ": " + what;
        }
    }

    /** A deadline that somebody was told, when, and how often the store had lost changes. */
    private record Deadline(Instant time, int losses, long toldNanos) {}

    private final World world;
    private final SimulatedStore store;
    private final Sale sale;
    private final Map<ReservationId, Deadline> deadlines = new HashMap<>();

    AnswerInvariants(World world, SimulatedStore store, Sale sale) {
        this.world = world;
        this.store = store;
        this.sale = sale;
    }

    /** Something that is asked now, and that a node refuses by what it knows of lately, or asks. */
    Question asks(SimulatedNode node, String what) {
        return asks(node, what, node.knowsSinceNanos(SimulatedNode.OLDEST));
    }

    /**
     * The same of what a node refuses without looking at its clock: until it looks, or, if it
     * stands still, until it goes on.
     */
    Question asksUntilItLooks(SimulatedNode node, String what) {
        long most = SimulatedNode.OLDEST + SimulatedNode.LOOKS_AT_ITS_CLOCK;
        return asks(node, what, node.knowsSinceNanos(most + node.pausedSince(node.askedNanos())));
    }

    private Question asks(SimulatedNode node, String what, @Nullable Long knowsSinceNanos) {
        return new Question(
                node,
                what,
                new Then(
                        store.losses(),
                        node.spike().haltReason().isPresent(),
                        node.isBackedUp(),
                        world.now(),
                        knowsSinceNanos));
    }

    private void fail(Question question, ReservationId id, Answer answer, String but) {
        world.fail(question + " of " + id + " was told " + answer + ", but " + but);
    }

    /** Of a reservation of so many units. */
    void checkReserve(Question question, ReservationId id, Answer answer, int quantity) {
        Then then = question.then;
        checkAny(question, id, answer);
        boolean isNew = answer.outcome() == Outcome.RESERVED && !answer.repeated();
        if (then.wasBackedUp && isNew) {
            fail(question, id, answer, "the node knew of too many orders that wait");
        }
        switch (answer.outcome()) {
            case RESERVED -> requireKept(question, id, answer, quantity, false);
            case CONFIRMED, CANCELLED -> requireKept(question, id, answer, quantity, true);
            case EXPIRED ->
                // Nobody need have ended it, and then it lives on when the clock goes back.
                requireKept(question, id, answer, quantity, store.clockJumpedNanos() < then.nanos);
            case MISMATCH -> {
                if (store.losses() == then.losses
                        && !store.has(id, known -> known.reservation().quantity() != quantity)) {
                    fail(question, id, answer, "there is " + store.find(id));
                }
            }
            case LIMIT_REACHED -> requireLimit(question, id, answer, quantity);
            case SOLD_OUT, ALL_RESERVED, NOT_OPEN, CLOSED -> {
                Long knewSince = then.knewSinceNanos;
                if (!question.isPending && knewSince == null) {
                    fail(question, id, answer, "what the node knew was too old");
                }
                long since = knewSince == null ? then.nanos : knewSince;
                requireNew(question, id, answer, since);
                requireEver(question, id, answer, quantity, since);
            }
            case UNKNOWN, UNAVAILABLE -> {}
            case NOT_FOUND -> fail(question, id, answer, "that is no answer to it");
        }
    }

    /** Of a settlement of what was reserved. */
    void checkSettle(Question question, ReservationId id, Answer answer) {
        checkAny(question, id, answer);
        boolean isAllKept = store.losses() == question.then.losses;
        switch (answer.outcome()) {
            case CONFIRMED, CANCELLED, EXPIRED -> {
                if (isAllKept
                        && !store.has(id, kept -> kept.reservation().state() == answer.outcome())) {
                    fail(question, id, answer, "there is " + store.find(id));
                }
            }
            case NOT_FOUND -> {
                if (store.losses() == 0) {
                    fail(question, id, answer, "it was reserved");
                }
            }
            case LIMIT_REACHED -> {
                Progress known = store.find(id);
                Instant anew = store.server().now().plus(sale.hold());
                if (isAllKept
                        && store.clockJumpedNanos() < question.then.nanos
                        && (known == null
                                || !anew.isAfter(known.reservedAt().plus(sale.maxHold())))) {
                    fail(question, id, answer, "there is " + known);
                }
            }
            case RESERVED, UNKNOWN, UNAVAILABLE -> {}
            default -> fail(question, id, answer, "that is no answer to it");
        }
    }

    private void checkAny(Question question, ReservationId id, Answer answer) {
        Then then = question.then;
        long took = world.now() - then.nanos;
        if (took > LATEST + question.node.pausedSince(then.nanos)) {
            fail(question, id, answer, "after " + took + " ns");
        }
        if (then.wasHalted && answer.outcome() != Outcome.UNAVAILABLE) {
            fail(question, id, answer, "the node had stopped selling");
        }
        checkDeadline(question, id, answer);
    }

    /** A hold lives as long as was told, unless two masters tell different things. */
    private void checkDeadline(Question question, ReservationId id, Answer answer) {
        Reservation reservation = answer.reservation();
        Deadline known = deadlines.get(id);
        if (reservation != null && reservation.state() == Outcome.RESERVED) {
            Instant until = reservation.expiresAt();
            int losses = question.then.losses;
            if (known == null || known.losses != losses || until.isAfter(known.time)) {
                deadlines.put(id, new Deadline(until, losses, question.then.nanos));
            }
        } else if (answer.outcome() == Outcome.EXPIRED
                && known != null
                && known.losses == store.losses()
                && store.servers().size() == 1
                && store.clockJumpedNanos() < known.toldNanos
                && store.server().now().isBefore(known.time)) {
            fail(question, id, answer, "it was to be held until " + known.time);
        }
    }

    private void requireKept(
            Question question, ReservationId id, Answer answer, int quantity, boolean alsoState) {
        Predicate<Progress> such = kept -> kept.reservation().quantity() == quantity
                && (!alsoState || kept.reservation().state() == answer.outcome());
        if (store.losses() == question.then.losses && !store.has(id, such)) {
            fail(question, id, answer, "there is " + store.find(id));
        }
    }

    /** Only the store says so, and the buyer had so much at some moment since it was asked. */
    private void requireLimit(Question question, ReservationId id, Answer answer, int quantity) {
        long since = question.then.nanos;
        requireNew(question, id, answer, since);
        boolean was = sale.perBuyer() > 0
                && store.servers().stream()
                        .anyMatch(one -> one.unitsOf(id.buyer())
                                .wasEver(since, units -> units + quantity > sale.perBuyer()));
        if (!was && store.losses() == question.then.losses) {
            fail(question, id, answer, "the limit is " + sale.perBuyer());
        }
    }

    /** Who holds units for longer than a node may not know it is not refused them. */
    private void requireNew(Question question, ReservationId id, Answer answer, long since) {
        Progress known = store.find(id);
        if (known != null
                && store.servers().size() == 1
                && store.lostNanos() < since
                && store.clockJumpedNanos() < since
                && store.server().nanosAt(known.reservedAt()) < since) {
            fail(question, id, answer, "there is " + known);
        }
    }

    /** A refusal was true at some moment since then, of a server that the node may have reached. */
    private void requireEver(
            Question question, ReservationId id, Answer answer, int quantity, long since) {
        boolean was = store.servers().stream()
                .anyMatch(one -> one.levels()
                        .wasEver(since, levels -> refusal(levels, quantity) == answer.outcome()));
        if (!was && store.lostNanos() < since) {
            fail(question, id, answer, "that was not so since " + since / 1_000 + " µs");
        }
    }

    /** How these levels refuse so many units to a new key; null: they do not. */
    private static @Nullable Outcome refusal(Levels levels, int quantity) {
        return switch (levels.phase()) {
            case ABSENT, NOT_YET_OPEN -> Outcome.NOT_OPEN;
            case CLOSED -> Outcome.CLOSED;
            case OPEN -> {
                if (levels.available() >= quantity) {
                    yield null;
                }
                boolean isAllReserved = levels.available() == 0 && levels.reserved() > 0;
                yield isAllReserved ? Outcome.ALL_RESERVED : Outcome.SOLD_OUT;
            }
        };
    }
}
