package dev.spike.http;

import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.SpikeMetrics;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** A server that sells, from its start to its end. */
final class RunningServer implements AutoCloseable {

    private static final Duration LOOK_UP = Duration.ofSeconds(1);
    private static final Duration AUDIT = Duration.ofMinutes(1);

    private final Options options;
    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final ServerMetrics metrics;
    private final Store store;
    private final Orders orders;
    private final Sales.Opened opened;
    private final Listeners listeners;

    private RunningServer(Options options) {
        this.options = options;
        try {
            metrics = begun(new ServerMetrics());
            StatLog statLog = statLog(options.statLog);
            AccessLog accessLog = accessLog(options.accessLog);
            store = begun(Store.open(options));
            StoreCalls calls = begun(new StoreCalls("spike-http-store", 4, 256, LOOK_UP));
            // They read everything: one at a time, and look-ups never wait for one.
            StoreCalls audits = begun(new StoreCalls("spike-http-audit", 1, 1, AUDIT));
            orders = begun(Orders.open(options, metrics::watch));
            SalesFile file = SalesFile.in(options);
            Sales sales = begun(new Sales(store.sales(), this::node, file, calls));
            boolean wasSoldHere = file.ids().contains(options.saleId);
            opened = open(sales, options);
            if (wasSoldHere && opened.opening() == RemoteSpike.Opening.OPENED) {
                warnOfALostSale(options);
            }
            sales.reopen(file.ids());
            Handover handover = new Handover();
            listeners = begun(new Listeners(
                    options,
                    sales,
                    opened.sale(),
                    orders,
                    calls,
                    audits,
                    handover,
                    statLog,
                    accessLog,
                    metrics));
            metrics.watch(listeners, options.connections, options.watchers());
        } catch (Throwable failure) {
            close();
            throw failure;
        }
    }

    private static Sales.Opened open(Sales sales, Options options) {
        try {
            return sales.open(options.sale());
        } catch (RemoteSpikeException refused) {
            if (refused.kind() == RemoteSpikeException.Kind.BROKEN && options.adopt != null) {
                throw new StartException(
                        "--adopt " + options.adopt + ": " + refused.getMessage(), refused);
            }
            throw refused;
        }
    }

    private static void warnOfALostSale(Options options) {
        System.getLogger(SpikeServer.class.getName())
                .log(
                        System.Logger.Level.WARNING,
                        "the store did not know the sale " + options.saleId
                                + ", which this server has sold before (" + options.data
                                + "): what was sold then may be sold again. Orders of then, if they are "
                                + "still there, count towards the total. To sell on, stop the servers and run spike-http rebuild. For a new sale, use a new --sale");
    }

    /**
     * Starts everything, or nothing. Blocks until it sells.
     *
     * @throws StartException if it cannot start
     * @throws IllegalArgumentException if an option turns out to be wrong
     */
    static RunningServer start(Options options) {
        return new RunningServer(options);
    }

    private Spike node(RemoteSpike remote) {
        orders.follow(remote);
        SpikeMetrics counted = metrics.of(remote.saleId());
        Spike spike = Spike.builder(remote)
                .nodes(options.nodes)
                .buffer(options.buffer)
                .quota(options.quota)
                .orderBacklog(orders.isKept() ? options.orderBacklog : Long.MAX_VALUE)
                .listener(counted)
                .start();
        counted.watch(spike);
        return spike;
    }

    private @Nullable StatLog statLog(@Nullable Path file) {
        if (file == null) {
            return null;
        }
        try {
            StatLog log = begun(new StatLog(file));
            metrics.watchLost("stat", log, StatLog::lost);
            return log;
        } catch (IOException failure) {
            throw new StartException(
                    "--stat-log " + file + " cannot be written: " + failure, failure);
        }
    }

    private @Nullable AccessLog accessLog(@Nullable Path file) {
        if (file == null) {
            return null;
        }
        try {
            AccessLog log = begun(new AccessLog(file));
            metrics.watchLost("access", log, AccessLog::lost);
            return log;
        } catch (IOException failure) {
            throw new StartException(
                    "--access-log " + file + " cannot be written: " + failure, failure);
        }
    }

    private <T extends AutoCloseable> T begun(T part) {
        started.push(part);
        return part;
    }

    int port() {
        return listeners.port();
    }

    int adminPort() {
        return listeners.adminPort();
    }

    /** How many requests wait for their answer, or for it to be written. */
    int underWay() {
        return listeners.underWay();
    }

    /** How many watch a sale. */
    int watching() {
        return listeners.watching();
    }

    /** Prints where it is and what it does, without secrets. */
    void describe(PrintStream out) {
        Sale rules = opened.sale().rules();
        out.printf(
                "Sale %s: total %d, per buyer %s, hold %s%s%s%s%n",
                rules.id(),
                opened.sale().spike().levels().map(levels -> levels.total()).orElse(rules.total()),
                rules.perBuyer() == 0 ? "unlimited" : rules.perBuyer(),
                rules.hold(),
                rules.opensAt() == null ? "" : ", opens at " + rules.opensAt(),
                rules.closesAt() == null ? "" : ", closes at " + rules.closesAt(),
                switch (opened.opening()) {
                    case OPENED -> ", opened now";
                    case ALREADY_OPEN -> ", was open";
                    case OTHER_RULES -> ", was open under these rules; yours change nothing";
                });
        out.printf(
                "Node: nodes %d, buffer %s, quota %s, stat log %s%n",
                options.nodes,
                options.buffer,
                options.quota == 0 ? "derived" : options.quota,
                options.statLog == null ? "off" : options.statLog);
        out.printf(
                "Redis: %s%s%n",
                store.description(), options.adopt == null ? "" : ", adopting " + options.adopt);
        out.printf(
                "Orders: %s%s%n",
                orders.description(),
                options.nodes > 1 && orders.isKept() && options.orders == null
                        ? " (this server's share only: servers that sell together need --orders jdbc:postgresql://...)"
                        : "");
        out.printf("Buyers: http://%s:%d/buy/ticket%n", shown(options.host), port());
        out.printf(
                "Admin: http://%s:%d/v1/sales/%s%s%n",
                shown(options.adminHost),
                adminPort(),
                rules.id(),
                options.adminToken == null ? "" : " (with the token)");
        out.flush();
    }

    private static String shown(String host) {
        return host.indexOf(':') < 0 ? host : "[" + host + "]";
    }

    /** Stops everything in the opposite order of the start, each part in a bounded time. */
    @Override
    public void close() {
        for (AutoCloseable part = started.poll(); part != null; part = started.poll()) {
            try {
                part.close();
            } catch (Throwable failure) {
                // The others must not be left running, the embedded Redis least of all.
                System.getLogger(SpikeServer.class.getName())
                        .log(System.Logger.Level.ERROR, "failed to stop", failure);
            }
        }
    }
}
