package dev.spike.bench.scenario;

import dev.spike.core.Outcome;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * The buyers of the scenario, how they come, and what they were answered. A few threads bring them;
 * at most {@value #IN_FLIGHT} wait for their first answer at once. Safe for use by many threads.
 */
final class Crowd implements AutoCloseable {

    static final int IN_FLIGHT = 4_000;
    private static final int THREADS = 4;

    final Refusals refusals = new Refusals();
    final Promises promises = new Promises();
    final StoreClock clock;

    /** Answers to requests to reserve, of all tries. */
    final Map<Outcome, LongAdder> answers = new ConcurrentHashMap<>();

    /** Answers to requests to confirm, of all tries. */
    final Map<Outcome, LongAdder> payments = new ConcurrentHashMap<>();

    final LongAdder reserved = new LongAdder();
    final LongAdder lostAnswers = new LongAdder();
    final LongAdder repeats = new LongAdder();
    final LongAdder repeatsRefusedAtFirst = new LongAdder();

    private final long seed;
    private final Duration hold;
    private final Semaphore places = new Semaphore(IN_FLIGHT);
    private final LongAdder came = new LongAdder();
    private final LongAdder gone = new LongAdder();
    private volatile Traffic traffic;
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();

    /**
     * @param hold of the sale
     * @param traffic of the first nodes
     */
    Crowd(long seed, Duration hold, StoreClock clock, Traffic traffic) {
        this.seed = seed;
        this.hold = hold;
        this.clock = clock;
        this.traffic = traffic;
    }

    /** Where requests go now. */
    Traffic traffic() {
        return traffic;
    }

    /** Sends requests elsewhere from now on; for one thread. */
    void redirect(Traffic next) {
        traffic = next;
    }

    /** Counts an answer. */
    static void count(Map<Outcome, LongAdder> answers, Outcome outcome) {
        answers.computeIfAbsent(outcome, first -> new LongAdder()).increment();
    }

    /** Buyers who come one after the other, by their numbers. */
    interface Wave {
        /**
         * When the next comes, in seconds after the first; negative: nobody comes any more. Called
         * by one thread at a time.
         *
         * @param nth 0 for the first
         */
        double dueSeconds(int nth);
    }

    /**
     * Has buyers come, and waits until each had a first answer.
     *
     * @param from the number of the first
     * @param paying the share of them that pays
     * @return how many came
     */
    int come(Wave wave, int from, double paying) {
        AtomicInteger next = new AtomicInteger();
        long start = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> bring(wave, from, paying, next, start), "crowd-" + i);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            join(thread);
        }
        places.acquireUninterruptibly(IN_FLIGHT);
        places.release(IN_FLIGHT);
        return next.get();
    }

    private void bring(Wave wave, int from, double paying, AtomicInteger next, long start) {
        while (true) {
            int nth;
            long dueNanos;
            synchronized (next) {
                nth = next.get();
                dueNanos = (long) (wave.dueSeconds(nth) * 1e9);
                if (dueNanos < 0) {
                    return;
                }
                next.incrementAndGet();
            }
            while (System.nanoTime() - start < dueNanos) {
                LockSupport.parkNanos(dueNanos - (System.nanoTime() - start));
            }
            places.acquireUninterruptibly();
            came.increment();
            new Visit(this, seed, from + nth, paying, hold).start();
        }
    }

    /** A visit had its first answer. */
    void answered() {
        places.release();
    }

    /** A visit is over. */
    void left() {
        gone.increment();
    }

    /** Whether everybody who came is done. */
    boolean isDone() {
        return gone.sum() == came.sum();
    }

    /** Runs something that does not block, after some time. */
    void later(long millis, Runnable what) {
        later.schedule(what, millis, TimeUnit.MILLISECONDS);
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the buyers came", e);
        }
    }

    @Override
    public void close() {
        later.shutdownNow();
    }
}
