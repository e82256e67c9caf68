package dev.spike.http;

import dev.spike.core.Answer;
import dev.spike.core.OrderSink;
import dev.spike.core.RemoteSpike.Restock;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.OrderRelay;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.UnifiedJedis;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A node that does all a node can do, one verb after the other, and tells before each call what it
 * asks, and after it what it was answered. In a child it may die at any point of it.
 */
final class CrashingNode {

    static final int TOTAL = 20;
    static final int RESTOCKED = 5;
    static final Duration HOLD = Duration.ofHours(1);
    static final Duration BRIEF = Duration.ofMillis(30);

    /** Longer than a busy machine needs. */
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final String uri;
    private final String saleId;
    private final String orders;
    private final Consumer<String> history;
    private final Map<String, Spike> nodes = new ConcurrentHashMap<>();

    /**
     * @param saleId of the sale, and with a letter after it of the others
     * @param orders the URL of the order book
     * @param history is told each call and each answer
     */
    CrashingNode(String uri, String saleId, String orders, Consumer<String> history) {
        this.uri = uri;
        this.saleId = saleId;
        this.orders = orders;
        this.history = history;
    }

    public static void main(String[] args) throws Exception {
        new CrashingNode(args[0], args[1], args[2], CrashPoint::say).run();
    }

    /** The verbs that go to Redis, each with the method whose call must not be missing in it. */
    static final Map<String, String> CALLS = Map.ofEntries(
            Map.entry("open", "RedisSpike.open"),
            Map.entry("reserve", "RedisSpike.reserve"),
            Map.entry("reserve together", "RedisSpike.reserve"),
            Map.entry("find", "RedisSpike.find"),
            Map.entry("extend", "RedisSpike.settle"),
            Map.entry("confirm", "RedisSpike.settle"),
            Map.entry("cancel", "RedisSpike.settle"),
            Map.entry("restock", "RedisSpike.restock"),
            Map.entry("close sale", "RedisSpike.closeSale"),
            Map.entry("reopen sale", "RedisSpike.reopenSale"),
            Map.entry("sync", "RedisSpike.expire"),
            Map.entry("sweep", "RedisSpike.expire"),
            Map.entry(
                    "relay",
                    "RedisOrderLog.acknowledge < OrderRelay.acknowledge < OrderRelay.deliverHeld"),
            Map.entry("audit", "RedisSpike.reservations"),
            Map.entry("bury", "RedisOrderLog.bury"),
            Map.entry("repair", "RedisSpike.correct"),
            Map.entry("close", "RedisSpike.reserve"));

    void run() throws Exception {
        verb("connect", this::connect).close();
        UnifiedJedis client = CrashRun.client(uri);
        RedisSpike stock = new RedisSpike(client, saleId, null);
        verb("open", () -> open("m", stock, HOLD));
        Spike node = node("m");
        verb("reserve", () -> reserve("m/a", 2));
        verb("reserve together", () -> reserveTogether("m/b", "m/c", "m/d", "m/e"));
        verb("find", () -> ask("find m/a", () -> node.find(id("m/a"))));
        verb("extend", () -> ask("extend m/b", () -> node.extend(id("m/b"))));
        verb("confirm", () -> ask("confirm m/a", () -> node.confirm(id("m/a"))));
        verb("cancel", () -> ask("cancel m/c", () -> node.cancel(id("m/c"))));
        verb("restock", () -> restock(node));
        verb("close sale", () -> tell("close sale", node::closeSale));
        verb("reopen sale", () -> tell("reopen sale", node::reopenSale));
        verb("sync", node::sync);
        open("s", new RedisSpike(client, saleId + "-s", null), BRIEF);
        verb("hold briefly", () -> reserve("s/a", 1));
        reserveTogether("s/b", "s/c");
        verb("sweep", () -> sweep(node("s")));
        try (JdbcOrderBook book = JdbcOrderBook.open(orders)) {
            verb("relay", () -> relay(stock, book));
            verb("audit", () -> node.audit(book));
            RedisSpike refused = new RedisSpike(client, saleId + "-b", null);
            open("b", refused, HOLD);
            reserve("b/poison", 1);
            reserve("b/good", 1);
            verb("bury", () -> relay(refused, refusing(book)));
            RedisSpike damaged = new RedisSpike(client, saleId + "-r", null);
            open("r", damaged, HOLD);
            reserveTogether("r/a", "r/b");
            damage(damaged);
            verb("repair", () -> node("r").repair(false, book, book));
            history.accept("repaired");
        }
        verb("close", () -> {
            List<CompletionStage<?>> last =
                    Stream.of("m/x", "m/y").map(this::asked).toList();
            nodes.values().forEach(Spike::close);
            last.forEach(CrashingNode::join);
            client.close();
            return "";
        });
    }

