package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Levels;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** All who watch one sale, and the one message for all of them. Used by one thread. */
final class Audience {

    /** A node whose looks at the levels were in vain for so long does not refuse by them either. */
    private static final long STALE_NANOS = Duration.ofSeconds(3).toNanos();

    private static final int MOST_BYTES = 1024;

    private final OpenSale sale;
    private final ByteBuffer heartbeat;
    private final List<Watcher> watchers = new ArrayList<>();

    /** Outside the heap, so that no write copies it; written anew by each tick that says more. */
    private final ByteBuffer message = ByteBuffer.allocateDirect(MOST_BYTES).limit(0);

    private long version;
    private @Nullable Tick said;
    private @Nullable Instant asOf;
    private long asOfNanos;
    private @Nullable Long others;

    /** @param heartbeat what is written to who gets nothing else for long */
    Audience(OpenSale sale, ByteBuffer heartbeat) {
        this.sale = sale;
        this.heartbeat = heartbeat;
    }

    /** Adds one, who gets these bytes and what the others got last. */
    void add(Watcher watcher, ByteBuffer greeting, long nowNanos) {
        watchers.add(watcher);
        if (watchers.size() == 1) {
            look(nowNanos);
        }
        try {
            watcher.write(greeting, nowNanos);
        } catch (IOException ended) {
            // The update finds the same.
        }
        if (!watcher.update(message, version, heartbeat, nowNanos)) {
            watchers.remove(watcher);
            watcher.cut();
        }
    }

    /** Looks at the sale once, and tells all what is new; who is at the end is let go. */
    void tick(long nowNanos) {
        look(nowNanos);
        watchers.removeIf(watcher -> {
            boolean atItsEnd = !watcher.update(message, version, heartbeat, nowNanos);
            if (atItsEnd) {
                watcher.cut();
            }
            return atItsEnd;
        });
    }

    private void look(long nowNanos) {
        Levels levels = sale.spike().levels().orElse(null);
        if (levels == null) {
            return;
        }
        if (!levels.asOf().equals(asOf)) {
            asOf = levels.asOf();
            asOfNanos = nowNanos;
        }
        boolean stale = nowNanos - asOfNanos > STALE_NANOS;
        Tick now = Tick.of(sale, levels, stale, ofOthers(levels), nowNanos);
        if (said == null || !now.saysWhat(said)) {
            said = now;
            version++;
            message.clear()
                    .put("data: ".getBytes(UTF_8))
                    .put(Json.write(now))
                    .put("\n\n".getBytes(UTF_8))
                    .flip();
        }
    }

    /** They are never fewer than they were, so the most that was certain at any time holds. */
    private @Nullable Long ofOthers(Levels levels) {
        Long atLeast = sale.traffic().ofOthers(levels.reservations());
        if (atLeast != null && (others == null || atLeast > others)) {
            others = atLeast;
        }
        return others;
    }

    /** How many watch. */
    int size() {
        return watchers.size();
    }

    /** Ends all streams, with these last bytes. */
    void end(ByteBuffer last, long nowNanos) {
        watchers.forEach(watcher -> watcher.end(last, nowNanos));
        watchers.clear();
    }
}
