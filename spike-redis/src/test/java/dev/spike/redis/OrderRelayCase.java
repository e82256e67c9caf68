package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.ReservationId;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

import redis.clients.jedis.params.XPendingParams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A sale on a real Redis, the relays of a test, and what every test of them leaves behind. */
@Timeout(60)
abstract class OrderRelayCase {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    final RedisSpike stock = new RedisSpike(REDIS.user(), TestRedis.newSaleId(), null);
    private final List<OrderRelay> relays = new ArrayList<>();

    @AfterEach
    void closeAndConserve() {
        relays.forEach(OrderRelay::close);
        await().untilAsserted(() -> assertThat(relayThreads()).isEmpty());
        Conservation.check(stock);
    }

    List<Thread> relayThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("spike-relay-" + stock.saleId()))
                .toList();
    }

    /** Patient, since the machine may be busy. */
    static ConditionFactory await() {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10));
    }

    /** Options of a relay that takes nothing over unless a test says so. */
    OrderRelayBuilder relay(OrderSink sink) {
        return OrderRelay.of(stock, sink).takeOverAfter(Duration.ofDays(1));
    }

    OrderRelay start(OrderRelayBuilder options) {
        OrderRelay relay = options.start();
        relays.add(relay);
        return relay;
    }

    OrderLog consumer(String name) {
        return stock.orderLog("orders", name);
    }

    String key(String part) {
        return "spike:{" + stock.saleId() + "}:" + part;
    }

    Answer reserve(String buyer, String key, int quantity) {
        return reserve(List.of(new Request(new ReservationId(buyer, key), quantity)))
                .get(0);
    }

    List<Answer> reserve(List<Request> batch) {
        return stock.reserve(batch, Long.MAX_VALUE).answers();
    }

    /** A unit for each of the buyers prefix0, prefix1, …, in one entry of the log each. */
    List<String> reserveEach(String prefix, int count) {
        List<String> buyers = names(prefix, count);
        buyers.forEach(buyer ->
                assertThat(reserve(buyer, buyer, 1).outcome()).isEqualTo(Outcome.RESERVED));
        return buyers;
    }

    /** A unit for each of the buyers prefix0, prefix1, …, in one entry of the log. */
    List<String> reserveTogether(String prefix, int count) {
        List<String> buyers = names(prefix, count);
        reserve(buyers.stream()
                .map(buyer -> new Request(new ReservationId(buyer, buyer), 1))
                .toList());
        return buyers;
    }

    private static List<String> names(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
    }

    Answer settle(String buyer, String key, Outcome to) {
        return stock.settle(
                        List.of(new Settlement(new ReservationId(buyer, key), to)), Long.MAX_VALUE)
                .answers()
                .get(0);
    }

    /** The log, as far as it is not trimmed. */
    List<LogEntry> log() {
        List<LogEntry> all = new ArrayList<>();
        List<LogEntry> page = stock.log(0);
        while (!page.isEmpty()) {
            all.addAll(page);
            page = stock.log(page.get(page.size() - 1).sequence());
        }
        return all;
    }

    List<OrderEvent> logged() {
        return log().stream().flatMap(entry -> entry.events().stream()).toList();
    }

    /** Sweeps until nothing is reserved. */
    void awaitAllExpired() {
        await().until(() -> stock.expire().levels().reserved() == 0);
    }

    /** The sequences of the entries that a group took and has not acknowledged. */
    List<Long> pending(String group) {
        return REDIS
                .client()
                .xpending(key("log"), group, XPendingParams.xPendingParams("-", "+", 10_000))
                .stream()
                .map(entry -> entry.getID().getTime())
                .toList();
    }

    List<Map<String, String>> deadLetters() {
        return REDIS.client().xrange(key("dead"), "-", "+").stream()
                .map(entry -> entry.getFields())
                .toList();
    }

    List<String> deadBuyers() {
        return deadLetters().stream().map(letter -> letter.get("buyer")).toList();
    }

    /** Until nothing of the default group is left to be written. */
    void awaitAllAcknowledged(OrderRelay relay) {
        await().until(() -> relay.lag().events() == 0 && pending("orders").isEmpty());
    }
}
