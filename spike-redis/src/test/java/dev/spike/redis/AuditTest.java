package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Answer;
import dev.spike.core.Audit;
import dev.spike.core.Audit.Difference;
import dev.spike.core.Audit.Kind;
import dev.spike.core.Audit.Place;
import dev.spike.core.Conservation;
import dev.spike.core.Crowd;
import dev.spike.core.MemoryOrders;
import dev.spike.core.OrderBook;
import dev.spike.core.OrderBook.Sum;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.Repair;
import dev.spike.core.Repair.Step;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.UnifiedJedis;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Audits and repairs over a real Redis, with orders that a real relay writes. */
@Timeout(60)
class AuditTest {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private static final Duration NEVER = Duration.ofMinutes(30);

    private final String saleId = TestRedis.newSaleId();
    private final UnifiedJedis jedis = REDIS.client();
    private final MemoryOrders orders = new MemoryOrders();
    private final List<AutoCloseable> open = new ArrayList<>();
    private RedisSpike stock = new RedisSpike(REDIS.user(), saleId, null);

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private Spike node(Duration syncEvery) {
        Spike node = Spike.builder(stock)
                .nodes(4)
                .timeout(Duration.ofSeconds(10))
                .syncEvery(syncEvery)
                .start();
        open.add(node);
        return node;
    }

    private OrderRelay relay(OrderSink sink) {
        OrderRelay relay = OrderRelay.of(stock, sink).start();
        open.add(relay);
        return relay;
    }

    private String key(String part) {
        return "spike:{" + saleId + "}:" + part;
    }

    private static ReservationId id(String buyer, String key) {
        return new ReservationId(buyer, key);
    }

    private void reserve(String buyer, String key, int quantity) {
        assertThat(stock.reserve(List.of(new Request(id(buyer, key), quantity)), Long.MAX_VALUE)
                        .answers())
                .extracting(Answer::outcome)
                .containsExactly(Outcome.RESERVED);
    }

    private void settle(String buyer, String key, Outcome to) {
        assertThat(stock.settle(List.of(new Settlement(id(buyer, key), to)), Long.MAX_VALUE)
                        .answers())
                .extracting(Answer::outcome)
                .containsExactly(to);
    }

    private void reserveMany(int reservations) {
        for (int from = 0; from < reservations; from += 500) {
            List<Request> batch = IntStream.range(from, Math.min(from + 500, reservations))
                    .mapToObj(i -> new Request(id("many" + i / 2, "key" + i), 1))
                    .toList();
            stock.reserve(batch, Long.MAX_VALUE);
        }
    }

    /** Alice with three reservations, bob with one, carol with one; all orders are written. */
    private OrderRelay openAndSell() {
        stock.open(Sale.of(saleId, 40).withPerBuyer(12));
        reserve("alice", "a", 2);
        reserve("alice", "b", 3);
        reserve("alice", "c", 1);
        reserve("bob", "a", 4);
        reserve("carol", "a", 1);
        settle("alice", "a", Outcome.CONFIRMED);
        settle("carol", "a", Outcome.CANCELLED);
        OrderRelay relay = relay(orders);
        awaitAllWritten(relay);
        assertThat(audit(orders).differences()).isEmpty();
        return relay;
    }

    private static void awaitAllWritten(OrderRelay relay) {
        await().atMost(20, SECONDS).until(() -> relay.lag().events() == 0);
    }

    private Audit audit(@Nullable OrderBook book) {
        return node(NEVER).audit(book).orElseThrow();
    }

    private Repair repair(boolean dryRun) {
        return node(NEVER).repair(dryRun, orders, orders).orElseThrow();
    }

    private static List<String> told(Audit audit) {
        return audit.differences().stream()
                .map(difference -> difference.kind() + " " + difference.place() + " "
                        + difference.what() + ": " + difference.expected() + ", found "
                        + difference.found()
                        + (difference.id() == null
                                ? ""
                                : " " + difference.id().buyer() + " "
                                        + difference.id().key())
                        + (difference.id() != null || difference.buyer() == null
                                ? ""
                                : " " + difference.buyer()))
                .toList();
    }

