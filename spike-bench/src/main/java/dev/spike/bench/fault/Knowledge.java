package dev.spike.bench.fault;

import dev.spike.core.Levels;

import org.jspecify.annotations.Nullable;

/**
 * What a node must know by the replies that reached it, and whether one of them told it that the
 * store has lost changes: another ledger, none, or a lower sequence than the node knew when it
 * asked.
 */
final class Knowledge {

    private @Nullable Levels newest;
    private long askedNanos;
    private boolean wasToldOfALoss;

    /** What is known now. */
    @Nullable
    Levels newest() {
        return newest;
    }

    /** When that was asked for. */
    long askedNanos() {
        return askedNanos;
    }

    boolean wasToldOfALoss() {
        return wasToldOfALoss;
    }

    /**
     * A reply came.
     *
     * @param known when it was asked for
     * @param asked when that was
     */
    void told(Levels fresh, @Nullable Levels known, long asked) {
        if (known != null && known.phase() != Levels.Phase.ABSENT) {
            wasToldOfALoss |=
                    !fresh.ledger().equals(known.ledger()) || fresh.sequence() < known.sequence();
        }
        if (!wasToldOfALoss
                && (newest == null
                        || fresh.sequence() > newest.sequence()
                        || fresh.sequence() == newest.sequence() && asked >= askedNanos)) {
            newest = fresh;
            askedNanos = asked;
        }
    }
}
