package dev.spike.core;

import dev.spike.core.Audit.Difference;
import dev.spike.core.Audit.Kind;
import dev.spike.core.Audit.Place;
import dev.spike.core.Repair.Step;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Puts right what an audit found wrong, as far as the reservations tell how it must be. */
final class Repairs {

    private final RemoteSpike remote;
    private final @Nullable OrderSink sink;
    private final Audit audit;
    private final List<Step> steps = new ArrayList<>();

    Repairs(RemoteSpike remote, @Nullable OrderSink sink, Audit audit) {
        this.remote = remote;
        this.sink = sink;
        this.audit = audit;
    }

    Repair run(boolean dryRun) {
        correctLevels(dryRun);
        audit.differences().stream()
                .filter(difference -> difference.place() == Place.ORDERS)
                .forEach(difference -> repairOrder(dryRun, difference));
        audit.differences().stream()
                .filter(difference ->
                        difference.place() == Place.LOG && difference.kind() != Kind.IN_FLIGHT)
                .forEach(difference -> steps.add(
                        new Step(text(difference), false, "what the log lost cannot be restored")));
        boolean didSomething = dryRun || steps.stream().anyMatch(Step::done);
        return new Repair(dryRun, audit, List.copyOf(steps), didSomething && areCapped());
    }

    private boolean areCapped() {
        return audit.differences().stream()
                .collect(Collectors.groupingBy(Difference::kind, Collectors.counting()))
                .values()
                .stream()
                .anyMatch(told -> told >= Audit.MAX_DIFFERENCES);
    }

    /** The levels and the buyers' counts, in one step. */
    private void correctLevels(boolean dryRun) {
        List<Difference> wrong = audit.differences().stream()
                .filter(difference -> difference.kind() != Kind.IN_FLIGHT)
                .filter(difference ->
                        difference.place() == Place.LEVELS || difference.place() == Place.BUYERS)
                .toList();
        if (wrong.isEmpty()) {
            return;
        }
        Map<String, Long> buyers = wrong.stream()
                .filter(difference -> difference.buyer() != null)
                .collect(Collectors.toMap(
                        difference -> String.valueOf(difference.buyer()), Difference::expected));
        long sold = units(Outcome.CONFIRMED) + audit.sums().soldBefore();
        RemoteSpike.Correction correction = new RemoteSpike.Correction(
                audit.levels().sequence(), units(Outcome.RESERVED), sold, reservations(), buyers);
        long left = audit.sums().total() - correction.reserved() - sold;
        String what = "set reserved to " + correction.reserved() + ", sold to " + sold
                + ", available to " + left + ", reservations to " + correction.reservations()
                + ", and the counts of " + buyers.size() + " buyers";
        String whyNot = whyNotCorrected(left);
        if (whyNot.isEmpty()) {
            step(dryRun, what, () -> correct(correction));
        } else {
            steps.add(new Step(what, false, whyNot));
        }
    }

    private String whyNotCorrected(long left) {
        for (Difference difference : audit.differences()) {
            if (difference.place() == Place.LEVELS && difference.what().equals(Auditor.TOTAL)) {
                return "the total was changed by something else: set it back to "
                        + difference.expected() + " in the store, and repair then";
            }
        }
        if (audit.differences().stream()
                .anyMatch(difference -> difference.kind() == Kind.IN_FLIGHT
                        && difference.place() == Place.LEVELS)) {
            return "the sums are not known; close the sale, or try again";
        } else if (left < 0) {
            return "more is reserved and sold than the total";
        } else if (left
                        > audit.sums().total()
                                - audit.levels().reserved()
                                - audit.levels().sold()
                && wereReservationsLost()) {
            return "reservations were lost, and their units may be sold; look at them";
        }
        return "";
    }

    /** Whether more were made than there are, by their count or by orders that hold units. */
    private boolean wereReservationsLost() {
        Set<String> lost = Set.of(
                OrderAuditor.withoutReservation(Outcome.RESERVED),
                OrderAuditor.withoutReservation(Outcome.CONFIRMED));
        return reservations() < audit.levels().reservations()
                || audit.differences().stream().map(Difference::what).anyMatch(lost::contains);
    }

    private String correct(RemoteSpike.Correction correction) {
        return remote.correct(correction)
                ? ""
                : "the sale changed since the audit; close it, or try again";
    }

    private void repairOrder(boolean dryRun, Difference difference) {
        ReservationId id = difference.id();
        OrderSink orders = sink;
        if (difference.kind() == Kind.MISSING && id != null && orders != null) {
            step(dryRun, "write the order of " + id, () -> write(orders, id));
        } else if (difference.kind() != Kind.IN_FLIGHT) {
            steps.add(new Step(
                    text(difference),
                    false,
                    difference.kind() == Kind.MISSING
                            ? "no orders are written here"
                            : "an order is never taken away or back; look at it"));
        }
    }

    private String write(OrderSink orders, ReservationId id) {
        Progress now = remote.find(id);
        if (now == null) {
            return "the reservation is gone";
        }
        Reservation reservation = now.reservation();
        OrderEvent event = new OrderEvent(
                now.sequence(),
                id,
                reservation.quantity(),
                reservation.state(),
                now.reservedAt(),
                audit.levels().asOf());
        try {
            long total = audit.sums().total() - audit.sums().soldBefore();
            orders.write(remote.saleId(), total, List.of(event));
            return "";
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return interrupted.toString();
        } catch (Exception refused) {
            return refused.toString();
        }
    }

    private void step(boolean dryRun, String what, Supplier<String> doing) {
        String why = dryRun ? "dry run" : attempt(doing);
        steps.add(new Step(what, why.isEmpty(), why));
    }

    /** A step that fails must not hide what the others did. */
    private static String attempt(Supplier<String> doing) {
        try {
            return doing.get();
        } catch (RemoteSpikeException noAnswer) {
            String message = String.valueOf(noAnswer.getMessage());
            return noAnswer.kind() == RemoteSpikeException.Kind.UNKNOWN
                    ? "no reply, done or not; audit again: " + message
                    : message;
        }
    }

    private long reservations() {
        return audit.sums().reservations().values().stream()
                .mapToLong(OrderBook.Sum::orders)
                .sum();
    }

    private long units(Outcome state) {
        OrderBook.Sum sum = audit.sums().reservations().get(state);
        return sum == null ? 0 : sum.units();
    }

    private static String text(Difference difference) {
        return difference.place() + ": " + difference.what() + ": expected " + difference.expected()
                + ", found " + difference.found();
    }
}
