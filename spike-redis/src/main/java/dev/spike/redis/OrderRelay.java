package dev.spike.redis;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.OrderSink;
import dev.spike.core.RemoteSpikeException;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Brings what the order log of a sale holds to an {@link OrderSink}, in the background.
 *
 * <p>An entry of the log is acknowledged after the sink has accepted its events, so each event is
 * delivered at least once: again after a crash, and after a failure, with growing delays, for as
 * long as the sink is away. Several relays of one group share the work; one that died is taken over
 * by the others. A relay begins with what it took itself before it ended.
 *
 * <p>An event that fails a number of times, while the sink accepts others, goes to the stream of
 * dead letters, {@code spike:{sale}:dead}, in one step with its acknowledgement; the others go on
 * meanwhile. An order that is one too many may only wait for another that frees its units, at
 * another relay: so an entry is put there only once all older ones are acknowledged, and what other
 * relays took before the tries, or twice the time has passed after which a relay is taken over.
 *
 * <p>Acknowledged entries are trimmed from the log once every group has acknowledged them and their
 * holds have ended. The relay polls; it never blocks a connection. It needs one connection at a
 * time, of the client that the sale came with. What it waits for, it waits for between its turns,
 * each of which runs on one thread.
 */
public final class OrderRelay implements AutoCloseable {

    private static final Logger LOG = System.getLogger(OrderRelay.class.getName());
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(10);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(5);
    private static final Duration TIDY_EVERY = Duration.ofSeconds(1);
    private static final Duration STOP = Duration.ofSeconds(5);

    /** An entry with events that the sink refuses, or that cannot be read. */
    private static final class Failing {
        private final @Nullable LogEntry entry;
        private final long sinceNanos;
        private List<OrderLog.Dead> refused;
        private int tries = 1;
        private long dueNanos;

        private Failing(@Nullable LogEntry entry, List<OrderLog.Dead> refused, long nowNanos) {
            this.entry = entry;
            this.sinceNanos = nowNanos;
            this.refused = refused;
            this.dueNanos = nowNanos + backoff(1);
        }

        private List<OrderEvent> events() {
            List<OrderEvent> events = new ArrayList<>();
            for (OrderLog.Dead one : refused) {
                if (one.event() != null) {
                    events.add(one.event());
                }
            }
            return events;
        }
    }

    /**
     * What is still to be written, as a relay saw it.
     *
     * @param lag what it saw
     * @param ago how long ago, by the relay's elapsed time
     */
    public record Seen(OrderLog.Lag lag, Duration ago) {}

    /** What was still to be written at a moment of the elapsed time. */
    private record Look(OrderLog.Lag lag, long nanos) {}

    private final OrderLog log;
    private final Delivery delivery;
    private final String saleId;
    private final OrderRelayBuilder options;
    private final LongSupplier nanoTime;
    private final ExecutorService callers;
    private final ScheduledExecutorService timers;
    private final Runnable stopThreads;
    private final Inbox inbox;
    private final TreeMap<Long, Failing> failing = new TreeMap<>();
    private final List<Long> written = new ArrayList<>();
    private long tidyNanos;
    private long pauseNanos = SHORTEST_PAUSE.toNanos();
    private int outages;
    private int errors;
    private volatile boolean closing;
    private volatile boolean ended;
    private volatile @Nullable Look lastLook;

    // Guarded by the monitor.
    private @Nullable Thread working;

    /** Whether the next turn is only scheduled: whoever takes that begins it, and nobody else. */
    private boolean resting;

    private Future<?> nextTurn = CompletableFuture.completedFuture(null);

    OrderRelay(
            OrderLog.Source sale,
            OrderSink sink,
            OrderRelayBuilder options,
            ExecutorService callers,
            ScheduledExecutorService timers,
            Runnable stopThreads) {
        this.saleId = sale.saleId();
        this.options = options;
        this.nanoTime = options.nanoTime;
        this.callers = callers;
        this.timers = timers;
        this.stopThreads = stopThreads;
        this.tidyNanos = nanoTime.getAsLong();
        this.log = sale.orderLog(options.group, options.consumer);
        this.inbox = new Inbox(log, options, new Refused(), () -> closing);
        this.delivery = new Delivery(sink, saleId, () -> closing);
        begin();
    }

    /**
     * Options for a relay of a sale, which need not be open yet.
     *
     * @param sale the stock whose log is read, such as a {@link RedisSpike}; not closed with the
     *     relay
     * @param sink called from one thread at a time
     * @return options, each with its default
     */
    public static OrderRelayBuilder of(OrderLog.Source sale, OrderSink sink) {
        return new OrderRelayBuilder(sale, sink);
    }

