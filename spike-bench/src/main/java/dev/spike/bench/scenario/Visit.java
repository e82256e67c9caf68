package dev.spike.bench.scenario;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import java.time.Duration;
import java.util.SplittableRandom;

/**
 * One buyer's way through the sale: asks for a unit under a key of its own until there is an
 * answer; promised one, perhaps repeats the request at another node, which must tell of the same
 * reservation; and pays after a while, or never.
 *
 * <p>What gets no answer is asked again, with the same key, at another node. A key that may be used
 * is no new key: a node may refuse it for as long as its refusals may be old, so it is asked again
 * until then, as the documentation tells callers to. A refusal is held against the history only as
 * one of a new key.
 */
final class Visit {

    /** The share of those promised a unit who repeat their request. */
    static final double REPEAT = 0.2;

    private static final long AGAIN_MILLIS = 250;
    private static final int TRIES = (int) (MillionBuyers.STALENESS.toMillis() / AGAIN_MILLIS) + 4;

    private final Crowd crowd;
    private final SplittableRandom random;
    private final ReservationId id;
    private final boolean repeats;
    private final boolean pays;
    private final long thinkMillis;

    private boolean hadAnswer;
    private boolean mayBeUsed;
    private int refusals;

    /** @param number of the buyer, from which, and the seed, all else follows */
    Visit(Crowd crowd, long seed, int number, double paying, Duration hold) {
        this.crowd = crowd;
        this.random = new SplittableRandom(seed + number * 0x9E3779B97F4A7C15L);
        this.id = new ReservationId(
                "buyer-" + number, Long.toString(random.nextLong() >>> 1, 36) + "-" + number);
        this.repeats = random.nextDouble() < REPEAT;
        this.pays = random.nextDouble() < paying;
        this.thinkMillis = (long) (random.nextDouble() * hold.toMillis() / 4);
    }

    void start() {
        ask();
    }

    private Node anyNode() {
        return crowd.traffic().pick(random.nextDouble());
    }

    private Node anotherNode(Node than) {
        Node other = anyNode();
        while (other == than) {
            other = anyNode();
        }
        return other;
    }

    private void ask() {
        Node node = anyNode();
        long askedMillis = crowd.clock.millis();
        node.reserve(id.buyer(), id.key())
                .thenAccept(answer -> guarded(() -> answered(node, askedMillis, answer)));
    }

    private void answered(Node node, long askedMillis, Answer answer) {
        long answeredMillis = crowd.clock.millis();
        Crowd.count(crowd.answers, answer.outcome());
        switch (answer.outcome()) {
            case RESERVED -> {
                firstAnswer();
                Reservation reservation = reservation(answer);
                crowd.reserved.increment();
                crowd.promises.reserved(reservation);
                if (repeats) {
                    crowd.repeats.increment();
                    refusals = 0;
                    repeat(node, reservation);
                } else {
                    think(reservation);
                }
            }
            case SOLD_OUT, ALL_RESERVED -> {
                firstAnswer();
                if (mayBeUsed && refusals++ < TRIES) {
                    crowd.later(AGAIN_MILLIS, this::ask);
                } else {
                    crowd.refusals.add(answer.outcome(), askedMillis, answeredMillis);
                    leave();
                }
            }
            case UNKNOWN, UNAVAILABLE -> {
                mayBeUsed |= answer.outcome() == Outcome.UNKNOWN;
                tryLater(answer, this::ask);
            }
            case EXPIRED -> {
                firstAnswer();
                if (!mayBeUsed) {
                    broken("a new key had a reservation: " + answer);
                }
                leave();
            }
            default -> broken("answered what must not be: " + answer);
        }
    }

    private void repeat(Node first, Reservation reservation) {
        anotherNode(first)
                .reserve(id.buyer(), id.key())
                .thenAccept(answer -> guarded(() -> repeated(first, reservation, answer)));
    }

    private void repeated(Node first, Reservation reservation, Answer answer) {
        Crowd.count(crowd.answers, answer.outcome());
        switch (answer.outcome()) {
            case RESERVED, EXPIRED -> {
                if (!answer.repeated()
                        || !reservation(answer).expiresAt().equals(reservation.expiresAt())) {
                    broken("a repeat got another reservation: " + answer + " after " + reservation);
                } else {
                    think(reservation);
                }
            }
            case SOLD_OUT, ALL_RESERVED -> {
                if (refusals == 0) {
                    crowd.repeatsRefusedAtFirst.increment();
                }
                if (refusals++ < TRIES) {
                    crowd.later(AGAIN_MILLIS, () -> repeat(first, reservation));
                } else {
                    broken("a holder was refused when repeating: " + answer + " " + reservation);
                }
            }
            case UNKNOWN, UNAVAILABLE -> tryLater(answer, () -> repeat(first, reservation));
            default -> broken("repeated, and answered what must not be: " + answer);
        }
    }

    private void think(Reservation reservation) {
        if (pays) {
            crowd.later(thinkMillis, () -> pay(reservation));
        } else {
            leave();
        }
    }

    private void pay(Reservation reservation) {
        anyNode().confirm(id).thenAccept(answer -> guarded(() -> paid(reservation, answer)));
    }

    private void paid(Reservation reservation, Answer answer) {
        Crowd.count(crowd.payments, answer.outcome());
        switch (answer.outcome()) {
            case CONFIRMED -> {
                crowd.promises.ended(id.key(), Outcome.CONFIRMED);
                leave();
            }
            case EXPIRED -> {
                long latest = crowd.clock.millis() + Refusals.TOLERANCE_MILLIS;
                if (reservation.expiresAt().toEpochMilli() > latest) {
                    crowd.promises.broken("a hold ended too early: " + reservation);
                }
                crowd.promises.ended(id.key(), Outcome.EXPIRED);
                leave();
            }
            case UNKNOWN, UNAVAILABLE -> tryLater(answer, () -> pay(reservation));
            default -> broken("paid, and answered what must not be: " + answer);
        }
    }

    /** A buyer whose node died, or had no answer, comes to another node soon. */
    private void tryLater(Answer answer, Runnable again) {
        if (answer == Node.LOST) {
            crowd.lostAnswers.increment();
        }
        crowd.later(Math.max(10, answer.retryAfter().toMillis()), again);
    }

    private static Reservation reservation(Answer answer) {
        Reservation reservation = answer.reservation();
        if (reservation == null) {
            throw new IllegalStateException("must have a reservation: " + answer);
        }
        return reservation;
    }

    /** What fails here must not be swallowed by the stage that runs it. */
    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException bug) {
            broken("the scenario failed: " + bug);
        }
    }

    private void broken(String what) {
        crowd.promises.broken(what);
        leave();
    }

    private void firstAnswer() {
        if (!hadAnswer) {
            hadAnswer = true;
            crowd.answered();
        }
    }

    private void leave() {
        firstAnswer();
        crowd.left();
    }
}