    private RedisStore connect() {
        while (true) {
            try {
                return RedisStore.connect(uri);
            } catch (RemoteSpikeException busy) {
                // The machine, not Redis; the test has a time limit.
            }
        }
    }

    private static <T> T verb(String name, Callable<T> body) throws Exception {
        CrashPoint.begin(name);
        T result = body.call();
        CrashPoint.end();
        return result;
    }

    private Spike node(String sale) {
        return nodes.computeIfAbsent(sale, absent -> {
            throw new IllegalStateException(sale);
        });
    }

    private Object open(String sale, RedisSpike stock, Duration hold) {
        nodes.put(sale, Spike.builder(stock).timeout(TIMEOUT).start());
        return tell("open " + sale, () -> node(sale).open(rules(stock.saleId(), hold)));
    }

    static Sale rules(String saleId, Duration hold) {
        return Sale.of(saleId, TOTAL).withHold(hold);
    }

    private Object reserve(String key, int quantity) {
        return ask(
                "reserve " + key,
                () -> node(key.substring(0, 1)).reserve(name(key), name(key), quantity));
    }

    private Object reserveTogether(String... keys) {
        Stream.of(keys).map(this::asked).toList().forEach(CrashingNode::join);
        return "";
    }

    private CompletionStage<?> asked(String key) {
        String what = "reserve " + key;
        history.accept("asked " + what);
        return node(key.substring(0, 1))
                .reserveAsync(name(key), name(key), 1)
                .thenAccept(answer -> history.accept("answered " + what + " " + answer.outcome()));
    }

    private static void join(CompletionStage<?> stage) {
        stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    static ReservationId id(String key) {
        return new ReservationId(name(key), name(key));
    }

    /** A key is also its buyer's name. */
    private static String name(String key) {
        return key.substring(2);
    }

    private Object ask(String what, Callable<Answer> call) {
        return tell(what, () -> call.call().outcome());
    }

    private Object tell(String what, Callable<?> call) {
        history.accept("asked " + what);
        Object answer;
        try {
            answer = call.call();
        } catch (Exception failure) {
            throw new IllegalStateException(what, failure);
        }
        history.accept("answered " + what + " " + answer.toString().split("[\\[ ]", 2)[0]);
        return answer;
    }

    private Object restock(Spike node) {
        return tell("restock", () -> {
            Restock done = node.restock("more", RESTOCKED);
            return done.effect();
        });
    }

    /** Until what was held briefly has ended. */
    private static Object sweep(Spike node) {
        return await(
                () -> node.sync().isPresent() && node.levels().orElseThrow().reserved() == 0);
    }

    /** Delivers all there is, under a name that the next one has, too. */
    static Object relay(RedisSpike stock, OrderSink sink) {
        try (OrderRelay relay = OrderRelay.of(stock, sink)
                .consumer("relay")
                .takeOverAfter(Duration.ofDays(1))
                .tries(2)
                .start()) {
            return await(() -> relay.lag().events() == 0);
        }
    }

    private static Object await(Callable<Boolean> condition) {
        org.awaitility.Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .until(condition);
        return "";
    }

    /** Writes to the book what is not from the buyer "poison". */
    static OrderSink refusing(OrderSink book) {
        return (saleId, total, events) -> {
            if (events.stream().anyMatch(event -> event.id().buyer().equals("poison"))) {
                throw new OrderSink.RefusedException("poison", null);
            }
            book.write(saleId, total, events);
        };
    }

    /** Loses the orders, and moves a unit. */
    private void damage(RedisSpike stock) {
        relay(stock, (saleId, total, events) -> {});
        history.accept("damaged");
        try (Jedis jedis = new Jedis(URI.create(uri))) {
            var moved = jedis.multi();
            moved.hincrBy("spike:{" + stock.saleId() + "}:stock", "reserved", 1);
            moved.hincrBy("spike:{" + stock.saleId() + "}:stock", "available", -1);
            moved.exec();
        }
    }
}
