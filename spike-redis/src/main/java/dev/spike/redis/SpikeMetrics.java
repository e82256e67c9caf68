package dev.spike.redis;

import static dev.spike.redis.Meters.lower;
import static dev.spike.redis.Meters.seconds;

import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.Spike;
import dev.spike.core.SpikeListener;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;

import org.jspecify.annotations.Nullable;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToDoubleFunction;

/**
 * What one node of one sale does, and its relays, as meters of a Micrometer registry;
 * docs/operations.md lists them. Needs {@code io.micrometer:micrometer-core}, which is not brought
 * along.
 *
 * <pre>{@code
 * SpikeMetrics metrics = new SpikeMetrics(registry, "ticket");
 * Spike spike = Spike.builder(redis.sale("ticket")).listener(metrics).start();
 * metrics.watch(spike);
 * metrics.watch(relay);
 * }</pre>
 *
 * <p>Reading the meters never calls the shared stock: they tell what the node and the relay know.
 * No tag has more than a few values, but for the sale's id. Safe for use by many threads; an answer
 * costs one add to a {@link LongAdder}, whatever the registry.
 */
public final class SpikeMetrics implements SpikeListener, AutoCloseable {

    private static final Set<Outcome> REFUSED_LOCALLY = EnumSet.of(
            Outcome.SOLD_OUT,
            Outcome.ALL_RESERVED,
            Outcome.NOT_OPEN,
            Outcome.CLOSED,
            Outcome.UNAVAILABLE);
    private static final Set<Outcome> ANSWERED =
            EnumSet.complementOf(EnumSet.of(Outcome.NOT_FOUND));
    private static final Set<Outcome> SETTLED = EnumSet.of(
            Outcome.RESERVED,
            Outcome.CONFIRMED,
            Outcome.CANCELLED,
            Outcome.EXPIRED,
            Outcome.LIMIT_REACHED,
            Outcome.NOT_FOUND,
            Outcome.UNAVAILABLE,
            Outcome.UNKNOWN);

    private final Meters meters;
    private final Map<Outcome, LongAdder> refusals;
    private final Map<Outcome, LongAdder> answers;
    private final Map<Outcome, LongAdder> confirms;
    private final Map<Outcome, LongAdder> cancels;
    private final Map<Outcome, LongAdder> extensions;
    private final Map<String, Timer> timers = new ConcurrentHashMap<>();
    private final DistributionSummary reserveSizes;
    private final DistributionSummary settleSizes;
    private final LongAdder reserveRetries;
    private final LongAdder settleRetries;

    /**
     * Counts what it is told as a listener, from 0.
     *
     * @param registry where the meters are registered, until {@link #close}
     * @param saleId their tag {@code sale}; each sale needs an object of its own
     */
    public SpikeMetrics(MeterRegistry registry, String saleId) {
        meters = new Meters(registry, saleId);
        refusals = requests(true, REFUSED_LOCALLY);
        answers = requests(false, ANSWERED);
        confirms = settlements("confirm");
        cancels = settlements("cancel");
        extensions = settlements("extend");
        for (Call call : Call.values()) {
            timer(call, "answered");
        }
        reserveSizes = sizes(Call.RESERVE);
        settleSizes = sizes(Call.SETTLE);
        reserveRetries = retries(Call.RESERVE);
        settleRetries = retries(Call.SETTLE);
    }

    private Map<Outcome, LongAdder> requests(boolean local, Set<Outcome> outcomes) {
        Map<Outcome, LongAdder> adders = new EnumMap<>(Outcome.class);
        for (Outcome outcome : outcomes) {
            adders.put(
                    outcome,
                    meters.counter(
                            "spike.requests",
                            "Requests for units; local: refused by what the node knew",
                            "local",
                            String.valueOf(local),
                            "outcome",
                            lower(outcome)));
        }
        return adders;
    }

    private Map<Outcome, LongAdder> settlements(String wish) {
        Map<Outcome, LongAdder> adders = new EnumMap<>(Outcome.class);
        for (Outcome outcome : SETTLED) {
            String description = "Requests to confirm, cancel or extend reservations";
            adders.put(
                    outcome,
                    meters.counter(
                            "spike.settlements",
                            description,
                            "wish",
                            wish,
                            "outcome",
                            lower(outcome)));
        }
        return adders;
    }

    private Timer timer(Call call, String result) {
        return timers.computeIfAbsent(
                call + result,
                first -> meters.timer(
                        "spike.remote",
                        "Calls to the shared stock",
                        "call",
                        lower(call),
                        "result",
                        result));
    }

    private DistributionSummary sizes(Call call) {
        String description = "Requests in one call to the shared stock";
        return meters.sizes("spike.batch", "requests", description, "call", lower(call));
    }

    private LongAdder retries(Call call) {
        String description = "Calls to the shared stock that repeat one which failed";
        return meters.counter("spike.retries", description, "call", lower(call));
    }

