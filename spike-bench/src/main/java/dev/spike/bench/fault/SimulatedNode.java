package dev.spike.bench.fault;

import dev.spike.core.Levels;
import dev.spike.core.Spike;
import dev.spike.redis.OrderRelay;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * A node of a simulation: a real {@link Spike} and perhaps a real {@link OrderRelay}, on virtual
 * threads and a virtual clock.
 */
final class SimulatedNode implements Scheduler.Owner {

    static final Duration SYNC = Duration.ofSeconds(1);
    static final Duration TIMEOUT = Duration.ofSeconds(1);

    /** How old what a node knows may be to refuse by it: three syncs, in nanoseconds. */
    static final long OLDEST = SYNC.toNanos() * 3;

    /** How often it does at least, with room for what its threads do meanwhile. */
    static final long LOOKS_AT_ITS_CLOCK = TIMEOUT.toNanos() / 10;

    /** How often one that closes looks whether all is answered. */
    private static final long LOOK_NANOS = Duration.ofMillis(5).toNanos();

    /**
     * How a node is set up.
     *
     * @param nodes how many there are
     * @param mostBacklog see {@link dev.spike.core.SpikeBuilder#orderBacklog}
     * @param consumer the name of its relay; null: it has none
     * @param takeOverAfter of its relay
     * @param tries of its relay
     * @param batch of its relay
     */
    record Setup(
            int nodes,
            long mostBacklog,
            @Nullable String consumer,
            Duration takeOverAfter,
            int tries,
            int batch) {}

    private record Pause(long from, long until) {}

    private final String name;
    private final Setup setup;
    private final Scheduler scheduler;
    private final NodeThreads threads;
    private final Link link;
    private final Knowledge knowledge = new Knowledge();
    private final Spike spike;
    private final @Nullable OrderRelay relay;
    private final long originNanos;
    private @Nullable Fiber closing;
    private boolean isDead;
    private long pausedUntil;
    private final List<Pause> pauses = new ArrayList<>();
    private long knownSequence;
    private int unanswered;

    SimulatedNode(
            String name,
            Setup setup,
            World world,
            SimulatedStore store,
            SimulatedBook book,
            Faults faults,
            Asked asked) {
        this.name = name;
        this.setup = setup;
        this.scheduler = world.scheduler;
        this.threads = new NodeThreads(scheduler, this);
        this.link = new Link(world, store, threads, this, faults);
        // Each node's elapsed time has an origin of its own.
        this.originNanos = world.random.nextLong();
        Network network = new Network(link, world, store, knowledge, asked);
        this.spike = Spike.builder(network)
                .nodes(setup.nodes)
                .timeout(TIMEOUT)
                .syncEvery(SYNC)
                .orderBacklog(setup.mostBacklog)
                .threads(threads, threads)
                .nanoTime(this::nanoTime)
                .random(new Random(world.random.nextLong()))
                .start();
        this.relay = setup.consumer == null
                ? null
                : OrderRelay.of(network, book.sinkOf(this, threads))
                        .consumer(setup.consumer)
                        .takeOverAfter(setup.takeOverAfter)
                        .tries(setup.tries)
                        .batch(setup.batch)
                        .threads(threads, threads)
                        .nanoTime(this::nanoTime)
                        .start();
    }

    /** Time passes for one that waits for the end, and would park its thread meanwhile. */
    private long nanoTime() {
        if (closing != null && scheduler.current() == closing) {
            threads.sleep(LOOK_NANOS);
            LockSupport.unpark(Thread.currentThread());
        }
        return originNanos + scheduler.nowNanos();
    }

    Spike spike() {
        return spike;
    }

    Setup setup() {
        return setup;
    }

    /** Runs a task that calls the store, and so waits. */
    void run(Runnable task) {
        threads.execute(task);
    }

    /** From when on what it knows was so; null: it knows nothing, or only what is older. */
    @Nullable
    Long knowsSinceNanos(long mostAge) {
        boolean isOfLately = knowledge.newest() != null
                && scheduler.nowNanos() - knowledge.askedNanos() <= mostAge;
        return isOfLately ? knowledge.askedNanos() : null;
    }

    /** When it asked for what it knows. */
    long askedNanos() {
        return knowledge.askedNanos();
    }

    /** Whether it was told that the store lost changes, and so could know. */
    boolean wasToldOfALoss() {
        return knowledge.wasToldOfALoss();
    }

    /** Whether it knows that too many orders wait, and not only by what is too old. */
    boolean isBackedUp() {
        Levels known = knowledge.newest();
        return known != null
                && known.backlog() >= setup.mostBacklog
                && known.phase() == Levels.Phase.OPEN
                && known.available() > 0
                && scheduler.nowNanos() - knowledge.askedNanos() < SYNC.toNanos() * 2;
    }

    /** Stops all of it, as the machine's next pause would: nobody is answered any more. */
    void die() {
        isDead = true;
        threads.abandon();
    }

    /** Closes the relay and the node, as an operator does, and then stops all of it. */
    void close(Runnable then) {
        threads.execute(() -> {
            closing = scheduler.current();
            if (relay != null) {
                relay.close();
            }
            spike.close();
            closing = null;
            then.run();
            die();
        });
    }

    @Override
    public boolean isDead() {
        return isDead;
    }

    void pauseFor(long nanos) {
        long from = Math.max(pausedUntil, scheduler.nowNanos());
        pausedUntil = Math.max(from, scheduler.nowNanos() + nanos);
        pauses.add(new Pause(from, pausedUntil));
    }

    /** It does not reach the store for a while. */
    void cutOffFor(long nanos) {
        link.cutFor(nanos);
    }

    /** Not cut off any more. */
    void goOn() {
        link.cutFor(0);
    }

    /** Whether it knows no older levels than when this was asked last. */
    boolean hasNotForgotten() {
        long before = knownSequence;
        knownSequence = spike.levels().map(Levels::sequence).orElse(before);
        return knownSequence >= before;
    }

    /** A request was made, or, with -1, answered. */
    void asked(int count) {
        unanswered += count;
    }

    /** How many requests wait for an answer. */
    int unanswered() {
        return unanswered;
    }

    @Override
    public long pausedUntil() {
        return pausedUntil;
    }

    /** For how much of the time since then it was paused. */
    long pausedSince(long nanos) {
        long now = scheduler.nowNanos();
        return pauses.stream()
                .mapToLong(one -> Math.min(one.until, now) - Math.max(one.from, nanos))
                .filter(paused -> paused > 0)
                .sum();
    }

    @Override
    public String toString() {
        return name;
    }
}
