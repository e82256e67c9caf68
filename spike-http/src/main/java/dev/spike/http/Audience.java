package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Levels;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** All who watch one sale, and the one message for all of them. Used by one thread. */
final class Audience {

    /** A node whose looks at the levels were in vain for so long does not refuse by them either. */
    private static final Duration STALE = Duration.ofSeconds(3);

    private static final int MOST_BYTES = 1024;

    private final OpenSale sale;
    private final ByteBuffer heartbeat;
    private final Consumer<Throwable> failures;
    private final List<Watcher> watchers = new ArrayList<>();

    /** Outside the heap, so that no write copies it; written anew by each tick that says more. */
    private final ByteBuffer message = ByteBuffer.allocateDirect(MOST_BYTES).limit(0);

    private long version;
    private Tick.@Nullable What said;
    private @Nullable Long others;

    /**
     * @param heartbeat what is written to who gets nothing else for long
     * @param failures is told of a failure that is not the end of a stream, for which one is cut
     */
    Audience(OpenSale sale, ByteBuffer heartbeat, Consumer<Throwable> failures) {
        this.sale = sale;
        this.heartbeat = heartbeat;
        this.failures = failures;
    }

    /** Adds one, who gets these bytes and what the others got last. */
    void add(Watcher watcher, ByteBuffer greeting, long nowNanos) {
        if (watchers.isEmpty()) {
            look(nowNanos);
        }
        try {
            watcher.write(greeting, nowNanos);
        } catch (IOException ended) {
            // The update finds the same.
        }
        if (goesOn(watcher, nowNanos)) {
            watchers.add(watcher);
        }
    }

    /** Looks at the sale once, and tells all what is new; who is at the end is let go. */
    void tick(long nowNanos) {
        look(nowNanos);
        watchers.removeIf(watcher -> !goesOn(watcher, nowNanos));
    }

    /** Writes to one; false if that was the end of it. */
    private boolean goesOn(Watcher watcher, long nowNanos) {
        try {
            if (watcher.update(message, version, heartbeat, nowNanos)) {
                return true;
            }
        } catch (RuntimeException | Error failure) {
            failures.accept(failure);
        }
        cut(watcher);
        return false;
    }

    private void cut(Watcher watcher) {
        try {
            watcher.cut();
        } catch (RuntimeException | Error failure) {
            failures.accept(failure);
        }
    }

    private void look(long nowNanos) {
        Levels levels = sale.spike().levels().orElse(null);
        if (levels == null) {
            return;
        }
        boolean stale = sale.spike().levelsAge().compareTo(STALE) > 0;
        Tick now = Tick.of(sale, levels, stale, ofOthers(levels), nowNanos);
        if (!now.what().equals(said)) {
            said = now.what();
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

    boolean isEmpty() {
        return watchers.isEmpty();
    }

    /** Ends all streams, with these last bytes. */
    void end(ByteBuffer last, long nowNanos) {
        for (Watcher watcher : watchers) {
            try {
                watcher.end(last, nowNanos);
            } catch (RuntimeException | Error failure) {
                failures.accept(failure);
                cut(watcher);
            }
        }
        watchers.clear();
    }

    /** Closes the connections of all. */
    void cut() {
        watchers.forEach(this::cut);
        watchers.clear();
    }
}
