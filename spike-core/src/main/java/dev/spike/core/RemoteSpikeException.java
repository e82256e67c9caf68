package dev.spike.core;

import org.jspecify.annotations.Nullable;

/**
 * The shared stock gave no answer. {@link #kind} says what is certain about the call all the same,
 * which decides between {@link Outcome#UNAVAILABLE} and {@link Outcome#UNKNOWN}; it is never a
 * refusal.
 */
public final class RemoteSpikeException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What is certain about a call that got no answer. */
    public enum Kind {
        /**
         * The call was never sent, for want of a connection in time. Not worth repeating at once.
         */
        NOT_SENT,
        /**
         * The store refused to run the call, or could not be reached; it changed nothing. Worth
         * repeating.
         */
        NOT_EXECUTED,
        /**
         * The call may have run, or may still run later. Repeating it with the same keys is safe.
         */
        UNKNOWN,
        /**
         * The store's content is damaged, or not ours; the call may be half done. Selling must
         * stop.
         */
        BROKEN
    }

    /** What is certain about the call. */
    private final Kind kind;

    /**
     * A call without an answer.
     *
     * @param kind what is certain about it
     * @param message what happened, without secrets
     * @param cause the client's error, if there is one
     */
    public RemoteSpikeException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /**
     * What is certain about the call.
     *
     * @return what decides between {@link Outcome#UNAVAILABLE} and {@link Outcome#UNKNOWN}
     */
    public Kind kind() {
        return kind;
    }
}
