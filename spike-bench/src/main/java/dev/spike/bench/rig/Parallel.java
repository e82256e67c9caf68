package dev.spike.bench.rig;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/** One task, run by several threads at once. */
public final class Parallel {

    private Parallel() {}

    /**
     * Runs it once on each thread, and returns when all have ended.
     *
     * @throws java.util.concurrent.CompletionException if one has failed
     */
    public static void run(int threads, Runnable task) {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            CompletableFuture.allOf(IntStream.range(0, threads)
                            .mapToObj(i -> CompletableFuture.runAsync(task, executor))
                            .toArray(CompletableFuture<?>[]::new))
                    .join();
        } finally {
            executor.shutdownNow();
        }
    }
}
