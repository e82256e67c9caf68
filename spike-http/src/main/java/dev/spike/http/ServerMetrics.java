package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.redis.OrderRelay;
import dev.spike.redis.SpikeMetrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToDoubleFunction;

/**
 * The meters of this server, for Prometheus; docs/operations.md lists them. A scrape reads what is
 * known here, on a thread of its own, and never asks the store.
 */
final class ServerMetrics implements AutoCloseable {

    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics garbage = new JvmGcMetrics();
    private final Map<String, SpikeMetrics> sales = new ConcurrentHashMap<>();
    private final ExecutorService scraper = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "spike-http-metrics");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable CompletableFuture<byte[]> waiting;

    ServerMetrics() {
        garbage.bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ClassLoaderMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
    }

    /** The meters of a sale, made when they are first asked for. */
    SpikeMetrics of(String saleId) {
        return sales.computeIfAbsent(saleId, first -> new SpikeMetrics(registry, first));
    }

    /** Adds the relay of a sale. */
    void watch(String saleId, OrderRelay relay) {
        of(saleId).watch(relay);
    }

    /** Adds what the listeners tell; they are held weakly. */
    void watch(Listeners listeners, int mostConnections, int mostWatchers) {
        Gauge.builder("spike.http.underway", listeners, Listeners::underWay)
                .baseUnit("requests")
                .description("Requests that wait for their answer, or for it to be written")
                .register(registry);
        connections("buyers", listeners, listeners.port());
        connections("admin", listeners, listeners.adminPort());
        Gauge.builder("spike.http.connections.limit", () -> mostConnections)
                .description("How many connections each listener has at most")
                .register(registry);
        Gauge.builder("spike.http.watchers", listeners, Listeners::watching)
                .description("Who watch a sale now")
                .register(registry);
        Gauge.builder("spike.http.watchers.limit", () -> mostWatchers)
                .description("How many may watch at the same time")
                .register(registry);
    }

    private void connections(String listener, Listeners listeners, int port) {
        Gauge.builder("spike.http.connections", listeners, all -> all.connections(port))
                .tag("listener", listener)
                .description("Connections of a listener now")
                .register(registry);
    }

    /** Adds how many lines a log, which is held weakly, has lost. */
    <T> void watchLost(String name, T log, ToDoubleFunction<T> lines) {
        FunctionCounter.builder("spike.http.log.lost", log, lines)
                .tag("log", name)
                .baseUnit("lines")
                .description("Lines that did not fit in the queue or could not be written")
                .register(registry);
    }

    /** The meters as Prometheus reads them. Does not block: who ask meanwhile share the next. */
    synchronized CompletionStage<byte[]> scrape() {
        if (waiting == null) {
            waiting = CompletableFuture.supplyAsync(this::scrapeNow, scraper);
        }
        return waiting;
    }

    private byte[] scrapeNow() {
        synchronized (this) {
            waiting = null;
        }
        return registry.scrape().getBytes(UTF_8);
    }

    @Override
    public void close() {
        garbage.close();
        scraper.shutdown();
        registry.close();
    }
}
