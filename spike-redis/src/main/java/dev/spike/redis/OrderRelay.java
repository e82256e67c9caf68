package dev.spike.redis;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
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
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Brings what the order log of a sale holds to an {@link OrderSink}, on a thread of its own.
 *
 * <p>An entry of the log is acknowledged after the sink has accepted its events, so each event is
 * delivered at least once: again after a crash, and after a failure, with growing delays, for as
 * long as the sink is away. Several relays of one group share the work; one that died is taken over
 * by the others. A relay begins with what it took itself before it ended.
 *
 * <p>An event that fails a number of times, while the sink accepts others, goes to the stream of
 * dead letters, {@code spike:{sale}:dead}, in one step with its acknowledgement; the others go on
 * meanwhile. An entry is put there only once all older ones are acknowledged, since an order that
 * is one too many may only wait for another that frees its units.
 *
 * <p>Acknowledged entries are trimmed from the log once every group has acknowledged them and their
 * holds have ended. The relay polls; it never blocks a connection. It needs one connection at a
 * time, of the client that the sale came with.
 */
public final class OrderRelay implements AutoCloseable {

    /**
     * What a relay's group has not acknowledged.
     *
     * @param events how many order events, from the oldest of them on: those after it count even if
     *     they are acknowledged
     * @param age how long ago the oldest of them was logged
     * @param deadLetters how many events of the sale, of all groups, lie in the dead letters
     */
    public record Lag(long events, Duration age, long deadLetters) {}

    private static final Logger LOG = System.getLogger(OrderRelay.class.getName());
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(10);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(5);
    private static final Duration TIDY_EVERY = Duration.ofSeconds(1);
    private static final Duration STOP = Duration.ofSeconds(5);
    private static final int MOST_FAILING = 1_000;

    /** How many entries are taken in one call. */
    private static final int TAKEN = 100;

    /** An entry with events that the sink refuses. */
    private static final class Failing {
        private List<OrderEvent> events;
        private int tries = 1;
        private long dueNanos;

        private Failing(List<OrderEvent> events, long dueNanos) {
            this.events = events;
            this.dueNanos = dueNanos;
        }
    }

    private final OrderLog log;
    private final Delivery delivery;
    private final String saleId;
    private final OrderRelayBuilder options;
    private final Thread thread;
    private final TreeMap<Long, LogEntry> held = new TreeMap<>();
    private final TreeMap<Long, Failing> failing = new TreeMap<>();
    private final List<Long> written = new ArrayList<>();
    private int eventsHeld;
    private long total;
    private boolean readOwn;
    private long ownAfter;
    private long idleNanos = System.nanoTime();
    private long tidyNanos = System.nanoTime();
    private int outages;
    private volatile boolean closing;

    OrderRelay(RedisSpike sale, OrderSink sink, OrderRelayBuilder options) {
        this.saleId = sale.saleId();
        this.options = options;
        this.log = new OrderLog(sale, options.group, options.consumer);
        this.delivery = new Delivery(sink, saleId, () -> closing);
        this.thread = new Thread(this::run, "spike-relay-" + saleId);
        thread.setDaemon(true);
        thread.start();
    }

    /** Options for a relay of a sale, which need not be open yet. */
    public static OrderRelayBuilder of(RedisSpike sale, OrderSink sink) {
        return new OrderRelayBuilder(sale, sink);
    }

    /**
     * What is still to be written, by all relays of the group; blocking.
     *
     * @throws RemoteSpikeException if Redis gave no answer
     */
    public Lag lag() {
        Lag lag = log.acknowledge(List.of());
        return lag == null ? new Lag(0, Duration.ZERO, 0) : lag;
    }

