package dev.spike.http;

import dev.spike.core.OrderBook;
import dev.spike.core.OrderSink;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.redis.OrderRelay;
import dev.spike.redis.RedisSpike;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * The order book of this server, and a relay to it for each sale that the server sells.
 *
 * <p>There is none over the in-memory store, which has no order log, and none with {@code --orders
 * none}.
 */
final class Orders implements AutoCloseable {

    private static final String NONE = "none";
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final @Nullable JdbcOrderBook book;
    private final String description;
    private final String consumer;
    private final @Nullable Path lockFile;
    private final BiConsumer<String, OrderRelay> started;
    private final Map<String, RedisSpike> sales = new LinkedHashMap<>();
    private final Map<String, OrderRelay> relays = new ConcurrentHashMap<>();
    private final ScheduledExecutorService retry =
            Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "spike-http-orders"));
    private @Nullable DataDirectory lock;
    private boolean waiting;
    private boolean closed;

    /**
     * @param lockFile is held by the one server that opens the book; null: any number may
     * @param started is told of each relay, with its sale's id
     */
    private Orders(
            @Nullable JdbcOrderBook book,
            String description,
            String consumer,
            @Nullable Path lockFile,
            BiConsumer<String, OrderRelay> started) {
        this.book = book;
        this.description = description;
        this.consumer = consumer;
        this.lockFile = lockFile;
        this.started = started;
    }

    /**
     * Opens the book that the options name. Does not wait for its database.
     *
     * @param started is told of each relay once it runs, with its sale's id
     * @throws StartException if the directory of its file cannot be made
     * @throws IllegalArgumentException if {@code --orders} is malformed; the message shows no
     *     secret
     */
    static Orders open(Options options, BiConsumer<String, OrderRelay> started) {
        if (options.redis.equals("none")) {
            return new Orders(null, "none: in memory", "", null, started);
        } else if (NONE.equals(options.orders)) {
            return new Orders(null, NONE, "", null, started);
        }
        String url = options.orders == null ? file(options.data) : options.orders;
        String consumer = consumer(options.port);
        try {
            return new Orders(
                    JdbcOrderBook.open(url),
                    options.orders == null
                            ? "an H2 file, " + options.data.resolve("orders") + ".mv.db"
                            : url.split("[?;]", 2)[0],
                    consumer,
                    OrderDatabase.of(url).lock(url),
                    started);
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException(String.valueOf(malformed.getMessage())
                    .replace("must be ", "must be none, ")
                    .replace("jdbcUrl=", "--orders="));
        }
    }

    private static String file(Path data) {
        try {
            return "jdbc:h2:file:" + Files.createDirectories(data).toRealPath().resolve("orders");
        } catch (IOException failure) {
            throw new StartException("--data " + data + " cannot be written: " + failure, failure);
        }
    }

    /** The same after a restart, and another than that of other servers on this host. */
    private static String consumer(int port) {
        try {
            return InetAddress.getLocalHost().getHostName() + ":" + port;
        } catch (UnknownHostException nameless) {
            return "port-" + port;
        }
    }

    /** Brings the orders of a sale into the book from now on. */
    synchronized void follow(RemoteSpike sale) {
        if (book != null && sale instanceof RedisSpike redis) {
            sales.put(sale.saleId(), redis);
            startRelays();
        }
    }

    /** Only who may open the book takes anything from the log; the others wait for their turn. */
    private synchronized void startRelays() {
        OrderSink sink = book;
        if (closed || sink == null) {
            return;
        }
        if (!holdsBook()) {
            if (!waiting) {
                waiting = true;
                retry.schedule(this::retry, RETRY.toMillis(), TimeUnit.MILLISECONDS);
            }
            return;
        }
        sales.forEach((saleId, sale) -> relays.computeIfAbsent(saleId, first -> {
            OrderRelay relay = OrderRelay.of(sale, sink).consumer(consumer).start();
            started.accept(saleId, relay);
            return relay;
        }));
    }

    private synchronized void retry() {
        waiting = false;
        startRelays();
    }

    private synchronized boolean holdsBook() {
        if (lockFile == null || lock != null) {
            return true;
        }
        try {
            lock = closed ? null : DataDirectory.tryLock(lockFile);
        } catch (IOException failure) {
            System.getLogger(SpikeServer.class.getName())
                    .log(
                            Level.WARNING,
                            "no orders are written now: " + lockFile + " cannot be written: "
                                    + failure);
        }
        return lock != null;
    }

    /** The relay of a sale; null: none. */
    @Nullable
    OrderRelay relay(String saleId) {
        return relays.get(saleId);
    }

    boolean isKept() {
        return book != null;
    }

    /**
     * The book; null: there is none.
     *
     * @throws RemoteSpikeException if another server has it: opened here, it would be kept from
     *     that
     */
    @Nullable
    OrderBook book() {
        return held();
    }

    /** As {@link #book}. */
    @Nullable
    OrderSink sink() {
        return held();
    }

    private @Nullable JdbcOrderBook held() {
        if (book != null && !holdsBook()) {
            throw new RemoteSpikeException(
                    Kind.NOT_EXECUTED,
                    "another server has the order book, or it cannot be opened: " + description,
                    null);
        }
        return book;
    }

    /** What to tell the operator, without secrets. */
    String description() {
        return description;
    }

    /** Stops the relays, side by side, and then the book. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        retry.shutdownNow();
        try {
            CompletableFuture.allOf(relays.values().stream()
                            .map(relay -> CompletableFuture.runAsync(
                                    relay::close,
                                    task -> daemon(task, "spike-http-stop").start()))
                            .toArray(CompletableFuture<?>[]::new))
                    .join();
        } finally {
            closeBook();
        }
    }

    private void closeBook() {
        if (book != null) {
            book.close();
        }
        if (lock != null) {
            lock.close();
        }
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }
}
