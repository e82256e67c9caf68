package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Buyers who reserve, confirm, cancel and extend through several nodes at full speed, while the
 * sale is restocked: a thread for each node, each with a random of its own.
 */
public final class Crowd implements AutoCloseable {

    private final List<Spike> nodes;
    private final long seed;
    private final int buyers;
    private final int rounds;
    private final ExecutorService threads;
    private final List<Future<?>> running = new ArrayList<>();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Map<Outcome, AtomicLong> answers = new ConcurrentHashMap<>();

    /** @param rounds of 20 wishes through each node */
    public Crowd(List<Spike> nodes, int buyers, int rounds, long seed) {
        this.nodes = nodes;
        this.seed = seed;
        this.buyers = buyers;
        this.rounds = rounds;
        this.threads = Executors.newFixedThreadPool(nodes.size());
        for (int i = 0; i < nodes.size(); i++) {
            int node = i;
            running.add(threads.submit(() -> run(node)));
        }
    }

    private void run(int node) {
        Random random = new Random(seed + node);
        List<ReservationId> held = new ArrayList<>();
        for (int round = 0; round < rounds && !stop.get(); round++) {
            List<CompletionStage<Answer>> asked = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                asked.add(ask(nodes.get(node), random, held, node + "-" + round + "-" + i));
            }
            for (CompletionStage<Answer> stage : asked) {
                Answer answer = stage.toCompletableFuture()
                        .orTimeout(20, TimeUnit.SECONDS)
                        .join();
                answers.computeIfAbsent(answer.outcome(), o -> new AtomicLong()).incrementAndGet();
                if (answer.outcome() == Outcome.RESERVED) {
                    held.add(answer.reservation().id());
                }
            }
            if (round % 5 == 0) {
                long delta = 1 + random.nextInt(100);
                String op = "restock-" + node + "-" + round;
                nodes.get(node).restock(op, random.nextInt(5) < 3 ? delta : -delta);
            }
        }
    }

    private CompletionStage<Answer> ask(
            Spike node, Random random, List<ReservationId> held, String key) {
        int wish = random.nextInt(20);
        if (held.isEmpty() || wish < 11) {
            String buyer = "buyer" + random.nextInt(buyers);
            return node.reserveAsync(buyer, key, 1 + random.nextInt(3));
        }
        // Some are left to expire.
        ReservationId id = held.get(random.nextInt(held.size()));
        if (wish == 19) {
            return node.extendAsync(id);
        }
        held.remove(id);
        return wish < 15 ? node.confirmAsync(id) : node.cancelAsync(id);
    }

    /** Whether somebody still buys. */
    public boolean isBusy() {
        return running.stream().anyMatch(one -> !one.isDone());
    }

    /** Sends everybody home, and demands that they bought, and that all were answered. */
    @Override
    public void close() {
        stop.set(true);
        threads.shutdown();
        for (Future<?> one : running) {
            try {
                one.get(30, TimeUnit.SECONDS);
            } catch (Exception failed) {
                throw new AssertionError("seed " + seed, failed);
            }
        }
        Map<Outcome, Long> all = new EnumMap<>(Outcome.class);
        answers.forEach((outcome, count) -> all.put(outcome, count.get()));
        assertThat(all)
                .as("seed " + seed)
                .containsKeys(Outcome.RESERVED, Outcome.CONFIRMED, Outcome.CANCELLED)
                .doesNotContainKeys(Outcome.UNKNOWN);
    }
}