    /**
     * Stops after what the sink is writing now, in a bounded time: one that takes longer than 5 s
     * is interrupted. What is not acknowledged by then is delivered again by the next relay.
     */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join(STOP.toMillis());
            thread.interrupt();
            thread.join(SHORTEST_PAUSE.toMillis());
        } catch (InterruptedException interrupted) {
            thread.interrupt();
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        long pause = SHORTEST_PAUSE.toNanos();
        int errors = 0;
        while (!closing) {
            try {
                boolean worked = step();
                pause = worked
                        ? SHORTEST_PAUSE.toNanos()
                        : Math.min(2 * pause, LONGEST_PAUSE.toNanos());
                if (!worked) {
                    pause(pause);
                }
                errors = 0;
            } catch (Delivery.Outage away) {
                warn(outages++, "the order sink is away: " + away.getMessage(), away);
                pause(backoff(outages));
            } catch (RemoteSpikeException noAnswer) {
                warn(errors++, "no answer from Redis: " + noAnswer.getMessage(), noAnswer);
                // The reply that got lost may have been of entries that were taken.
                readOwn = false;
                ownAfter = 0;
                pause(backoff(errors));
            } catch (RuntimeException | Error bug) {
                warn(errors++, "the relay failed: " + bug, bug);
                pause(backoff(errors));
            }
        }
        acknowledgeAtTheEnd();
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

    private void pause(long nanos) {
        if (!closing) {
            // A sink may leave it set, and then there would be no pause.
            Thread.interrupted();
            LockSupport.parkNanos(this, nanos);
        }
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
        boolean took = false;
        while (hasRoom() && !closing && take()) {
            took = true;
        }
        boolean worked = !held.isEmpty();
        deliverHeld();
        worked |= retryFailing();
        acknowledge();
        return took || worked;
    }

    /**
     * In an outage also for more than a batch: the first that the sink accepts tells that it is
     * there.
     */
    private boolean hasRoom() {
        return eventsHeld < options.batch || outages > 0 && held.size() < MOST_FAILING;
    }

    /** Its own entries first, then new ones; before these, now and then, what others left. */
    private boolean take() {
        boolean isFull = failing.size() >= MOST_FAILING;
        if (System.nanoTime() - idleNanos >= 0 && (readOwn || isFull)) {
            // Also when full: all that fail may wait for an entry that a dead relay took.
            if (hold(log.takeIdle(options.idle, mostEntries())) > 0) {
                return true;
            }
            idleNanos = System.nanoTime() + options.idle.toNanos() / 4;
        }
        if (isFull) {
            return false;
        } else if (readOwn) {
            return hold(log.takeNew(mostEntries())) > 0;
        }
        OrderLog.Taken own = log.takeOwn(ownAfter, mostEntries());
        hold(own);
        if (own != null && own.entries().isEmpty()) {
            readOwn = true;
        } else if (own != null) {
            ownAfter = own.entries().get(own.entries().size() - 1).sequence();
        }
        return own != null;
    }

    private int mostEntries() {
        return Math.max(1, Math.min(TAKEN, options.batch - eventsHeld));
    }

    /** Answers how many of the entries were not known before. */
    private int hold(OrderLog.@Nullable Taken taken) {
        if (taken == null) {
            return 0;
        }
        total = taken.total();
        int before = held.size();
        for (LogEntry entry : taken.entries()) {
            if (!failing.containsKey(entry.sequence())
                    && held.put(entry.sequence(), entry) == null) {
                eventsHeld += entry.events().size();
            }
        }
        return held.size() - before;
    }

    private void deliverHeld() throws Delivery.Outage {
        List<OrderEvent> all =
                held.values().stream().flatMap(entry -> entry.events().stream()).toList();
        while (!held.isEmpty() && !closing) {
            List<LogEntry> batch = nextBatch();
            List<OrderEvent> events =
                    batch.stream().flatMap(entry -> entry.events().stream()).toList();
            Map<Long, List<OrderEvent>> refused = deliver(events, all).stream()
                    .map(OrderLog.Dead::event)
                    .collect(Collectors.groupingBy(OrderEvent::sequence));
            long dueNanos = System.nanoTime() + backoff(1);
            for (LogEntry entry : batch) {
                List<OrderEvent> left = refused.get(entry.sequence());
                if (left == null) {
                    written.add(entry.sequence());
                } else {
                    failing.put(entry.sequence(), new Failing(left, dueNanos));
                }
                held.remove(entry.sequence());
            }
            eventsHeld -= events.size();
            acknowledge();
        }
    }

    /**
     * The oldest entries that are held, at least one, with no more events than a batch may have.
     */
    private List<LogEntry> nextBatch() {
        List<LogEntry> batch = new ArrayList<>();
        int events = 0;
        for (LogEntry entry : held.values()) {
            events += entry.events().size();
            if (!batch.isEmpty() && events > options.batch) {
                break;
            }
            batch.add(entry);
        }
        return batch;
    }

    private List<OrderLog.Dead> deliver(List<OrderEvent> events, List<OrderEvent> others)
            throws Delivery.Outage {
        List<OrderLog.Dead> refused = delivery.deliver(events, others, total);
        if (outages > 0 && !events.isEmpty()) {
            LOG.log(Level.INFO, saleId + ": the order sink is back");
            outages = 0;
        }
        return refused;
    }

    /** Tries refused events again when they are due; puts them aside after enough tries. */
    private boolean retryFailing() throws Delivery.Outage {
        boolean worked = false;
        for (Iterator<Map.Entry<Long, Failing>> all = failing.entrySet().iterator();
                all.hasNext() && !closing; ) {
            Map.Entry<Long, Failing> next = all.next();
            Failing entry = next.getValue();
            if (System.nanoTime() - entry.dueNanos < 0) {
                continue;
            }
            worked = true;
            List<OrderLog.Dead> refused = deliver(entry.events, entry.events);
            entry.events = refused.stream().map(OrderLog.Dead::event).toList();
            if (refused.isEmpty()) {
                written.add(next.getKey());
                all.remove();
            } else if (++entry.tries >= options.tries && bury(next.getKey(), refused)) {
                all.remove();
            } else {
                entry.dueNanos = System.nanoTime() + backoff(entry.tries);
            }
        }
        return worked;
    }

    /** Whether the entry is done with. */
    private boolean bury(long sequence, List<OrderLog.Dead> refused) {
        acknowledge();
        OrderLog.Burial burial = log.bury(sequence, refused);
        if (burial == OrderLog.Burial.DONE) {
            LOG.log(
                    Level.ERROR,
                    saleId + ": " + refused.size() + " order events of entry " + sequence
                            + " could not be written and are in the dead letters: "
                            + refused.get(0).error());
        }
        return burial != OrderLog.Burial.NOT_YET;
    }

    private void acknowledge() {
        while (!written.isEmpty() || System.nanoTime() - tidyNanos >= 0) {
            List<Long> some =
                    written.subList(0, Math.min(written.size(), OrderLog.MAX_ACKNOWLEDGED));
            log.acknowledge(some);
            some.clear();
            tidyNanos = System.nanoTime() + TIDY_EVERY.toNanos();
        }
    }
}
