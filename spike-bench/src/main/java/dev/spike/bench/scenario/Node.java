package dev.spike.bench.scenario;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;

/**
 * A node of the scenario: a {@link Spike} with a quota, threads and connections of its own, which
 * can be killed. Safe for use by many threads.
 *
 * <p>Killed, it is as a process that ended: its connections are cut and its threads are gone at
 * once, whatever was under way, and it tells nobody anything any more. Its callers see their
 * connection to it break: each gets {@link #LOST}.
 */
final class Node implements AutoCloseable {

    /** The answer that never came, since the node was killed: done or not, nobody knows. */
    static final Answer LOST = Answer.later(Outcome.UNKNOWN, Duration.ZERO);

    private final String name;
    private final Wire wire;
    private final ExecutorService calls;
    private final ScheduledExecutorService timer;
    private final Spike spike;
    private final Set<CompletableFuture<Answer>> underWay = ConcurrentHashMap.newKeySet();
    private volatile boolean killed;

    /**
     * Starts it.
     *
     * @param uri of Redis
     * @param nodes how many share the sale
     */
    Node(String name, String uri, String saleId, int nodes) {
        this.name = name;
        wire = new Wire(uri);
        ThreadFactory daemons = task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            // What a killed node's threads die of concerns nobody.
            thread.setUncaughtExceptionHandler((dying, cause) -> {
                if (!killed) {
                    cause.printStackTrace();
                }
            });
            return thread;
        };
        calls = Executors.newCachedThreadPool(daemons);
        timer = Executors.newSingleThreadScheduledExecutor(daemons);
        spike = Spike.builder(new RedisSpike(wire.client(), saleId, null))
                .nodes(nodes)
                .threads(calls, timer)
                .start();
    }

    CompletionStage<Answer> reserve(String buyer, String key) {
        return killed ? lost() : watched(spike.reserveAsync(buyer, key, 1));
    }

    CompletionStage<Answer> confirm(ReservationId id) {
        return killed ? lost() : watched(spike.confirmAsync(id));
    }

    private static CompletionStage<Answer> lost() {
        return CompletableFuture.completedStage(LOST);
    }

    /** The answer, or {@link #LOST} if the node is killed first. */
    private CompletionStage<Answer> watched(CompletionStage<Answer> answer) {
        CompletableFuture<Answer> told = new CompletableFuture<>();
        underWay.add(told);
        answer.thenAccept(given -> {
            underWay.remove(told);
            told.complete(killed ? LOST : given);
        });
        if (killed) {
            told.complete(LOST);
        }
        return told;
    }

    /** How many requests wait for their answers. */
    int underWay() {
        return underWay.size();
    }

    /** Ends it as the end of its process would. */
    void kill() {
        killed = true;
        wire.cut();
        timer.shutdownNow();
        calls.shutdownNow();
        underWay.forEach(told -> told.complete(LOST));
        wire.close();
    }

    boolean isKilled() {
        return killed;
    }

    /** Stops it in an orderly way, unless it was killed. */
    @Override
    public void close() {
        if (!killed) {
            spike.close();
            calls.shutdownNow();
            timer.shutdownNow();
            wire.close();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
