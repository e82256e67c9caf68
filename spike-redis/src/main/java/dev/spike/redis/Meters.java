package dev.spike.redis;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** The meters of one sale in a registry, all with its tag. */
final class Meters implements AutoCloseable {

    private static final Duration[] LATENCIES = DoubleStream.of(
                    0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000)
            .mapToObj(millis -> Duration.ofNanos((long) (millis * 1_000_000)))
            .toArray(Duration[]::new);
    private static final double[] SIZES = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

    private final MeterRegistry registry;
    private final Tags sale;
    private final List<Meter> registered = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    Meters(MeterRegistry registry, String saleId) {
        this.registry = registry;
        this.sale = Tags.of("sale", saleId);
    }

    /** A counter that costs one add, whatever the registry. The caller keeps what it answers. */
    LongAdder counter(String name, String description, String... tags) {
        LongAdder adder = new LongAdder();
        counter(name, null, description, adder, LongAdder::sum, tags);
        return adder;
    }

    /** A counter that reads a figure which only grows. It holds its owner weakly. */
    <T> void counter(
            String name,
            @Nullable String unit,
            String description,
            T owner,
            ToDoubleFunction<T> figure,
            String... tags) {
        register(FunctionCounter.builder(name, owner, figure)
                .tags(sale.and(tags))
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }

    /** A gauge that reads a figure. It holds its owner weakly. */
    <T> void gauge(
            String name,
            @Nullable String unit,
            String description,
            T owner,
            ToDoubleFunction<T> figure,
            String... tags) {
        register(Gauge.builder(name, owner, figure)
                .tags(sale.and(tags))
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }

    Timer timer(String name, String description, String... tags) {
        return register(Timer.builder(name)
                .tags(sale.and(tags))
                .description(description)
                .serviceLevelObjectives(LATENCIES)
                .register(registry));
    }

    DistributionSummary sizes(String name, String unit, String description, String... tags) {
        return register(DistributionSummary.builder(name)
                .tags(sale.and(tags))
                .baseUnit(unit)
                .description(description)
                .serviceLevelObjectives(SIZES)
                .register(registry));
    }

    private <M extends Meter> M register(M meter) {
        registered.add(meter);
        if (closed) {
            registry.remove(meter);
        }
        return meter;
    }

    static String lower(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT);
    }

    static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }

    /** Takes them out of the registry. */
    @Override
    public void close() {
        closed = true;
        registered.forEach(registry::remove);
    }
}
