package dev.spike.redis;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;
import dev.spike.core.RemoteSpikeException;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
 * meanwhile. An order that is one too many may only wait for another that frees its units, at
 * another relay: so an entry is put there only once all older ones are acknowledged, and what other
 * relays took before the tries, or twice the time has passed after which a relay is taken over.
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

    /** An entry with events that the sink refuses, or that cannot be read. */
    private static final class Failing {
        private final long sinceNanos;
        private List<OrderLog.Dead> refused;
        private int tries = 1;
        private long dueNanos;

        private Failing(List<OrderLog.Dead> refused, long nowNanos) {
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

    private final OrderLog log;
    private final Delivery delivery;
    private final String saleId;
    private final OrderRelayBuilder options;
    private final Thread thread;
    private final Inbox inbox;
    private final TreeMap<Long, Failing> failing = new TreeMap<>();
    private final List<Long> written = new ArrayList<>();
    private long tidyNanos = System.nanoTime();
    private int outages;
    private volatile boolean closing;

    OrderRelay(RedisSpike sale, OrderSink sink, OrderRelayBuilder options) {
        this.saleId = sale.saleId();
        this.options = options;
        this.log = new OrderLog(sale, options.group, options.consumer);
        this.inbox = new Inbox(log, options, () -> closing);
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
                inbox.readOwnAgain();
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
        boolean took = inbox.fill(outages > 0, failing.keySet());
        boolean worked = !inbox.isEmpty();
        deliverHeld();
        worked |= retryFailing();
        acknowledge();
        return took || worked;
    }

    private void deliverHeld() throws Delivery.Outage {
        long now = System.nanoTime();
        inbox.removeUnreadable()
                .forEach((sequence, error) -> failing.put(
                        sequence, new Failing(List.of(new OrderLog.Dead(null, error)), now)));
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
                    failing.put(entry.sequence(), new Failing(left, System.nanoTime()));
                }
            }
            inbox.remove(batch);
            acknowledge();
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
        for (Iterator<Map.Entry<Long, Failing>> all = failing.entrySet().iterator();
                all.hasNext() && !closing; ) {
            Map.Entry<Long, Failing> next = all.next();
            Failing entry = next.getValue();
            if (System.nanoTime() - entry.dueNanos < 0) {
                continue;
            }
            worked = true;
            List<OrderEvent> events = entry.events();
            if (!events.isEmpty()) {
                entry.refused = deliver(events, events);
            }
            if (entry.refused.isEmpty()) {
                written.add(next.getKey());
                all.remove();
            } else if (++entry.tries >= options.tries && bury(next.getKey(), entry)) {
                all.remove();
            } else {
                entry.dueNanos = System.nanoTime() + backoff(entry.tries);
            }
        }
        return worked;
    }

    /** Whether the entry is done with. */
    private boolean bury(long sequence, Failing entry) {
        acknowledge();
        Duration triedFor = Duration.ofNanos(System.nanoTime() - entry.sinceNanos);
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
        while (!written.isEmpty() || System.nanoTime() - tidyNanos >= 0) {
            List<Long> some =
                    written.subList(0, Math.min(written.size(), OrderLog.MAX_ACKNOWLEDGED));
            log.acknowledge(some);
            some.clear();
            tidyNanos = System.nanoTime() + TIDY_EVERY.toNanos();
        }
    }
}
