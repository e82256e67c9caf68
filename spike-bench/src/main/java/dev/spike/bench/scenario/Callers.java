package dev.spike.bench.scenario;

import dev.spike.bench.scenario.Buyer.Paying;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** The threads that bring the buyers' requests to a strategy. */
final class Callers implements AutoCloseable {

    /**
     * What came of one request of each buyer.
     *
     * @param yes the buyers who got it
     * @param seconds until the last was answered
     */
    record Answers(List<Buyer> yes, double seconds) {}

    private interface Request {
        CompletionStage<Boolean> send(Buyer buyer);
    }

    private final ExecutorService threads;
    private final int count;

    Callers(int count) {
        this.threads = Executors.newFixedThreadPool(count);
        this.count = count;
    }

    /**
     * Has every buyer ask for a unit, and those who repeat, once more as soon as they are answered.
     *
     * @param inFlight how many each thread sends before it waits for all of them; 1: it blocks
     */
    Answers ask(Strategy strategy, List<Buyer> buyers, int inFlight) {
        return all(buyers, inFlight, buyer -> {
            CompletionStage<Boolean> first = strategy.ask(buyer);
            return buyer.repeats() ? first.thenCompose(yes -> repeat(strategy, buyer, yes)) : first;
        });
    }

    private static CompletionStage<Boolean> repeat(Strategy strategy, Buyer buyer, boolean first) {
        return strategy.ask(buyer).thenApply(second -> {
            if (first && !second) {
                throw new IllegalStateException("promised, and refused when repeated: " + buyer);
            }
            return second;
        });
    }

    /** Has those of the buyers who pay at this time pay. */
    Answers pay(Strategy strategy, List<Buyer> promised, Paying when) {
        List<Buyer> paying =
                promised.stream().filter(buyer -> buyer.paying() == when).toList();
        return all(paying, 1, buyer -> CompletableFuture.completedFuture(strategy.pay(buyer)));
    }

    private Answers all(List<Buyer> buyers, int inFlight, Request request) {
        boolean[] yes = new boolean[buyers.size()];
        AtomicInteger next = new AtomicInteger();
        long start = System.nanoTime();
        CompletableFuture.allOf(IntStream.range(0, count)
                        .mapToObj(i -> CompletableFuture.runAsync(
                                () -> send(buyers, inFlight, request, next, yes), threads))
                        .toArray(CompletableFuture<?>[]::new))
                .join();
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Answers(
                IntStream.range(0, yes.length)
                        .filter(i -> yes[i])
                        .mapToObj(buyers::get)
                        .toList(),
                seconds);
    }

    private static void send(
            List<Buyer> buyers, int inFlight, Request request, AtomicInteger next, boolean[] yes) {
        List<CompletableFuture<Boolean>> sent = new ArrayList<>(inFlight);
        while (true) {
            int from = next.getAndAdd(inFlight);
            if (from >= buyers.size()) {
                return;
            }
            for (Buyer buyer : buyers.subList(from, Math.min(from + inFlight, buyers.size()))) {
                sent.add(request.send(buyer).toCompletableFuture());
            }
            for (int i = 0; i < sent.size(); i++) {
                yes[from + i] = sent.get(i).join();
            }
            sent.clear();
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
