package dev.spike.bench.fault;

import com.fasterxml.jackson.annotation.JsonIgnore;

import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

/**
 * A request over HTTP, and what its sender was told.
 *
 * @param askedMillis of the epoch, as answeredMillis
 * @param node that was asked, from 0 on
 * @param buyer who asks; for what operators do, empty
 * @param key of the reservation, or the id of the operation
 * @param quantity units; of a restock, those to add
 * @param status of the response; 0: none came
 * @param outcome UNKNOWN also if no response came, and for what operators do CONFIRMED if it is
 *     done; null: the response makes no sense
 * @param body of the response, or why none came
 */
record Told(
        long askedMillis,
        long answeredMillis,
        int node,
        Verb verb,
        String buyer,
        String key,
        long quantity,
        int status,
        @Nullable Outcome outcome,
        String body) {

    /** What can be asked for. */
    enum Verb {
        RESERVE,
        CONFIRM,
        CANCEL,
        EXTEND,
        FIND,
        RESTOCK,
        CLOSE,
        REOPEN;

        /** Whether it is about one reservation, and not about the sale. */
        boolean isBuyers() {
            return this != RESTOCK && this != CLOSE && this != REOPEN;
        }
    }

    /** The reservation that it is about; only of what buyers ask. */
    @JsonIgnore
    ReservationId id() {
        return new ReservationId(buyer, key);
    }

    /** Whether it tells the state of a reservation. */
    @JsonIgnore
    boolean tellsState() {
        return verb.isBuyers()
                && outcome != null
                && (outcome == Outcome.RESERVED || outcome.isFinal());
    }

    /** Whether it refuses to reserve, for want of units or for the hours. */
    @JsonIgnore
    boolean refuses() {
        return verb == Verb.RESERVE
                && (outcome == Outcome.SOLD_OUT
                        || outcome == Outcome.ALL_RESERVED
                        || outcome == Outcome.NOT_OPEN
                        || outcome == Outcome.CLOSED);
    }

    /** Whether it leaves open what was done, now or by an earlier try. */
    @JsonIgnore
    boolean isOpen() {
        return outcome == Outcome.UNKNOWN || outcome == Outcome.UNAVAILABLE;
    }
}
