package dev.spike.bench.fault;

/** What befalls a simulated sale; {@link Faults.Fate} tells of the single calls. */
enum Happening {
    STORE_AWAY,
    STORE_SLOW,
    STORE_LOST_CHANGES,
    STORE_EMPTIED,
    STORE_OPENED_ANEW,
    STORE_FAILED_OVER,
    /** The old master took a change after the new one was promoted; it is lost. */
    SPLIT_BRAIN_CHANGE,
    CLOCK_FORWARD,
    CLOCK_BACK,
    NODE_DIED,
    NODE_PAUSED,
    NODE_CUT_OFF,
    NODE_CLOSED,
    /** It noticed that the store lost changes, and stopped selling. */
    NODE_HALTED,
    RELAY_DIED_BEFORE_WRITE,
    RELAY_DIED_AFTER_WRITE,
    RELAY_TOOK_OVER,
    BOOK_AWAY,
    BOOK_SLOW,
    BOOK_REFUSED_POISON,
    /** Orders were one too many for the total. */
    BOOK_REFUSED_UNITS,
    /** The orders are written, and the relay was told that they are not. */
    BOOK_COMMITTED_AND_FAILED,
    DEAD_LETTER,
    LOG_TRIMMED,
    BACKLOG_REACHED,
    OPENED_LATER,
    CLOSED_BY_TIME,
    CLOSED_BY_HAND,
    REOPENED,
    RESTOCKED_UP,
    RESTOCKED_DOWN,
    RESTOCK_REPEATED,
    DRAINED_BALANCED,
    /** In the end the audit told of orders that the store or the book has lost. */
    AUDIT_TOLD
}