    /**
     * What is still to be written, by all relays of the group; blocking.
     *
     * @return nothing at all if there is no such sale
     * @throws RemoteSpikeException if Redis gave no answer
     */
    public OrderLog.Lag lag() {
        return orNone(log.acknowledge(List.of()));
    }

    private static OrderLog.Lag orNone(OrderLog.@Nullable Lag lag) {
        return lag == null ? new OrderLog.Lag(0, Duration.ZERO, 0) : lag;
    }

    /**
     * What {@link #lag} told the relay itself, without a call: it asks with each acknowledgement,
     * and about once a second while it has nothing to do. Longer ago, when the sink takes longer or
     * Redis gives no answer.
     *
     * @return empty before the first answer
     */
    public Optional<Seen> seen() {
        Look look = lastLook;
        return look == null
                ? Optional.empty()
                : Optional.of(
                        new Seen(look.lag, Duration.ofNanos(nanoTime.getAsLong() - look.nanos)));
    }

    /** The name of its consumer group. */
    String group() {
        return options.group;
    }

    /**
     * Stops after what the sink is writing now, in a bounded time: one that takes longer than 5 s
     * is interrupted. What is not acknowledged by then is delivered again by the next relay.
     */
    @Override
    public void close() {
        closing = true;
        synchronized (this) {
            nextTurn.cancel(false);
        }
        wake();
        awaitEnd(STOP);
        synchronized (this) {
            if (working != null) {
                working.interrupt();
            }
        }
        awaitEnd(SHORTEST_PAUSE);
        stopThreads.run();
    }

