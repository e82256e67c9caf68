package dev.spike.core;

import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

/**
 * Is told what a {@link Spike} does, to count and to measure it; see {@link SpikeBuilder#listener}.
 * Each method does nothing unless it is overridden.
 *
 * <p>It is told on the thread on which the thing happens: what the node refuses by itself, on its
 * caller's; all else on one of the node's, or on the caller's if the request did not fit in the
 * queue. Many threads tell it at once, and buyers wait for it, so it must neither block nor take
 * long, nor call what blocks of the Spike itself. It may be told of something before
 * {@link SpikeBuilder#start} returns. What it throws is logged, the first time for each node, and
 * changes nothing else.
 *
 * <p>Callers that get {@link Outcome#UNAVAILABLE} or {@link Outcome#UNKNOWN} because their thread
 * was interrupted are not told of: their request was never made, or goes on without them.
 */
public interface SpikeListener {

    /** What a call to the shared stock is for. */
    enum Call {
        /** Reserving for a batch of requests. */
        RESERVE,
        /** Confirming, cancelling and extending a batch of reservations. */
        SETTLE,
        /** The background look at the levels, which ends holds that are due. */
        SWEEP,
        /** A look at the levels that a batch needs first. */
        LOOK,
        /** Looking up a reservation, or a page of a buyer's. */
        FIND
    }

    /**
     * A request for units is answered.
     *
     * @param outcome what it is told; a repeat of a request that was reserved before is told
     *     {@link Outcome#RESERVED}, too
     * @param local whether the node refuses it by what it knows, without a place in the queue
     */
    default void answered(Outcome outcome, boolean local) {}

    /**
     * A request to confirm, cancel or extend a reservation is answered.
     *
     * @param wish {@link Outcome#CONFIRMED}, {@link Outcome#CANCELLED}, or {@link Outcome#RESERVED}
     *     to extend it
     * @param outcome what it is told
     */
    default void settled(Outcome wish, Outcome outcome) {}

    /**
     * A call to the shared stock came to its end.
     *
     * @param call what it was for
     * @param size how many requests it carried: 1 to {@link RemoteSpike#MAX_BATCH} of a batch, else
     *     1
     * @param again whether it is a further try for these requests, after one that failed
     * @param nanos how long it took, in nanoseconds of the node's elapsed time
     * @param failure what is certain about it if there was no answer; null: it was answered
     */
    default void called(Call call, int size, boolean again, long nanos, @Nullable Kind failure) {}

    /**
     * The node stops selling its sale for good; told at most once.
     *
     * @param reason as {@link Spike#haltReason} says from now on
     */
    default void halted(String reason) {}
}
