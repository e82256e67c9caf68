package dev.spike.http;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;

import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.management.XnioServerMXBean;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The buyers' and the admin listener, on I/O threads of their own, with their limits. */
final class Listeners implements AutoCloseable {

    private static final Duration BODY_TIME = Duration.ofSeconds(3);
    private static final Duration DRAIN = Duration.ofSeconds(3);
    private static final Duration QUIET = Duration.ofMillis(100);

    private final Handover handover;
    private final Watchers watchers;
    private final XnioWorker worker;
    private final Undertow undertow;
    private volatile boolean draining;

    /** @throws StartException if a port cannot be had */
    Listeners(
            dev.spike.http.Options options,
            Sales sales,
            OpenSale main,
            Orders orders,
            StoreCalls calls,
            StoreCalls audits,
            Handover handover,
            @Nullable StatLog statLog,
            @Nullable AccessLog accessLog,
            ServerMetrics metrics) {
        this.handover = handover;
        this.worker = worker(options.connections);
        this.watchers = new Watchers(options.watchers());
        HealthHandler health = new HealthHandler(main, calls, handover, () -> draining);
        ReservationsHandler reservations =
                new ReservationsHandler(sales, calls, handover, orders.isKept());
        SaleHandler sale = new SaleHandler(sales, handover);
        OperationsHandler operations =
                new OperationsHandler(sales, orders, calls, audits, handover);
        EventsHandler events = new EventsHandler(sales, handover, watchers);
        PageHandler page = new PageHandler(options.saleId);
        BuyTicketHandler buyTicket = new BuyTicketHandler(main, handover, statLog);
        this.undertow = undertow(worker, options.connections)
                .addListener(listener(
                        "buyers",
                        accessLog,
                        options.host,
                        options.port,
                        new BuyerRoutes(buyTicket, reservations, sale, events, page, health)))
                .addListener(listener(
                        "admin",
                        accessLog,
                        options.adminHost,
                        options.adminPort(),
                        new AdminRoutes(
                                reservations,
                                sale,
                                operations,
                                health,
                                new MetricsHandler(metrics),
                                options.adminToken)))
                .build();
        try {
            undertow.start();
        } catch (RuntimeException failure) {
            close();
            throw notBound(options, failure);
        } catch (Error failure) {
            close();
            throw failure;
        }
    }

    private static StartException notBound(
            dev.spike.http.Options options, RuntimeException failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String reason = String.valueOf(root.getMessage());
        return new StartException(
                "cannot listen on " + options.host + ":" + options.port + " and "
                        + options.adminHost + ":" + options.adminPort() + ": " + reason
                        + "; give another --port, --host, --admin-port or --admin-host",
                failure);
    }

    private static XnioWorker worker(int connections) {
        try {
            return Xnio.getInstance()
                    .createWorker(OptionMap.builder()
                            .set(Options.WORKER_NAME, "spike-http")
                            .set(Options.WORKER_IO_THREADS, ioThreads())
                            .set(Options.CONNECTION_HIGH_WATER, connections)
                            .set(Options.CONNECTION_LOW_WATER, connections)
                            .set(Options.WORKER_TASK_CORE_THREADS, 1)
                            .set(Options.WORKER_TASK_MAX_THREADS, 1)
                            .set(Options.TCP_NODELAY, true)
                            .getMap());
        } catch (IOException failure) {
            throw new StartException("no I/O threads: " + failure, failure);
        }
    }

    /** The other half of the processors is for the calls to the store, and for the store itself. */
    private static int ioThreads() {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    private static Undertow.Builder undertow(XnioWorker worker, int connections) {
        return Undertow.builder()
                .setWorker(worker)
                .setSocketOption(Options.CONNECTION_HIGH_WATER, connections)
                .setSocketOption(Options.CONNECTION_LOW_WATER, connections)
                .setServerOption(UndertowOptions.REQUEST_PARSE_TIMEOUT, 2_000)
                .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, 10_000)
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, (long) Json.MAX_BYTES)
                .setServerOption(UndertowOptions.MAX_HEADER_SIZE, 8 * 1024)
                .setServerOption(UndertowOptions.MAX_HEADERS, 50)
                .setServerOption(UndertowOptions.MAX_PARAMETERS, 16)
                .setServerOption(UndertowOptions.MAX_COOKIES, RequestGuard.MAX_COOKIES)
                .setServerOption(UndertowOptions.DECODE_URL, false)
                // An answer must not wait for the rest of a request that may never come.
                .setServerOption(UndertowOptions.BUFFER_PIPELINED_DATA, false)
                .setServerOption(UndertowOptions.ENABLE_HTTP2, false);
    }

    private Undertow.ListenerBuilder listener(
            String name, @Nullable AccessLog accessLog, String host, int port, HttpHandler routes) {
        HttpHandler guard = new RequestGuard(routes, () -> draining, BODY_TIME);
        return new Undertow.ListenerBuilder()
                .setType(Undertow.ListenerType.HTTP)
                .setHost(host)
                .setPort(port)
                .setRootHandler(accessLog == null ? guard : accessLog.around(name, guard));
    }

    int port() {
        return port(0);
    }

    int adminPort() {
        return port(1);
    }

    /** How many watch a sale. */
    int watching() {
        return watchers.count();
    }

    int underWay() {
        return handover.underWay();
    }

    /** How many connections the listener on this port has now. */
    int connections(int port) {
        return worker.getMXBean().getServerMXBeans().stream()
                .filter(server -> server.getBindAddress().endsWith(":" + port))
                .mapToInt(XnioServerMXBean::getConnectionCount)
                .sum();
    }

    private int port(int listener) {
        var info = undertow.getListenerInfo().get(listener);
        return ((InetSocketAddress) info.getAddress()).getPort();
    }

    /**
     * Stops listening, lets the requests under way finish and their connections end, then closes
     * what is left. In a bounded time.
     */
    @Override
    public void close() {
        draining = true;
        // Their clients come again, to a server that sells on.
        watchers.close();
        undertow.stop();
        long end = System.nanoTime() + DRAIN.toNanos();
        long quietSince = System.nanoTime();
        try {
            while (System.nanoTime() - end < 0
                    && System.nanoTime() - quietSince < QUIET.toNanos()) {
                TimeUnit.MILLISECONDS.sleep(5);
                if (handover.underWay() > 0) {
                    quietSince = System.nanoTime();
                }
            }
            worker.shutdownNow();
            worker.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            worker.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
