package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.OrderBook.Order;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Opening;
import dev.spike.core.RemoteSpike.Restock;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;

import redis.clients.jedis.UnifiedJedis;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a {@link CrashingNode} left behind, seen and carried on by a fresh node over the same Redis
 * and the same order book.
 */
final class NodeAftermath {

    private final UnifiedJedis client;
    private final String saleId;
    private final JdbcOrderBook book;
    private final CrashHistory history;

    private NodeAftermath(
            UnifiedJedis client, String saleId, JdbcOrderBook book, CrashHistory history) {
        this.client = client;
        this.saleId = saleId;
        this.book = book;
        this.history = history;
    }

    /** Demands all that must hold of the sales of a node with this history. */
    static void check(String uri, String saleId, String orders, CrashHistory history) {
        try (UnifiedJedis client = CrashRun.client(uri);
                JdbcOrderBook book = JdbcOrderBook.open(orders)) {
            NodeAftermath after = new NodeAftermath(client, saleId, book, history);
            after.checkMain();
            if (history.wasAsked("open s")) {
                after.checkBrief();
            }
            if (history.wasAsked("open b")) {
                after.checkRefused();
            }
            if (history.wasAsked("open r")) {
                after.checkDamaged();
            }
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    private void checkMain() throws Exception {
        RedisSpike stock = new RedisSpike(client, saleId, null);
        try (Spike node = open("m", stock, CrashingNode.HOLD)) {
            Map<String, Outcome> states = states("m", stock);
            restockAgain(node);
            hours(node);
            states.forEach((key, state) -> repeat(node, key, state));
            settleAgain(node);
            assertHeldNoLonger(stock, CrashingNode.HOLD);
            Conservation.check(stock);
            for (Reservation held : Conservation.reservations(stock).values()) {
                if (held.state() == Outcome.RESERVED) {
                    assertThat(node.cancel(held.id()).outcome()).isEqualTo(Outcome.CANCELLED);
                }
            }
            deliverAndDrain(stock, node, book);
        }
    }

    private void checkBrief() throws Exception {
        RedisSpike stock = new RedisSpike(client, saleId + "-s", null);
        try (Spike node = open("s", stock, CrashingNode.BRIEF)) {
            Map<String, Outcome> states = states("s", stock);
            awaitNoneHeld(stock);
            states.forEach((key, state) -> {
                if (state != Outcome.NOT_FOUND) {
                    repeat(node, key, Outcome.EXPIRED);
                }
            });
        }
        // Without a node, no hold ends while all that is left is sold and counted.
        Conservation.drain(stock);
        try (Spike node = Spike.builder(stock).timeout(CrashingNode.TIMEOUT).start()) {
            awaitNoneHeld(stock);
            deliver(stock, node, book);
        }
    }

    /** Nobody sweeps on purpose: the node does, as soon as a hold has ended. */
    private static void awaitNoneHeld(RedisSpike stock) {
        await().atMost(Duration.ofSeconds(30)).until(() -> stock.levels().reserved() == 0);
    }

    private void checkRefused() throws Exception {
        RedisSpike stock = new RedisSpike(client, saleId + "-b", null);
        try (Spike node = open("b", stock, CrashingNode.HOLD)) {
            Map<String, Outcome> states = states("b", stock);
            states.forEach((key, state) -> repeat(node, key, state));
            OrderSink refusing = CrashingNode.refusing(book);
            CrashingNode.relay(stock, refusing);
            List<String> dead =
                    client.xrange("spike:{" + stock.saleId() + "}:dead", "-", "+").stream()
                            .map(letter -> letter.getFields().get("buyer"))
                            .toList();
            assertThat(dead)
                    .isEqualTo(states.containsKey("b/poison") ? List.of("poison") : List.of());
            Map<String, String> rows = rows(stock);
            assertThat(rows.keySet())
                    .isEqualTo(states.keySet().stream()
                            .filter(key -> !key.equals("b/poison"))
                            .map(key -> CrashingNode.id(key).toString())
                            .collect(Collectors.toSet()));
            Conservation.drain(stock);
        }
    }

    private void checkDamaged() throws Exception {
        RedisSpike stock = new RedisSpike(client, saleId + "-r", null);
        try (Spike node = open("r", stock, CrashingNode.HOLD)) {
            if (history.says("damaged")) {
                boolean isBalanced = node.audit(book).orElseThrow().balanced();
                assertThat(isBalanced || !history.says("repaired")).isTrue();
                node.repair(false, book, book);
            }
            deliverAndDrain(stock, node, book);
        }
    }

    /** A node of the sale, which is open as far as the answer to its opening was true. */
    private Spike open(String sale, RedisSpike stock, Duration hold) {
        boolean existed = stock.levels().phase() != Levels.Phase.ABSENT;
        if (!sale.equals("r") || !history.says("damaged")) {
            Conservation.check(stock);
        }
        Spike node = Spike.builder(stock).timeout(CrashingNode.TIMEOUT).start();
        Opening again = node.open(CrashingNode.rules(stock.saleId(), hold));
        assertThat(again).isEqualTo(existed ? Opening.ALREADY_OPEN : Opening.OPENED);
        if (history.wasAnswered("open " + sale)) {
            assertThat(existed).as("opening was answered").isTrue();
        }
        return node;
    }

    /** The state of each key that was asked for, which must be one that the answers allow. */
    private Map<String, Outcome> states(String sale, RedisSpike stock) {
        Map<String, Outcome> states = new TreeMap<>();
        Map<ReservationId, Reservation> all = Conservation.reservations(stock);
        for (String key : history.keys(sale)) {
            Reservation found = all.remove(CrashingNode.id(key));
            Outcome state = found == null ? Outcome.NOT_FOUND : found.state();
            assertThat(history.allowed(key)).as(key + ": " + history).contains(state);
            states.put(key, state);
        }
        assertThat(all.keySet()).as("reservations that nobody asked for").isEmpty();
        return states;
    }

    /** The same key again gets the same answer, or now its first. */
    private static void repeat(Spike node, String key, Outcome state) {
        ReservationId id = CrashingNode.id(key);
        int quantity = key.equals("m/a") ? 2 : 1;
        Answer again = node.reserve(id.buyer(), id.key(), quantity);
        assertThat(again.outcome())
                .as(key)
                .isEqualTo(state == Outcome.NOT_FOUND ? Outcome.RESERVED : state);
        assertThat(again.repeated()).as(key).isEqualTo(state != Outcome.NOT_FOUND);
    }

    private void restockAgain(Spike node) {
        if (!history.wasAsked("restock")) {
            return;
        }
        long before = node.sale().orElseThrow().total();
        Restock again = node.restock("more", CrashingNode.RESTOCKED);
        long all = CrashingNode.TOTAL + CrashingNode.RESTOCKED;
        assertThat(again.effect())
                .isEqualTo(before == all ? Restock.Effect.REPEATED : Restock.Effect.APPLIED);
        assertThat(before == all || !history.wasAnswered("restock")).isTrue();
        assertThat(again.applied()).isEqualTo(CrashingNode.RESTOCKED);
        assertThat(node.sale().orElseThrow().total()).isEqualTo(all);
    }

    private void hours(Spike node) {
        Levels.Phase phase = node.levels().orElseThrow().phase();
        boolean mayBeClosed = history.wasAsked("close sale") && !history.wasAnswered("reopen sale");
        boolean mayBeOpen = !history.wasAnswered("close sale") || history.wasAsked("reopen sale");
        assertThat(phase == Levels.Phase.CLOSED ? mayBeClosed : mayBeOpen)
                .as(phase + ": " + history)
                .isTrue();
        node.reopenSale();
    }

    /** What got no answer is asked for again, and is done then. */
    private void settleAgain(Spike node) {
        if (history.wasAsked("confirm m/a")) {
            assertThat(node.confirm(CrashingNode.id("m/a")).outcome()).isEqualTo(Outcome.CONFIRMED);
        }
        if (history.wasAsked("cancel m/c")) {
            assertThat(node.cancel(CrashingNode.id("m/c")).outcome()).isEqualTo(Outcome.CANCELLED);
        }
        if (history.wasAsked("extend m/b")) {
            assertThat(node.extend(CrashingNode.id("m/b")).outcome()).isEqualTo(Outcome.RESERVED);
        }
    }

    private static void assertHeldNoLonger(RedisSpike stock, Duration hold) {
        assertThat(Conservation.reservations(stock).values())
                .allSatisfy(held -> assertThat(held.expiresAt())
                        .isBeforeOrEqualTo(stock.levels().asOf().plus(hold)));
    }

    /** Sells all that is left, and delivers. */
    private static void deliverAndDrain(RedisSpike stock, Spike node, JdbcOrderBook book)
            throws Exception {
        Conservation.drain(stock);
        deliver(stock, node, book);
    }

    /** Each reservation is one order then, and the audit balances. */
    private static void deliver(RedisSpike stock, Spike node, JdbcOrderBook book) throws Exception {
        CrashingNode.relay(stock, book);
        Map<String, String> wanted = new TreeMap<>();
        Conservation.reservations(stock)
                .forEach((id, held) ->
                        wanted.put(id.toString(), held.state() + " " + held.quantity()));
        assertThat(rows(stock, book)).isEqualTo(wanted);
        var audit = node.audit(book).orElseThrow();
        assertThat(audit.differences()).isEmpty();
        assertThat(audit.balanced()).isTrue();
    }

    private Map<String, String> rows(RedisSpike stock) throws Exception {
        return rows(stock, book);
    }

    private static Map<String, String> rows(RedisSpike stock, JdbcOrderBook book) throws Exception {
        Map<String, String> rows = new TreeMap<>();
        for (Order order : book.page(stock.saleId(), "", 1_000)) {
            String before =
                    rows.put(order.id().toString(), order.status() + " " + order.quantity());
            assertThat(before).as("second row of " + order).isNull();
        }
        return rows;
    }
}
