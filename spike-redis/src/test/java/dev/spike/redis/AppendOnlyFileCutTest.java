package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.XPendingParams;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The power fails, and the end of the append-only file is lost: it is cut at each byte of the last
 * calls, a server is started over what is left, and takes the place of the one that a node knows.
 */
class AppendOnlyFileCutTest {

    private static final boolean SLOW = Boolean.getBoolean("spike.slow");

    private final RedisServer whole =
            RedisServer.start("--appendonly", "yes", "--appendfsync", "no");
    private final RedisServer cut = RedisServer.start("--appendonly", "yes");
    private final Forwarder address = new Forwarder(whole);
    private final RedisStore store = RedisStore.connect(address.uri());
    private final String saleId = TestRedis.newSaleId();
    private final RedisSpike stock = store.sale(saleId);

    /** What was in the store when its file was so long, after each call. */
    private final TreeMap<Integer, Map<String, String>> states = new TreeMap<>();

    @AfterEach
    void close() {
        store.close();
        address.close();
        whole.close();
        cut.close();
    }

    @Test
    @Timeout(3_600)
    void cutAtEachByte_leavesWholeCalls_theNodeGoesOnOrHalts_aNewOneSellsTheRest()
            throws Exception {
        note(this::sell);
        List<Runnable> calls = lastCalls();
        int from = states.lastKey();
        for (Runnable call : calls) {
            note(call);
        }
        // A call that wrote nothing would prove nothing.
        assertThat(states).hasSize(calls.size() + 1);
        byte[] file = Files.readAllBytes(file(whole));
        for (int length : lengths(from)) {
            proveCut(Arrays.copyOf(file, length), "cut at " + length + " of " + file.length);
        }
    }

    private List<Integer> lengths(int from) {
        int step = SLOW ? 1 : 211;
        List<Integer> lengths = new ArrayList<>(states.keySet());
        states.keySet().forEach(end -> lengths.add(end - 1));
        for (int length = from; length < states.lastKey(); length += step) {
            lengths.add(length);
        }
        return lengths.stream()
                .filter(length -> length >= from)
                .distinct()
                .sorted()
                .toList();
    }

    private void sell() {
        // Nothing may end while all cuts are tried.
        stock.open(Sale.of(saleId, 20).withPerBuyer(4).withHold(Duration.ofHours(12)));
        reserve("alice", "bob", "carol");
        reserve("alice", "dave");
    }

    /** Each kind of call that writes, but a sweep: what that writes has the form of a cancel. */
    private List<Runnable> lastCalls() {
        OrderLog log = stock.orderLog("orders", "relay");
        return List.of(
                () -> reserve("erin", "alice"),
                () -> settle("alice", Outcome.CONFIRMED),
                () -> settle("bob", Outcome.CANCELLED),
                () -> stock.restock(new Operation("more", 3)),
                () -> log.takeNew(10),
                () -> log.acknowledge(List.of(1L, 2L, 3L)),
                () -> bury(log),
                () -> stock.closeSale(),
                () -> stock.reopenSale(),
                () -> settle("carol", Outcome.RESERVED),
                () -> reserve("frank", "bob"),
                // Without it the stock is no older.
                () -> log.acknowledge(List.of(5L)));
    }

    private void reserve(String... buyers) {
        // Each time a further reservation for who has one.
        String key = "key" + states.size();
        List<Request> batch = Stream.of(buyers)
                .map(buyer -> new Request(new ReservationId(buyer, key), 1))
                .toList();
        assertThat(stock.reserve(batch, Long.MAX_VALUE).answers())
                .allMatch(answer -> answer.outcome() == Outcome.RESERVED);
    }

    private void settle(String buyer, Outcome to) {
        ReservationId first = new ReservationId(buyer, "key0");
        assertThat(stock.settle(List.of(new Settlement(first, to)), Long.MAX_VALUE)
                        .answers())
                .allMatch(answer -> answer.outcome() == to);
    }

