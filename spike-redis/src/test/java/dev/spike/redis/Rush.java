package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Buyers who reserve a unit each, one after the other, four at a time through each node, until they
 * are sent home; what they were told is kept.
 */
final class Rush implements AutoCloseable {

    private final ExecutorService threads;
    private final List<Future<?>> running = new ArrayList<>();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicInteger next = new AtomicInteger();
    private final Map<Outcome, AtomicLong> outcomes = new ConcurrentHashMap<>();
    private final Map<ReservationId, Spike> reserved = new ConcurrentHashMap<>();

    Rush(List<Spike> nodes) {
        threads = Executors.newFixedThreadPool(4 * nodes.size());
        for (int i = 0; i < 4 * nodes.size(); i++) {
            Spike node = nodes.get(i % nodes.size());
            running.add(threads.submit(() -> buy(node)));
        }
    }

    private void buy(Spike node) {
        while (!stop.get()) {
            Answer answer = node.reserve("rush" + next.incrementAndGet(), "key", 1);
            if (answer.outcome() == Outcome.RESERVED) {
                reserved.put(answer.reservation().id(), node);
            } else {
                // A refusal costs nothing, and this is no test of how many there can be.
                LockSupport.parkNanos(1_000_000);
            }
            outcomes.computeIfAbsent(answer.outcome(), o -> new AtomicLong()).incrementAndGet();
        }
    }

    /** Who was told RESERVED, and by which node. */
    Map<ReservationId, Spike> reserved() {
        return Map.copyOf(reserved);
    }

    /** Which answers there were. */
    Set<Outcome> outcomes() {
        return Set.copyOf(outcomes.keySet());
    }

    /** How often this was the answer. */
    long count(Outcome outcome) {
        AtomicLong count = outcomes.get(outcome);
        return count == null ? 0 : count.get();
    }

    /** Waits until so many more were told RESERVED. */
    void awaitReserved(int more) {
        long until = count(Outcome.RESERVED) + more;
        OrderRelayCase.await().until(() -> count(Outcome.RESERVED) >= until);
    }

    /** Waits until somebody was told one of these. */
    void awaitAnswers(Outcome... any) {
        OrderRelayCase.await().until(() -> Stream.of(any).anyMatch(outcome -> count(outcome) > 0));
    }

    /** Sends everybody home, and waits until all are answered. */
    @Override
    public void close() {
        stop.set(true);
        threads.shutdown();
        Duration most = FourNodes.TIMEOUT.plusSeconds(20);
        for (Future<?> buyer : running) {
            try {
                buyer.get(most.toSeconds(), TimeUnit.SECONDS);
            } catch (Exception failed) {
                throw new AssertionError(failed);
            }
        }
        assertThat(reserved).hasSize((int) count(Outcome.RESERVED));
    }
}