    /** All keys of the sale, and what they hold. */
    private Map<String, String> keys() {
        Map<String, String> held = new TreeMap<>();
        for (String key : jedis.keys("*{" + saleId + "}*")) {
            held.put(key, HexFormat.of().formatHex(jedis.dump(key)));
        }
        return held;
    }

    private void assertBalanced() {
        Audit audit = audit(orders);
        assertThat(told(audit)).isEmpty();
        assertThat(audit.balanced()).isTrue();
        Conservation.check(stock);
    }

    @Test
    void audit_absentSale_isEmpty_andCreatesNothing() {
        assertThat(node(NEVER).audit(orders)).isEmpty();
        assertThat(node(NEVER).repair(false, orders, orders)).isEmpty();
        assertThat(keys()).isEmpty();
    }

    @Test
    void audit_wholeSale_sumsAreRight() {
        openAndSell();
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isTrue();
        Map<Outcome, Sum> sums = Map.of(
                Outcome.RESERVED, new Sum(3, 8),
                Outcome.CONFIRMED, new Sum(1, 2),
                Outcome.CANCELLED, new Sum(1, 1));
        assertThat(audit.sums().reservations()).isEqualTo(sums);
        assertThat(audit.sums().orders()).isEqualTo(sums);
        assertThat(audit.sums().total()).isEqualTo(40);
        assertThat(audit.sums().buyers()).isEqualTo(10);
        assertThat(audit.sums().logFrom()).isEqualTo(1);
    }

    @Test
    void audit_adoptedSale_countsWhatWasSoldBefore_andIsRepaired() {
        String hash = "ticket_hash_key-" + saleId;
        jedis.hset(hash, Map.of("ticket_total_nums", "10", "ticket_sold_nums", "4"));
        stock = new RedisSpike(REDIS.user(), saleId, Adoption.of(hash));
        stock.open(Sale.of(saleId, 10));
        reserve("alice", "a", 2);
        settle("alice", "a", Outcome.CONFIRMED);
        reserve("bob", "a", 1);
        Audit audit = audit(null);
        assertThat(told(audit)).isEmpty();
        assertThat(audit.sums().soldBefore()).isEqualTo(4);
        assertThat(audit.levels().sold()).isEqualTo(6);
        jedis.hincrBy(key("stock"), "sold", -1);
        assertThat(told(audit(null)))
                .contains(
                        "MISSING LEVELS sold: 6, found 5", "MISSING LEVELS available: 4, found 3");
        assertThat(node(NEVER).repair(false, null, null).orElseThrow().steps())
                .extracting(Step::done)
                .contains(true);
        assertThat(told(audit(null))).isEmpty();
        assertThat(jedis.hget(hash, "ticket_sold_nums")).isEqualTo("7");
        Conservation.drain(stock);
    }