    /**
     * Adds what this node tells of itself.
     *
     * @param spike of the sale, and the only one: one that is started anew is watched by metrics of
     *     its own, once these are closed; held weakly, and not closed here
     */
    public void watch(Spike spike) {
        meters.counter(
                "spike.reserved",
                "units",
                "Units that this node has reserved for buyers",
                spike,
                Spike::unitsReserved);
        level(spike, "available", Levels::available);
        level(spike, "reserved", Levels::reserved);
        level(spike, "sold", Levels::sold);
        levels(spike, "spike.total", "units", "All units of the sale", Levels::total);
        levels(
                spike,
                "spike.conservation.error",
                "units",
                "Total - available - reserved - sold, as the shared stock told them",
                Levels::conservationError);
        levels(
                spike,
                "spike.backlog",
                "events",
                "Order events that not everyone who reads the log has acknowledged",
                Levels::backlog);
        meters.gauge(
                "spike.levels.age",
                "seconds",
                "How long ago the levels came",
                spike,
                node -> seconds(node.levelsAge()));
        meters.gauge(
                "spike.expiry.lag",
                "seconds",
                "How overdue the oldest hold is that is not known to have ended",
                spike,
                node -> seconds(node.expiryLag()));
        meters.gauge(
                "spike.halted",
                null,
                "1 if this node stopped selling the sale for good",
                spike,
                node -> node.haltReason().isPresent() ? 1 : 0);
        meters.gauge(
                "spike.quota",
                "units",
                "Units that this node may still ask for before it looks at the levels",
                spike,
                Spike::quota);
        queue(spike, Call.RESERVE, Spike::reservesQueued);
        queue(spike, Call.SETTLE, Spike::settlesQueued);
        meters.gauge(
                "spike.queue.limit",
                "requests",
                "How many requests may wait in each queue",
                spike,
                Spike::queueLimit);
    }

    private void level(Spike spike, String level, ToDoubleFunction<Levels> figure) {
        String description = "The levels of the sale, as the shared stock told them";
        meters.gauge("spike.level", "units", description, spike, known(figure), "level", level);
    }

    private void levels(
            Spike spike,
            String name,
            String unit,
            String description,
            ToDoubleFunction<Levels> figure) {
        meters.gauge(name, unit, description, spike, known(figure));
    }

    /** Not a number while no levels are known. */
    private static ToDoubleFunction<Spike> known(ToDoubleFunction<Levels> figure) {
        return spike -> spike.levels().map(figure::applyAsDouble).orElse(Double.NaN);
    }

    private void queue(Spike spike, Call of, ToDoubleFunction<Spike> depth) {
        String description = "Requests that wait for a call to the shared stock";
        meters.gauge("spike.queue", "requests", description, spike, depth, "queue", lower(of));
    }

    /**
     * Adds what this relay knows.
     *
     * @param relay of the sale; held weakly, and not closed here
     */
    public void watch(OrderRelay relay) {
        seen(
                relay,
                "spike.relay.backlog",
                "events",
                "Order events that the group has not acknowledged",
                seen -> seen.lag().events());
        seen(
                relay,
                "spike.relay.lag",
                "seconds",
                "How old the oldest of them is, at most",
                seen -> seen.lag().events() == 0 ? 0 : seconds(seen.lag().age().plus(seen.ago())));
        seen(
                relay,
                "spike.relay.dead.letters",
                null,
                "Order events that could not be written",
                seen -> seen.lag().deadLetters());
        seen(
                relay,
                "spike.relay.seen.age",
                "seconds",
                "How long ago the relay last saw its lag",
                seen -> seconds(seen.ago()));
    }

    private void seen(
            OrderRelay relay,
            String name,
            @Nullable String unit,
            String description,
            ToDoubleFunction<OrderRelay.Seen> figure) {
        meters.gauge(
                name,
                unit,
                description,
                relay,
                one -> one.seen().map(figure::applyAsDouble).orElse(Double.NaN),
                "group",
                relay.group());
    }

    @Override
    public void answered(Outcome outcome, boolean local) {
        count(local ? refusals : answers, outcome);
    }

    @Override
    public void settled(Outcome wish, Outcome outcome) {
        switch (wish) {
            case CONFIRMED -> count(confirms, outcome);
            case CANCELLED -> count(cancels, outcome);
            default -> count(extensions, outcome);
        }
    }

    private static void count(Map<Outcome, LongAdder> adders, Outcome outcome) {
        LongAdder adder = adders.get(outcome);
        if (adder == null) {
            throw new IllegalStateException("not counted: " + outcome);
        }
        adder.increment();
    }

    @Override
    public void called(Call call, int size, boolean again, long nanos, @Nullable Kind failure) {
        timer(call, failure == null ? "answered" : lower(failure))
                .record(nanos, TimeUnit.NANOSECONDS);
        if (call == Call.RESERVE || call == Call.SETTLE) {
            (call == Call.RESERVE ? reserveSizes : settleSizes).record(size);
        }
        if (again) {
            (call == Call.RESERVE ? reserveRetries : settleRetries).increment();
        }
    }

    /** Takes its meters out of the registry; what it is told from then on is lost. */
    @Override
    public void close() {
        meters.close();
    }
}
