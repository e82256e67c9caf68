package dev.spike.http;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Runs blocking look-ups in the store on threads of its own. What does not fit in its bounded
 * queue, or has waited there too long, is answered as not sent, so that a flood of look-ups cannot
 * pile up.
 */
final class StoreCalls implements AutoCloseable {

    private static final Duration CLOSE = Duration.ofSeconds(1);

    private final ThreadPoolExecutor threads;
    private final Duration patience;

    /**
     * @param name of its threads
     * @param most how many calls run at once
     * @param waiting how many more may wait
     * @param patience how long one may wait; then it is not made any more
     */
    StoreCalls(String name, int most, int waiting, Duration patience) {
        this.patience = patience;
        threads = new ThreadPoolExecutor(
                most, most, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waiting), task -> {
                    Thread thread = new Thread(task, name);
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    <T> CompletionStage<T> call(Supplier<T> blocking) {
        long asked = System.nanoTime();
        Supplier<T> inTime = () -> {
            if (System.nanoTime() - asked > patience.toNanos()) {
                throw new RemoteSpikeException(Kind.NOT_SENT, "waited too long", null);
            }
            return blocking.get();
        };
        try {
            return CompletableFuture.supplyAsync(inTime, threads);
        } catch (RejectedExecutionException full) {
            return CompletableFuture.failedStage(
                    new RemoteSpikeException(Kind.NOT_SENT, "too many calls wait", null));
        }
    }

    /** Waits, bounded, for the calls under way. */
    @Override
    public void close() {
        threads.shutdown();
        try {
            threads.awaitTermination(CLOSE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
