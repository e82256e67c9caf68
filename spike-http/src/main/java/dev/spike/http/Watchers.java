package dev.spike.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Those who watch sales, and the one thread that writes to them: a round every 100 ms, in which the
 * message of each sale that is watched is made once and written to all who watch it, if it says
 * anything new. When nobody watches, it sleeps.
 *
 * <p>Selling comes first: a round that took much of a processor, because there are many watchers,
 * is followed by a pause many times as long. So all of them together never take more than 2.5 % of
 * one, and less where processors are short; what greets a newcomer, at once, is not in it.
 */
final class Watchers implements AutoCloseable {

    private static final long ROUND_NANOS = Duration.ofMillis(100).toNanos();

    /** A round has so many times as long as it took of a processor. */
    private static final int SPARING = 40;

    private static final long TOLD_NANOS = Duration.ofMinutes(1).toNanos();

    private static final Logger LOG = System.getLogger(SpikeServer.class.getName());

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final Duration CLOSE = Duration.ofSeconds(1);

    private final int most;
    private final AtomicInteger count = new AtomicInteger();
    private final Queue<Arriving> arriving = new ConcurrentLinkedQueue<>();
    private final Map<String, Audience> audiences = new HashMap<>();
    private final ByteBuffer heartbeat = direct(":\n\n");
    private final ByteBuffer greeting = direct("retry: 2000\n\n");
    private final ByteBuffer farewell = direct("retry: 1000\n\n");
    private final Thread thread = new Thread(this::run, "spike-http-watchers");
    private @Nullable Long toldNanos;
    private boolean closing;

    private record Arriving(OpenSale sale, Watcher watcher) {}

    /** @param most how many may watch at the same time */
    Watchers(int most) {
        this.most = most;
        thread.setDaemon(true);
        thread.start();
    }

    private static ByteBuffer direct(String text) {
        byte[] bytes = text.getBytes(US_ASCII);
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    /** Takes a place, if there is one; it must be given back once. */
    boolean takePlace() {
        if (count.incrementAndGet() <= most) {
            return true;
        }
        count.decrementAndGet();
        return false;
    }

    /** Gives a place back. */
    void giveBack() {
        count.decrementAndGet();
    }

    /** How many places are taken. */
    int count() {
        return count.get();
    }

    /** Adds one who has a place; false if all end now, and it must be ended by the caller. */
    synchronized boolean add(OpenSale sale, Watcher watcher) {
        if (closing) {
            return false;
        }
        arriving.add(new Arriving(sale, watcher));
        LockSupport.unpark(thread);
        return true;
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    private void run() {
        try {
            long next = System.nanoTime();
            while (!isClosing()) {
                long now = System.nanoTime();
                if (!audiences.isEmpty() && now - next >= 0) {
                    next = now + Math.max(ROUND_NANOS, SPARING * timedRound(now));
                } else if (!arriving.isEmpty()) {
                    welcome(now);
                } else if (audiences.isEmpty()) {
                    LockSupport.park(this);
                } else {
                    LockSupport.parkNanos(this, next - now);
                }
            }
        } finally {
            takeNoMore();
            end();
        }
    }

    /** What a round took of a processor; more if it had to wait for one, since others need it. */
    private long timedRound(long startNanos) {
        long before = THREADS.getCurrentThreadCpuTime();
        round(startNanos);
        long own = THREADS.getCurrentThreadCpuTime() - before;
        return Math.max(own, (System.nanoTime() - startNanos) / 2);
    }

    private void round(long nowNanos) {
        for (Audience audience : audiences.values()) {
            try {
                audience.tick(nowNanos);
            } catch (RuntimeException | Error failure) {
                failed(failure);
                audience.cut();
            }
        }
        audiences.values().removeIf(Audience::isEmpty);
    }

    private void welcome(long nowNanos) {
        Arriving one = arriving.remove();
        try {
            audiences
                    .computeIfAbsent(
                            one.sale.rules().id(),
                            id -> new Audience(one.sale, heartbeat, this::failed))
                    .add(one.watcher, greeting, nowNanos);
        } catch (RuntimeException | Error failure) {
            failed(failure);
            one.watcher.cut();
        }
    }

    /** The one that it befell is cut; the others are not to notice. One a minute is told. */
    private void failed(Throwable failure) {
        long now = System.nanoTime();
        if (toldNanos == null || now - toldNanos > TOLD_NANOS) {
            toldNanos = now;
            LOG.log(Level.ERROR, "failed to write to who watches", failure);
        }
    }

    private void end() {
        long now = System.nanoTime();
        while (!arriving.isEmpty()) {
            welcome(now);
        }
        audiences.values().forEach(audience -> audience.end(farewell, now));
        audiences.clear();
    }

    private synchronized void takeNoMore() {
        closing = true;
    }

    /** Ends all streams, so that their clients come again, here or elsewhere. Bounded. */
    @Override
    public void close() {
        takeNoMore();
        LockSupport.unpark(thread);
        try {
            thread.join(CLOSE.toMillis());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
