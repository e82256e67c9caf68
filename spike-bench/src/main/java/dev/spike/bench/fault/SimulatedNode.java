package dev.spike.bench.fault;

import dev.spike.core.Levels;
import dev.spike.core.Spike;

import java.time.Duration;
import java.util.Random;

/** A node of a simulation: a real {@link Spike} on virtual threads and a virtual clock. */
final class SimulatedNode implements Scheduler.Owner {

    static final Duration SYNC = Duration.ofSeconds(1);
    static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final String name;
    private final Scheduler scheduler;
    private final NodeThreads threads;
    private final Network network;
    private final Spike spike;
    private boolean isDead;
    private long pausedUntil;
    private long pausedNanos;
    private long knownSequence;

    SimulatedNode(
            String name,
            int nodes,
            Scheduler scheduler,
            Random random,
            SimulatedStore store,
            Faults faults) {
        this.name = name;
        this.scheduler = scheduler;
        this.threads = new NodeThreads(scheduler, this);
        this.network = new Network(scheduler, random, store, threads, this, faults);
        // Each node's elapsed time has an origin of its own.
        long origin = random.nextLong();
        this.spike = Spike.builder(network)
                .nodes(nodes)
                .timeout(TIMEOUT)
                .syncEvery(SYNC)
                .threads(threads, threads)
                .nanoTime(() -> origin + scheduler.nowNanos())
                .random(new Random(random.nextLong()))
                .start();
    }

    Spike spike() {
        return spike;
    }

    /** Whether it was told that the store lost changes, and whether it could know. */
    boolean wasToldOfALoss() {
        return network.wasToldLess();
    }

    /** Stops all of it, as the machine's next pause would: nobody is answered any more. */
    void die() {
        isDead = true;
        threads.abandon();
    }

    @Override
    public boolean isDead() {
        return isDead;
    }

    void pauseFor(long nanos) {
        pausedUntil = scheduler.nowNanos() + nanos;
        pausedNanos += nanos;
    }

    /** It does not reach the store for a while. */
    void cutOffFor(long nanos) {
        network.cutFor(nanos);
    }

    /** Neither paused nor cut off any more. */
    void goOn() {
        pausedUntil = 0;
        network.cutFor(0);
    }

    /** Whether it knows no older levels than when this was asked last. */
    boolean hasNotForgotten() {
        long before = knownSequence;
        knownSequence = spike.levels().map(Levels::sequence).orElse(before);
        return knownSequence >= before;
    }

    @Override
    public long pausedUntil() {
        return pausedUntil;
    }

    /** How long it was paused in all. */
    long pausedNanos() {
        return pausedNanos;
    }

    @Override
    public String toString() {
        return name;
    }
}
