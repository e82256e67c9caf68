package dev.spike.bench.load;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One load: requests that are due at a constant rate, whatever became of those before them.
 *
 * <p>Request n is due n / rate after the start. When a connection is free it is sent, else it waits
 * for one; either way its latency counts from when it was due. So a stall of the server counts for
 * all that should have been sent meanwhile, not only for those that happened to be under way. The
 * threads look at the clock and the connections about every 0.1 ms, and that much is in each
 * latency.
 *
 * @param cycle the requests; that of number n is the (n mod size)-th, all to one server
 * @param first the number of the first one
 * @param rate requests due each second, of all threads together
 * @param time in which they are due
 * @param connections of all threads together; each has at most one request under way
 * @param threads each with a selector
 * @param drain for how long, after the last was due, requests may still be sent and answered
 * @param giveUp a load is given up once more than 1 % of all its requests were answered later than
 *     this: its 99th percentile is decided then; zero: never
 */
record Load(
        List<Template> cycle,
        long first,
        double rate,
        Duration time,
        int connections,
        int threads,
        Duration drain,
        Duration giveUp) {

    Load {
        require(rate > 0, "> 0", "rate", rate);
        require(threads > 0, "> 0", "threads", threads);
        require(connections >= threads, ">= threads", "connections", connections);
        require(!time.isNegative() && !time.isZero(), "> 0", "time", time);
    }

    private static void require(boolean valid, String rule, String name, Object value) {
        if (!valid) {
            throw new IllegalArgumentException("must be " + rule + ": " + name + "=" + value);
        }
    }

    /** How many requests are due in all. */
    long count() {
        return Math.max(1, Math.round(rate * time.toNanos() / 1e9));
    }

    /** When the i-th request is due, in nanoseconds after the start. */
    long dueNanos(long i) {
        return (long) (i * (1e9 / rate));
    }

    /** How many late answers decide that the 99th percentile is late. */
    long lateAllowed() {
        return giveUp.isZero() ? Long.MAX_VALUE : count() / 100;
    }

    /**
     * Opens all connections, and then sends all requests. Blocks until they are answered or lost.
     *
     * @throws IllegalStateException if a connection cannot be made at the start
     */
    LoadReport run() throws InterruptedException {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        List<Sender> senders = new ArrayList<>();
        try {
            AtomicLong late = new AtomicLong();
            for (int i = 0; i < threads; i++) {
                senders.add(new Sender(this, i, late));
            }
            for (Sender sender : senders) {
                sender.connect();
            }
            long start = System.nanoTime();
            List<Future<LoadReport>> running = senders.stream()
                    .map(sender -> executor.submit(() -> sender.run(start)))
                    .toList();
            LoadReport report = new LoadReport(this);
            for (Future<LoadReport> future : running) {
                report.add(future.get());
            }
            report.end(System.nanoTime() - start);
            return report;
        } catch (ExecutionException failure) {
            throw new IllegalStateException("the generator failed", failure.getCause());
        } catch (IOException failure) {
            throw new IllegalStateException(
                    "no connection to " + cycle.get(0).address() + ": " + failure.getMessage(),
                    failure);
        } finally {
            executor.shutdownNow();
            for (Sender sender : senders) {
                sender.close();
            }
        }
    }
}