    private void awaitEnd(Duration most) {
        long endNanos = nanoTime.getAsLong() + most.toNanos();
        while (!ended
                && nanoTime.getAsLong() - endNanos < 0
                && !Thread.currentThread().isInterrupted()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Begins the next turn, if that is still to be done. */
    private void wake() {
        synchronized (this) {
            if (!resting) {
                return;
            }
            resting = false;
        }
        begin();
    }

    private void begin() {
        try {
            callers.execute(this::turn);
        } catch (RejectedExecutionException stopped) {
            ended = true;
        } catch (OutOfMemoryError noThread) {
            ended = !rests(SHORTEST_PAUSE.toNanos());
        }
    }

    /** Works until there is nothing to do for now, or to the end. */
    private void turn() {
        synchronized (this) {
            working = Thread.currentThread();
        }
        long restNanos = 0;
        while (restNanos == 0 && !closing) {
            restNanos = work();
        }
        if (!rests(restNanos)) {
            acknowledgeAtTheEnd();
            synchronized (this) {
                working = null;
            }
            ended = true;
        }
    }

    /** Ends this turn, and begins another one after that time; false: that was the last. */
    private synchronized boolean rests(long nanos) {
        try {
            if (!closing) {
                nextTurn = timers.schedule(this::wake, nanos, TimeUnit.NANOSECONDS);
                resting = true;
                working = null;
                // A sink may leave it set.
                Thread.interrupted();
                return true;
            }
        } catch (RejectedExecutionException stopped) {
            closing = true;
        }
        return false;
    }

    /** Works once, and tells how long to rest now; 0: not at all. */
    private long work() {
        try {
            boolean worked = step();
            pauseNanos = worked
                    ? SHORTEST_PAUSE.toNanos()
                    : Math.min(2 * pauseNanos, LONGEST_PAUSE.toNanos());
            errors = 0;
            return worked ? 0 : pauseNanos;
        } catch (Delivery.Outage away) {
            warn(outages++, "the order sink is away: " + away.getMessage(), away);
            return backoff(outages);
        } catch (RemoteSpikeException noAnswer) {
            warn(errors++, "no answer from the log: " + noAnswer.getMessage(), noAnswer);
            // The reply that got lost may have been of entries that were taken.
            inbox.readOwnAgain();
            return backoff(errors);
        } catch (RuntimeException | Error bug) {
            warn(errors++, "the relay failed: " + bug, bug);
            return backoff(errors);
        }
    }

    /** The first of a row is worth a warning; what is away or does not answer needs no stack. */
    private void warn(int before, String message, Throwable cause) {
        boolean isFirst = before == 0 && !closing;
        boolean isBug =
                !(cause instanceof Delivery.Outage || cause instanceof RemoteSpikeException);
        LOG.log(
                isFirst ? Level.WARNING : Level.DEBUG,
                saleId + ": " + message,
                isFirst && !isBug ? null : cause);
    }

    private static long backoff(int tries) {
        long nanos = Duration.ofMillis(50).toNanos() << Math.min(tries, 10);
        return Math.min(nanos, LONGEST_BACKOFF.toNanos());
    }

    private void acknowledgeAtTheEnd() {
        try {
            acknowledge();
        } catch (RemoteSpikeException noAnswer) {
            LOG.log(Level.DEBUG, "delivered again by the next relay", noAnswer);
        }
    }

    /** Takes, delivers and acknowledges once; false if there was nothing to do. */
    private boolean step() throws Delivery.Outage {
        acknowledge();
        boolean took = inbox.fill(outages > 0);
        boolean worked = !inbox.isEmpty();
        deliverHeld();
        worked |= retryFailing();
        acknowledge();
        return took || worked;
    }

    private void deliverHeld() throws Delivery.Outage {
        long now = nanoTime.getAsLong();
        inbox.removeUnreadable()
                .forEach((sequence, error) -> failing.put(
                        sequence, new Failing(null, List.of(new OrderLog.Dead(null, error)), now)));
        List<OrderEvent> all = inbox.events();
        while (!inbox.isEmpty() && !closing) {
            List<LogEntry> batch = inbox.nextBatch(options.batch);
            Map<Long, List<OrderLog.Dead>> refused = deliver(Inbox.events(batch), all).stream()
                    .collect(Collectors.groupingBy(OrderRelay::sequence));
            for (LogEntry entry : batch) {
                List<OrderLog.Dead> left = refused.get(entry.sequence());
                if (left == null) {
                    written.add(entry.sequence());
                } else {
                    failing.put(entry.sequence(), new Failing(entry, left, nanoTime.getAsLong()));
                }
            }
            inbox.remove(batch);
            acknowledge();
        }
    }

    private final class Refused implements Inbox.Refused {
        @Override
        public int count() {
            return failing.size();
        }

        /** A store that lost entries logs others in their place, and those are not refused yet. */
        @Override
        public boolean contains(long sequence, @Nullable LogEntry entry) {
            Failing known = failing.get(sequence);
            if (known != null && entry != null && !entry.equals(known.entry)) {
                failing.remove(sequence);
                return false;
            }
            return known != null;
        }
    }

    private static long sequence(OrderLog.Dead refused) {
        return Objects.requireNonNull(refused.event()).sequence();
    }

    private List<OrderLog.Dead> deliver(List<OrderEvent> events, List<OrderEvent> others)
            throws Delivery.Outage {
        List<OrderLog.Dead> refused = delivery.deliver(events, others, inbox.total());
        if (outages > 0 && !events.isEmpty()) {
            LOG.log(Level.INFO, saleId + ": the order sink is back");
            outages = 0;
        }
        return refused;
    }

    /** Tries refused events again when they are due; puts them aside after enough tries. */
    private boolean retryFailing() throws Delivery.Outage {
        boolean worked = false;
        List<OrderEvent> all = failing.values().stream()
                .flatMap(entry -> entry.events().stream())
                .toList();
        for (Iterator<Map.Entry<Long, Failing>> left = failing.entrySet().iterator();
                left.hasNext() && !closing; ) {
            Map.Entry<Long, Failing> next = left.next();
            Failing entry = next.getValue();
            if (nanoTime.getAsLong() - entry.dueNanos < 0) {
                continue;
            }
            worked = true;
            List<OrderEvent> events = entry.events();
            if (!events.isEmpty()) {
                entry.refused = deliver(events, all);
            }
            if (entry.refused.isEmpty()) {
                written.add(next.getKey());
                left.remove();
            } else if (++entry.tries >= options.tries && bury(next.getKey(), entry)) {
                left.remove();
            } else {
                entry.dueNanos = nanoTime.getAsLong() + backoff(entry.tries);
            }
        }
        return worked;
    }

    /** Whether the entry is done with. */
    private boolean bury(long sequence, Failing entry) {
        acknowledge();
        Duration triedFor = Duration.ofNanos(nanoTime.getAsLong() - entry.sinceNanos);
        boolean isLong = triedFor.compareTo(options.idle.multipliedBy(2)) > 0;
        OrderLog.Burial burial = log.bury(sequence, entry.refused, isLong ? null : triedFor);
        if (burial == OrderLog.Burial.DONE) {
            LOG.log(
                    Level.ERROR,
                    saleId + ": " + entry.refused.size() + " order events of entry " + sequence
                            + " could not be written and are in the dead letters: "
                            + entry.refused.get(0).error());
        }
        return burial != OrderLog.Burial.NOT_YET;
    }

    private void acknowledge() {
        while (!written.isEmpty() || nanoTime.getAsLong() - tidyNanos >= 0) {
            List<Long> some =
                    written.subList(0, Math.min(written.size(), OrderLog.MAX_ACKNOWLEDGED));
            OrderLog.Lag lag = log.acknowledge(some);
            some.clear();
            long now = nanoTime.getAsLong();
            lastLook = new Look(orNone(lag), now);
            tidyNanos = now + TIDY_EVERY.toNanos();
        }
    }
}