    @Test
    void repair_adoptedHashChangedBySomebodyElse_isNotDone() {
        String hash = "ticket_hash_key-" + saleId;
        jedis.hset(hash, Map.of("ticket_total_nums", "10", "ticket_sold_nums", "4"));
        stock = new RedisSpike(REDIS.user(), saleId, Adoption.of(hash));
        stock.open(Sale.of(saleId, 10));
        reserve("alice", "a", 2);
        jedis.hincrBy(key("stock"), "reserved", 1);
        jedis.hincrBy(hash, "ticket_sold_nums", 3);
        Map<String, String> before = keys();
        assertThat(node(NEVER).repair(false, null, null).orElseThrow().steps())
                .filteredOn(step -> step.what().startsWith("set"))
                .allSatisfy(step -> {
                    assertThat(step.done()).isFalse();
                    assertThat(step.why()).contains("was changed by somebody else");
                })
                .hasSize(1);
        assertThat(keys()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void audit_whileFourNodesSell_isExact(long seed) {
        stock.open(Sale.of(saleId, 1_000).withHold(Duration.ofMillis(300)));
        OrderRelay relay = relay(orders);
        List<Spike> nodes =
                IntStream.range(0, 4).mapToObj(i -> node(Duration.ofMillis(50))).toList();
        int audits = 0;
        int exact = 0;
        try (Crowd crowd = new Crowd(nodes, 3_000, 400, seed)) {
            do {
                Audit audit =
                        nodes.get(0).audit(audits % 3 == 0 ? null : orders).orElseThrow();
                assertThat(audit.differences())
                        .as("seed " + seed)
                        .filteredOn(difference -> difference.kind() != Kind.IN_FLIGHT)
                        .isEmpty();
                assertThat(audit.balanced()).as("seed " + seed).isTrue();
                assertThat(audit.sums().total()).isEqualTo(audit.levels().total());
                audits++;
                // On a busy machine the log may be trimmed before the audit has read it.
                exact += audit.differences().stream()
                                .allMatch(difference -> difference.place() == Place.ORDERS)
                        ? 1
                        : 0;
            } while (crowd.isBusy() || exact == 0);
        }
        assertThat(nodes).allSatisfy(node -> assertThat(node.haltReason()).isEmpty());
        await().atMost(20, SECONDS).until(() -> stock.levels().reserved() == 0);
        awaitAllWritten(relay);
        await().atMost(20, SECONDS).until(() -> jedis.xlen(key("log")) == 0);
        assertBalanced();
        assertThat(audit(null).sums().reservations()).containsKey(Outcome.EXPIRED);
        Conservation.drain(stock);
    }

    @Test
    void audit_hashTableThatGrowsMeanwhile_countsEachOnce() {
        stock.open(Sale.of(saleId, 100_000));
        reserveMany(2_000);
        List<Integer> grown = new ArrayList<>();
        OrderBook growing = new OrderBook() {
            @Override
            public Map<Outcome, Sum> sums(String sale) {
                return orders.sums(sale);
            }

            @Override
            public List<Order> find(String sale, Collection<ReservationId> ids) {
                // With each page, so that the table is rehashed between pages.
                int from = 2_000 + 1_000 * grown.size();
                if (grown.size() < 7) {
                    grown.add(from);
                    stock.reserve(
                            IntStream.range(from, from + 500)
                                    .mapToObj(i -> new Request(id("new" + i, "a"), 1))
                                    .toList(),
                            Long.MAX_VALUE);
                    stock.settle(
                            IntStream.range(0, 100)
                                    .map(i -> 100 * grown.size() + i)
                                    .mapToObj(i -> new Settlement(
                                            id("many" + i / 2, "key" + i),
                                            i % 3 == 0 ? Outcome.CANCELLED : Outcome.CONFIRMED))
                                    .toList(),
                            Long.MAX_VALUE);
                }
                return orders.find(sale, ids);
            }

            @Override
            public List<Order> page(String sale, String after, int limit) {
                return orders.page(sale, after, limit);
            }
        };
        Audit audit = audit(growing);
        assertThat(grown).hasSizeGreaterThan(3);
        assertThat(audit.differences())
                .extracting(Difference::kind, Difference::place)
                .containsExactly(tuple(Kind.IN_FLIGHT, Place.ORDERS));
        assertThat(audit.sums().reservations().values().stream()
                        .mapToLong(Sum::orders)
                        .sum())
                .isEqualTo(2_000 + 500L * grown.size())
                .isEqualTo(audit.levels().reservations());
        Conservation.check(stock);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "available    |   5 | EXTRA LEVELS available: 30, found 35",
                "available    |  -5 | MISSING LEVELS available: 30, found 25",
                "available    | -31 | NEGATIVE LEVELS available: 30, found -1",
                "reserved     |   3 | EXTRA LEVELS reserved: 8, found 11",
                "reserved     |  -3 | MISSING LEVELS reserved: 8, found 5",
                "reserved     | -10 | NEGATIVE LEVELS reserved: 8, found -2",
                "sold         |   1 | EXTRA LEVELS sold: 2, found 3",
                "sold         |  -1 | MISSING LEVELS sold: 2, found 1",
                "sold         |  -3 | NEGATIVE LEVELS sold: 2, found -1",
                "reservations |   7 | EXTRA LEVELS reservations: 5, found 12",
                "reservations |  -2 | MISSING LEVELS reservations: 5, found 3",
            })
    void levelChanged_isFound_andRepaired(String field, long by, String difference) {
        openAndSell();
        jedis.hincrBy(key("stock"), field, by);
        assertThat(stock.levels().conservationError())
                .isEqualTo(field.equals("reservations") ? 0 : -by);
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit)).contains(difference);
        // The total goes by the other levels; the log beside the levels tells them once more.
        assertThat(audit.differences())
                .filteredOn(one -> one.place() == Place.LEVELS)
                .hasSize(field.equals("reserved") || field.equals("sold") ? 2 : 1);
        Map<String, String> before = keys();
        Repair dry = repair(true);
        assertThat(keys()).isEqualTo(before);
        assertThat(dry.steps()).allSatisfy(step -> assertThat(step.done()).isFalse());
        assertThat(dry.steps().get(0).what())
                .isEqualTo("set reserved to 8, sold to 2, available to 30, reservations to 5, and"
                        + " the counts of 0 buyers");
        assertThat(dry.steps().get(0).why()).isEqualTo("dry run");
        assertThat(repair(false).steps().get(0))
                .isEqualTo(new Step(dry.steps().get(0).what(), true, ""));
        assertBalanced();
        Conservation.drain(stock);
    }

    @ParameterizedTest
    @CsvSource({"9, EXTRA", "1, MISSING"})
    void countOfABuyerChanged_isFound_andRepaired(String held, Kind kind) {
        openAndSell();
        String record = jedis.hget(key("reservations"), "alice");
        jedis.hset(key("reservations"), "alice", record.replaceFirst("^\\d+", held));
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit))
                .containsExactly(kind + " BUYERS units that a buyer holds or bought: 6, found "
                        + held + " alice");
        assertThat(repair(false).steps()).extracting(Step::done).containsExactly(true);
        assertThat(jedis.hget(key("reservations"), "alice")).isEqualTo(record);
        assertBalanced();
        Conservation.drain(stock);
    }

    @Test
    void countOfABuyerWithManyReservations_isFound_andRepaired() {
        stock.open(Sale.of(saleId, 500));
        IntStream.range(0, 250).forEach(i -> reserve("alice", "key" + i, 1));
        String record = jedis.hget(key("reservations"), "alice");
        jedis.hset(key("reservations"), "alice", record.replaceFirst("^250", "249"));
        assertThat(told(audit(null)))
                .containsExactly("MISSING BUYERS units that a buyer holds or bought: 250, found 249"
                        + " alice");
        node(NEVER).repair(false, null, null);
        assertThat(told(audit(null))).isEmpty();
        assertThat(jedis.hget(key("reservations"), "alice")).isEqualTo(record);
    }

    @Test
    void furtherRecordLost_isFound_andItsUnitsAreNotSoldAgain() {
        openAndSell();
        jedis.hdel(key("reservations"), "alice\nb");
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit))
                .containsExactly(
                        "EXTRA LEVELS reservations: 4, found 5",
                        "EXTRA LEVELS reserved: 5, found 8",
                        "EXTRA BUYERS units that a buyer holds or bought: 3, found 6 alice",
                        "EXTRA ORDERS order that is RESERVED: there is no such reservation: 0,"
                                + " found 3 alice b");
        Map<String, String> before = keys();
        assertThat(repair(false).steps())
                .extracting(Step::done, Step::why)
                .containsExactly(
                        tuple(
                                false,
                                "reservations were lost, and their units may be sold; look at them"),
                        tuple(false, "an order is never taken away or back; look at it"));
        assertThat(keys()).isEqualTo(before);
        assertThat(orders.of(id("alice", "b")).quantity()).isEqualTo(3);
    }

    @Test
    void furtherRecordLost_theBuyersReservationsComeToAnEnd() {
        openAndSell();
        jedis.hdel(key("reservations"), "alice\nb");
        var first = stock.reservationsOf("alice", null);
        assertThat(first.reservations()).hasSize(2);
        var second = stock.reservationsOf("alice", first.next());
        assertThat(second.reservations()).isEmpty();
        assertThat(second.next()).isNull();
    }

    @Test
    void firstRecordLost_isFound_andNothingIsRepairedWithoutIt() {
        openAndSell();
        jedis.hdel(key("reservations"), "alice");
        assertThat(told(audit(orders)))
                .containsExactly(
                        "EXTRA LEVELS reservations: 4, found 5",
                        "EXTRA LEVELS sold: 0, found 2",
                        "MISSING BUYERS units that a buyer holds or bought: 4, found 0 alice",
                        "EXTRA ORDERS order that is CONFIRMED: there is no such reservation: 0,"
                                + " found 2 alice a");
        // Even if nothing seems to be lost by the count and the orders.
        jedis.hincrBy(key("stock"), "reservations", -1);
        jedis.hincrBy(key("stock"), "sold", -2);
        Map<String, String> before = keys();
        assertThat(node(NEVER).repair(false, null, null).orElseThrow().steps().get(0))
                .satisfies(step -> {
                    assertThat(step.done()).isFalse();
                    assertThat(step.why()).contains("damaged record");
                });
        assertThat(keys()).isEqualTo(before);
    }

    @Test
    void logEntryLost_isFound_andCannotBeRestored() {
        openAndSell();
        jedis.xdel(key("log"), new StreamEntryID(3, 0), new StreamEntryID(4, 0));
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit))
                .containsExactly("MISSING LOG number of entries before 5: 2, found 0");
        assertThat(repair(false).steps())
                .extracting(Step::done, Step::why)
                .containsExactly(tuple(false, "what the log lost cannot be restored"));
    }

    @Test
    void lastLogEntryLost_isFound() {
        openAndSell();
        jedis.xdel(key("log"), new StreamEntryID(8, 0));
        assertThat(told(audit(orders))).containsExactly("MISSING LOG last sequence: 8, found 7");
    }

    @Test
    void orderMissing_isFound_andWrittenAgain() {
        openAndSell();
        orders.lose(id("alice", "a"));
        orders.lose(id("alice", "b"));
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit))
                .containsExactlyInAnyOrder(
                        "MISSING ORDERS order of a reservation that is CONFIRMED: there is none: 2,"
                                + " found 0 alice a",
                        "MISSING ORDERS order of a reservation that is RESERVED: there is none: 3,"
                                + " found 0 alice b");
        assertThat(node(NEVER).repair(false, orders, null).orElseThrow().steps())
                .extracting(Step::done, Step::why)
                .containsOnly(tuple(false, "no orders are written here"));
        assertThat(node(NEVER)
                        .repair(false, orders, (sale, total, events) -> {
                            throw new IllegalStateException("full");
                        })
                        .orElseThrow()
                        .steps())
                .extracting(Step::done, Step::why)
                .containsOnly(tuple(false, "java.lang.IllegalStateException: full"));
        assertThat(repair(true).steps()).extracting(Step::done).containsExactly(false, false);
        assertThat(orders.size()).isEqualTo(3);
        assertThat(repair(false).steps()).extracting(Step::done).containsExactly(true, true);
        assertBalanced();
        assertThat(orders.of(id("alice", "a")))
                .isEqualTo(new OrderBook.Order(id("alice", "a"), 2, Outcome.CONFIRMED));
    }

    @Test
    void orderBehind_isFound_andBroughtForward() {
        openAndSell();
        orders.plant(id("alice", "a"), 2, Outcome.RESERVED);
        assertThat(told(audit(orders)))
                .containsExactly("MISSING ORDERS order of a reservation that is CONFIRMED: it is"
                        + " RESERVED: 2, found 2 alice a");
        assertThat(repair(false).steps()).extracting(Step::done).containsExactly(true);
        assertBalanced();
    }

    @ParameterizedTest
    @CsvSource({"3, RESERVED", "5, RESERVED", "4, CONFIRMED", "4, CANCELLED"})
    void orderOfAnotherQuantityOrState_isFound_andLeftAlone(int quantity, Outcome status) {
        openAndSell();
        orders.plant(id("bob", "a"), quantity, status);
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit))
                .containsExactly("EXTRA ORDERS order of a reservation that is RESERVED: it is "
                        + status + ": 4, found " + quantity + " bob a");
        assertThat(repair(false).steps())
                .extracting(Step::done, Step::why)
                .containsExactly(tuple(false, "an order is never taken away or back; look at it"));
        assertThat(orders.of(id("bob", "a")))
                .isEqualTo(new OrderBook.Order(id("bob", "a"), quantity, status));
    }

    @Test
    void orderOfAnotherFinalState_isFound() {
        openAndSell();
        orders.plant(id("carol", "a"), 1, Outcome.CONFIRMED);
        assertThat(told(audit(orders)))
                .containsExactly("EXTRA ORDERS order of a reservation that is CANCELLED: it is"
                        + " CONFIRMED: 1, found 1 carol a");
    }

    @Test
    void orderWithoutReservation_isFound_andNeverDeleted() {
        openAndSell();
        orders.plant(id("mallory", "a"), 2, Outcome.CONFIRMED);
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(told(audit))
                .containsExactly("EXTRA ORDERS order that is CONFIRMED: there is no such"
                        + " reservation: 0, found 2 mallory a");
        assertThat(repair(false).steps()).extracting(Step::done).containsExactly(false);
        assertThat(orders.of(id("mallory", "a")).quantity()).isEqualTo(2);
    }

    @Test
    void orderPending_isInFlight_andBalanced() {
        openAndSell().close();
        reserve("dave", "a", 2);
        settle("bob", "a", Outcome.CONFIRMED);
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isTrue();
        assertThat(told(audit))
                .containsExactly("IN_FLIGHT ORDERS reservations whose order is not written as they"
                        + " are: 2, found 0");
        assertThat(repair(false).steps()).isEmpty();
        assertThat(orders.size()).isEqualTo(5);
    }

    @Test
    void orderBookAway_isNoAnswer_andIsNamed() {
        openAndSell();
        OrderBook away = new OrderBook() {
            @Override
            public Map<Outcome, Sum> sums(String sale) throws Exception {
                throw new IOException("away");
            }

            @Override
            public List<Order> find(String sale, Collection<ReservationId> ids) throws Exception {
                throw new IOException("away");
            }

            @Override
            public List<Order> page(String sale, String after, int limit) throws Exception {
                throw new IOException("away");
            }
        };
        assertThatThrownBy(() -> audit(away))
                .isInstanceOf(RemoteSpikeException.class)
                .hasMessageContaining("the order book");
    }

    @Test
    void repair_everythingAtOnce_isBalancedAfterwards() {
        openAndSell();
        jedis.hincrBy(key("stock"), "available", -40);
        jedis.hincrBy(key("stock"), "reserved", 5);
        jedis.hincrBy(key("stock"), "sold", -2);
        jedis.hincrBy(key("stock"), "reservations", -3);
        String record = jedis.hget(key("reservations"), "alice");
        jedis.hset(key("reservations"), "alice", record.replaceFirst("^\\d+", "0"));
        orders.lose(id("bob", "a"));
        orders.plant(id("alice", "a"), 2, Outcome.RESERVED);
        assertThat(audit(orders).differences())
                .extracting(Difference::kind)
                .contains(Kind.NEGATIVE, Kind.MISSING, Kind.EXTRA);
        Map<String, String> before = keys();
        assertThat(repair(true).steps()).hasSizeGreaterThanOrEqualTo(3);
        assertThat(keys()).isEqualTo(before);
        assertThat(orders.size()).isEqualTo(4);
        repair(false);
        assertBalanced();
        assertThat(jedis.hget(key("reservations"), "alice")).isEqualTo(record);
        Conservation.drain(stock);
    }

    @Test
    void levelChanged_logTellsWhen_untilItIsRepaired() {
        OrderRelay relay = openAndSell();
        jedis.hincrBy(key("stock"), "sold", 2);
        settle("alice", "b", Outcome.CONFIRMED);
        awaitAllWritten(relay);
        assertThat(told(audit(orders)))
                .containsExactly(
                        "EXTRA LEVELS sold: 5, found 7",
                        "EXTRA LEVELS available: 28, found 30",
                        "EXTRA LOG sold of log entry 9: 5, found 7");
        repair(false);
        assertBalanced();
    }

    @ParameterizedTest
    @ValueSource(longs = {60, -20})
    void totalChangedBySomebodyElse_isToldByTheLog_andNoRepairSellsOrStrandsByIt(long by) {
        openAndSell();
        jedis.hincrBy(key("stock"), "total", by);
        assertThat(told(audit(orders)))
                .containsExactly(
                        (by > 0 ? "EXTRA" : "MISSING") + " LEVELS total: 40, found " + (40 + by));
        Map<String, String> before = keys();
        assertThat(node(NEVER).repair(false, orders, orders).orElseThrow().steps())
                .singleElement()
                .satisfies(step -> {
                    assertThat(step.done()).isFalse();
                    assertThat(step.why()).contains("set it back to 40");
                });
        assertThat(keys()).isEqualTo(before);
        jedis.hincrBy(key("stock"), "total", -by);
        assertBalanced();
        Conservation.drain(stock);
    }

    @Test
    void repair_saleMovedOnSinceTheAudit_isNotDone() {
        openAndSell();
        jedis.hincrBy(key("stock"), "reserved", 1);
        jedis.hincrBy(key("stock"), "available", -1);
        OrderBook slow = new OrderBook() {
            private int sums;

            @Override
            public Map<Outcome, Sum> sums(String sale) {
                reserve("dave", "key" + sums++, 1);
                return orders.sums(sale);
            }

            @Override
            public List<Order> find(String sale, Collection<ReservationId> ids) {
                return orders.find(sale, ids);
            }

            @Override
            public List<Order> page(String sale, String after, int limit) {
                return orders.page(sale, after, limit);
            }
        };
        assertThat(node(NEVER).repair(false, slow, orders).orElseThrow().steps().get(0))
                .satisfies(step -> {
                    assertThat(step.done()).isFalse();
                    assertThat(step.why()).contains("the sale changed since the audit");
                });
        assertThat(told(audit(null))).contains("EXTRA LEVELS reserved: 10, found 11");
        repair(false);
        assertThat(told(audit(null))).isEmpty();
        Conservation.drain(stock);
    }

    @Test
    void manyDifferences_areCapped_andRepairedOneAfterAnother() {
        stock.open(Sale.of(saleId, 10_000));
        reserveMany(1_000);
        awaitAllWritten(relay(orders));
        for (int i = 0; i < 250; i++) {
            orders.lose(id("many" + i, "key" + 2 * i));
            orders.plant(id("mallory" + i, "a"), 1, Outcome.CANCELLED);
        }
        jedis.hincrBy(key("stock"), "reserved", -1);
        Audit audit = audit(orders);
        assertThat(audit.balanced()).isFalse();
        assertThat(audit.differences())
                .filteredOn(d -> d.kind() == Kind.MISSING)
                .hasSize(100);
        assertThat(audit.differences()).filteredOn(d -> d.kind() == Kind.EXTRA).hasSize(100);
        assertThat(told(audit)).contains("MISSING LEVELS reserved: 1000, found 999");
        assertThat(repair(true).more()).isTrue();
        assertThat(Stream.generate(() -> repair(false))
                        .takeWhile(Repair::more)
                        .limit(9)
                        .count())
                .isEqualTo(3);
        assertThat(audit(orders).differences())
                .hasSize(Audit.MAX_DIFFERENCES)
                .allSatisfy(difference -> {
                    assertThat(difference.kind()).isEqualTo(Kind.EXTRA);
                    assertThat(difference.buyer()).startsWith("mallory");
                });
        Conservation.check(stock);
    }
}
