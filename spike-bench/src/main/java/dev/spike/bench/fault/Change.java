package dev.spike.bench.fault;

import dev.spike.core.LogEntry;

/** An entry of the order log, and what kind of change it is. */
record Change(LogEntry entry, Kind kind) {

    /** What a change is about. */
    enum Kind {
        /** The sale was opened, or its total changed. */
        TOTAL,
        /** Reservations were made or ended, or holds extended. */
        RESERVATIONS,
        CLOSE,
        REOPEN
    }
}