    private void bury(OrderLog log) {
        List<OrderEvent> events = stock.log(3).get(0).events();
        List<OrderLog.Dead> dead =
                events.stream().map(event -> new OrderLog.Dead(event, "broken")).toList();
        assertThat(log.bury(4, dead, null)).isEqualTo(OrderLog.Burial.DONE);
    }

    private void note(Runnable call) throws IOException {
        call.run();
        Map<String, String> state = state(whole);
        // Written before the reply was sent.
        states.put((int) Files.size(file(whole)), state);
    }

    private void proveCut(byte[] file, String where) throws Exception {
        Map<String, String> expected = states.floorEntry(file.length).getValue();
        restartCut(file);
        assertThat(state(cut)).as(where).isEqualTo(expected);

        address.to(whole);
        TestRedis.dropIdle(store.client());
        try (Spike running = Spike.builder(stock).timeout(FourNodes.TIMEOUT).start()) {
            long known = FourNodes.look(running).sequence();
            address.to(cut);
            address.disconnect();
            TestRedis.dropIdle(store.client());
            boolean isBehind = Long.parseLong(expected.get("sequence")) < known;
            var answer = running.reserve("running", "key", 1);
            if (isBehind) {
                assertThat(answer.outcome()).as(where).isEqualTo(Outcome.UNAVAILABLE);
                assertThat(running.haltReason().orElse("")).as(where).contains("lost writes");
                assertThat(running.reserve("again", "key", 1).outcome())
                        .as(where)
                        .isEqualTo(Outcome.UNAVAILABLE);
            } else {
                assertThat(answer.outcome()).as(where).isEqualTo(Outcome.RESERVED);
                assertThat(running.haltReason()).as(where).isEmpty();
            }
        }
        try (RedisStore fresh = RedisStore.connect(cut.uri());
                Spike node = Spike.builder(fresh.sale(saleId))
                        .timeout(FourNodes.TIMEOUT)
                        .start()) {
            RedisSpike left = fresh.sale(saleId);
            Conservation.check(left);
            if (left.levels().phase() == Levels.Phase.CLOSED) {
                node.reopenSale();
            }
            FourNodes.assertSellsTheRest(node);
            Conservation.check(left);
            assertThat(node.audit(null).orElseThrow().differences()).as(where).isEmpty();
        }
    }

    /** Starts a server over this file. */
    private void restartCut(byte[] file) throws IOException {
        cut.crash();
        Path to = cut.directory().resolve("appendonlydir");
        try (Stream<Path> files = Files.list(to)) {
            files.forEach(old -> old.toFile().delete());
        }
        Path from = whole.directory().resolve("appendonlydir");
        try (Stream<Path> files = Files.list(from)) {
            for (Path part : files.toList()) {
                Files.copy(part, to.resolve(part.getFileName().toString()));
            }
        }
        Files.write(file(cut), file);
        cut.restart("--aof-load-truncated", "yes");
    }

    private static Path file(RedisServer server) throws IOException {
        try (Stream<Path> files = Files.list(server.directory().resolve("appendonlydir"))) {
            return files.filter(file -> file.toString().endsWith(".incr.aof"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** All that the server holds of the sale. */
    private Map<String, String> state(RedisServer server) {
        String prefix = "spike:{" + saleId + "}:";
        Map<String, String> state = new TreeMap<>();
        try (Jedis jedis = server.jedis()) {
            state.putAll(jedis.hgetAll(prefix + "stock"));
            state.put("reservations", "" + new TreeMap<>(jedis.hgetAll(prefix + "reservations")));
            state.put("log", "" + jedis.xrange(prefix + "log", "-", "+"));
            state.put("dead", "" + jedis.xrange(prefix + "dead", "-", "+"));
            boolean hasGroup = !jedis.xinfoGroups(prefix + "log").isEmpty();
            state.put(
                    "taken",
                    hasGroup
                            ? jedis
                                    .xpending(
                                            prefix + "log",
                                            "orders",
                                            XPendingParams.xPendingParams("-", "+", 100))
                                    .stream()
                                    .map(entry -> entry.getID() + " " + entry.getConsumerName())
                                    .toList()
                                    .toString()
                            : "no group");
        }
        return state;
    }
}
