package dev.spike.core;

import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Group commit: one call to the shared stock is in flight, and the requests that arrive meanwhile
 * are the next call's group; when they are as many as a call takes, a second call is made at once.
 * No timer, no added delay when idle. A group without an answer is sent again, the same, until its
 * requests' deadlines.
 *
 * <p>A request is in exactly one place: the queue, a group in flight, or answered. Whoever removes
 * it from the queue owns it; what was removed unsent is certainly {@link Outcome#UNAVAILABLE}.
 * Within the group, its monitor orders a request's giving up against the next sending, so that
 * nobody is told UNAVAILABLE and sent all the same. All requests have the same patience, so the
 * queue is in order of deadlines.
 */
final class GroupCommit<R> {

    /** What is committed. */
    interface Work<R> {
        /**
         * Sends a group, blocking.
         *
         * @param again whether this is a further try for them
         * @param deadlineNanos when the last of the group gives up
         * @return one answer for each, in order
         * @throws RemoteSpikeException if there is no answer
         */
        List<Answer> send(List<R> group, boolean again, long deadlineNanos);

        /** The reservation that a request is about. */
        ReservationId idOf(R request);

        /** Told once for each accepted request, before its waiter is. */
        void answered(R request, Answer answer);

        /** The store is damaged, or this program is wrong: nothing may be sent any more. */
        void broken(Throwable cause);
    }

    private static final class Pending<R> {
        final R request;
        final long deadlineNanos;
        final CompletableFuture<Answer> answer = new CompletableFuture<>();

        Pending(R request, long deadlineNanos) {
            this.request = request;
            this.deadlineNanos = deadlineNanos;
        }

        boolean isOverdue(long nowNanos) {
            return nowNanos - deadlineNanos >= 0;
        }
    }

    /** How many calls at once: while one's answers are handed out, the store works on the other. */
    private static final int MAX_CALLS = 2;

    private static final long FIRST_BACKOFF_NANOS = Duration.ofMillis(4).toNanos();
    private static final long LAST_BACKOFF_NANOS = Duration.ofMillis(128).toNanos();
    private static final Duration UNKNOWN_DELAY = Duration.ofMillis(100);

    private final Work<R> work;
    private final long patienceNanos;
    private final int queueLimit;
    private final Executor calls;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final Supplier<RandomGenerator> random;

    private final Queue<Pending<R>> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger queued = new AtomicInteger();
    private final AtomicInteger callers = new AtomicInteger();
    private final Set<Group> inFlight = ConcurrentHashMap.newKeySet();
    private volatile long lastCallNanos;
    private volatile boolean closed;

    GroupCommit(
            Work<R> work, SpikeBuilder options, Executor calls, ScheduledExecutorService timer) {
        this.work = work;
        this.patienceNanos = options.timeout.toNanos();
        this.queueLimit = options.queueLimit;
        this.calls = calls;
        this.timer = timer;
        this.nanoTime = options.nanoTime;
        this.random = options.random;
    }

    /**
     * Queues a request; never blocks. The stage completes by the deadline, on the thread that
     * learned the answer.
     */
    CompletableFuture<Answer> submit(R request) {
        Pending<R> pending = new Pending<>(request, nanoTime.getAsLong() + patienceNanos);
        if (queued.incrementAndGet() > queueLimit) {
            queued.decrementAndGet();
            answer(pending, unavailable());
            return pending.answer;
        }
        queue.add(pending);
        if (!closed) {
            start();
        } else if (unqueue(pending)) {
            answer(pending, unavailable());
        }
        return pending.answer;
    }

    /** How many requests wait for a call. */
    int queued() {
        return Math.min(queued.get(), queueLimit);
    }

    /** Gives up all requests that are past their deadline; to be called every now and then. */
    void giveUpOverdue() {
        long now = nanoTime.getAsLong();
        Pending<R> head = queue.peek();
        while (head != null && head.isOverdue(now)) {
            if (unqueue(head)) {
                answer(head, unavailable());
            }
            head = queue.peek();
        }
        inFlight.forEach(group -> group.giveUpOverdue(now));
    }

    /** Refuses what comes from now on. */
    void refuse() {
        closed = true;
    }

    /** Waits until all is answered, and gives up what is not by then, or when interrupted. */
    void finish(long endNanos) {
        while ((callers.get() > 0 || !queue.isEmpty())
                && nanoTime.getAsLong() - endNanos < 0
                && !Thread.currentThread().isInterrupted()) {
            giveUpOverdue();
            LockSupport.parkNanos(1_000_000);
        }
        giveUpAll();
    }

    /** Gives up what waits and what is under way. */
    void giveUpAll() {
        giveUpQueued();
        inFlight.forEach(Group::giveUp);
    }

    private void giveUpQueued() {
        for (Pending<R> left = queue.poll(); left != null; left = queue.poll()) {
            queued.decrementAndGet();
            answer(left, unavailable());
        }
    }

    /**
     * A delay after which the queue will have been worked off, by the pace of the last call: 10 ms
     * to 1 s.
     */
    private Answer unavailable() {
        long rounds = queued.get() / RemoteSpike.MAX_BATCH + 1L;
        long millis = Math.max(
                10, Math.min(1_000, TimeUnit.NANOSECONDS.toMillis(rounds * lastCallNanos)));
        return Answer.later(Outcome.UNAVAILABLE, Duration.ofMillis(millis));
    }

    private boolean unqueue(Pending<R> pending) {
        boolean mine = queue.remove(pending);
        if (mine) {
            queued.decrementAndGet();
        }
        return mine;
    }

    private void answer(Pending<R> pending, Answer answer) {
        try {
            work.answered(pending.request, answer);
        } finally {
            pending.answer.complete(answer);
        }
    }

    private void start() {
        int now = callers.get();
        if (mayCall(now + 1) && callers.compareAndSet(now, now + 1)) {
            call(null);
        }
    }

    /**
     * Whether one of so many callers may take the next group: the only one takes what there is, one
     * of two only a whole batch.
     */
    private boolean mayCall(int callersThen) {
        return callersThen == 1
                || callersThen <= MAX_CALLS && queued.get() >= RemoteSpike.MAX_BATCH;
    }

    /** Goes on with {@link #run} on a thread for calls. */
    private void call(@Nullable Group again) {
        orGiveUp(again, () -> calls.execute(() -> run(again)));
    }

    private void callAfter(Group again, long nanos) {
        orGiveUp(again, () -> timer.schedule(() -> call(again), nanos, TimeUnit.NANOSECONDS));
    }

    /** Without a thread, what waits has ended, unless another caller is there to serve it. */
    private void orGiveUp(@Nullable Group again, Runnable execution) {
        try {
            execution.run();
        } catch (RejectedExecutionException | OutOfMemoryError noThread) {
            if (again != null) {
                again.giveUp();
                inFlight.remove(again);
            }
            if (callers.decrementAndGet() == 0) {
                giveUpQueued();
            }
        }
    }

    /**
     * Commits group after group, until none is left for this caller or one must wait for its next
     * try.
     *
     * @param again a group that was sent before; null: none
     */
    private void run(@Nullable Group again) {
        Group group = again;
        while (true) {
            if (group == null && mayCall(callers.get())) {
                group = nextGroup();
            }
            if (group == null) {
                boolean isLast = callers.decrementAndGet() == 0;
                if (!isLast || queue.isEmpty() || !callers.compareAndSet(0, 1)) {
                    return;
                }
            } else {
                inFlight.add(group);
                long backoffNanos = group.send();
                if (backoffNanos > 0) {
                    callAfter(group, backoffNanos);
                    return;
                }
                inFlight.remove(group);
                group = null;
            }
        }
    }

    private @Nullable Group nextGroup() {
        List<Pending<R>> next = new ArrayList<>();
        while (next.size() < RemoteSpike.MAX_BATCH) {
            Pending<R> pending = queue.poll();
            if (pending == null) {
                break;
            }
            next.add(pending);
        }
        queued.addAndGet(-next.size());
        return next.isEmpty() ? null : new Group(next);
    }

    /**
     * The requests of one call, and of its repeats. Its monitor guards which of them are still
     * open.
     */
    private final class Group {
        private final Deque<Pending<R>> open;
        private boolean mayHaveRun;
        private int tries;

        Group(Collection<Pending<R>> requests) {
            this.open = new ArrayDeque<>(requests);
        }

        /** One try: answers all, or says how many nanoseconds to wait before the next. */
        long send() {
            long start = nanoTime.getAsLong();
            giveUpOverdue(start);
            List<Pending<R>> sent;
            boolean ranBefore;
            synchronized (this) {
                if (open.isEmpty()) {
                    return 0;
                }
                sent = List.copyOf(open);
                ranBefore = mayHaveRun;
                mayHaveRun = true;
            }
            try {
                List<R> requests = sent.stream().map(pending -> pending.request).toList();
                List<Answer> answers =
                        work.send(requests, tries > 0, sent.get(sent.size() - 1).deadlineNanos);
                if (answers.size() != sent.size()) {
                    throw new IllegalStateException(
                            answers.size() + " answers to " + sent.size() + " requests");
                }
                for (int i = 0; i < sent.size(); i++) {
                    if (take(sent.get(i))) {
                        answer(sent.get(i), answers.get(i));
                    }
                }
                return 0;
            } catch (RemoteSpikeException failure) {
                return afterFailure(failure, ranBefore);
            } catch (RuntimeException | Error bug) {
                work.broken(bug);
                giveUp();
                return 0;
            } finally {
                lastCallNanos = nanoTime.getAsLong() - start;
            }
        }

        private long afterFailure(RemoteSpikeException failure, boolean ranBefore) {
            Kind kind = failure.kind();
            if (kind == Kind.NOT_SENT || kind == Kind.NOT_EXECUTED) {
                synchronized (this) {
                    mayHaveRun = ranBefore;
                }
            }
            if (kind == Kind.BROKEN) {
                work.broken(failure);
            }
            if (kind == Kind.BROKEN || kind == Kind.NOT_SENT && !ranBefore) {
                giveUp();
                return 0;
            }
            long mostNanos = Math.min(LAST_BACKOFF_NANOS, patienceNanos / 8 + 2);
            long backoff = Math.min(mostNanos, FIRST_BACKOFF_NANOS << Math.min(tries++, 16));
            return random.get().nextLong(backoff / 2, backoff) + 1;
        }

        void giveUpOverdue(long now) {
            for (Pending<R> head = head(); head != null && head.isOverdue(now); head = head()) {
                giveUp(head);
            }
        }

        void giveUp() {
            for (Pending<R> head = head(); head != null; head = head()) {
                giveUp(head);
            }
        }

        private void giveUp(Pending<R> pending) {
            Answer answer;
            synchronized (this) {
                answer = mayHaveRun
                        ? Answer.unknown(work.idOf(pending.request), UNKNOWN_DELAY)
                        : unavailable();
                if (!take(pending)) {
                    return;
                }
            }
            answer(pending, answer);
        }

        private synchronized @Nullable Pending<R> head() {
            return open.peek();
        }

        /**
         * Takes a request out, to be answered; false if it was before. They leave in their order.
         */
        private synchronized boolean take(Pending<R> pending) {
            return open.peek() == pending && open.poll() != null;
        }
    }
}
