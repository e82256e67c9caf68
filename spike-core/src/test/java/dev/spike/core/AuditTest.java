package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Audit.Difference;
import dev.spike.core.Audit.Kind;
import dev.spike.core.Audit.Place;
import dev.spike.core.OrderBook.Sum;
import dev.spike.core.RemoteSpike.Correction;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.Repair.Step;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;

/** Audits and repairs over the specification, whose log is never acknowledged. */
@Timeout(60)
class AuditTest {

    private static final Duration NEVER = Duration.ofMinutes(30);
    private static final String UNITS_OF_BUYER = "units that a buyer holds or bought";

    private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
    private final RemoteSpike stock =
            new InMemorySpike("ticket", () -> Clock.systemUTC().instant().plus(clockOffset.get()));
    private final MemoryOrders orders = new MemoryOrders();
    private final List<Spike> spikes = new ArrayList<>();

    @AfterEach
    void closeAndConserve() {
        spikes.forEach(Spike::close);
        Conservation.check(stock);
    }

    private Spike node(RemoteSpike remote, Duration syncEvery) {
        Spike spike = Spike.builder(remote)
                .timeout(Duration.ofSeconds(10))
                .syncEvery(syncEvery)
                .start();
        spikes.add(spike);
        return spike;
    }

    private Spike node() {
        return node(stock, NEVER);
    }

    private void run(String table) {
        new Scenario(stock, time -> clockOffset.updateAndGet(time::plus)).run(table);
    }

    private static ReservationId id(String buyer, String key) {
        return new ReservationId(buyer, key);
    }

    private void make(String buyer, String key, int quantity) {
        assertThat(stock.reserve(List.of(new Request(id(buyer, key), quantity)), Long.MAX_VALUE)
                        .answers())
                .extracting(Answer::outcome)
                .containsExactly(Outcome.RESERVED);
    }

    private void end(String buyer, String key, Outcome to) {
        stock.settle(List.of(new Settlement(id(buyer, key), to)), Long.MAX_VALUE);
    }

    /** Damages the levels and the counts of buyers. */
    private void damage(long reserved, long sold, Map<String, Long> unitsOfBuyers) {
        Levels levels = stock.levels();
        assertThat(stock.correct(new Correction(
                        levels.sequence(), reserved, sold, levels.reservations(), unitsOfBuyers)))
                .isTrue();
    }

    private static Audit audit(Spike node, @Nullable OrderBook book) {
        return node.audit(book).orElseThrow();
    }

    private void deliver(MemoryOrders to) {
        for (LogEntry entry : stock.log(0)) {
            to.write("ticket", 0, entry.events());
        }
    }

    @Test
    void audit_absentSale_isEmpty() {
        assertThat(node().audit(orders)).isEmpty();
        assertThat(node().repair(false, orders, orders)).isEmpty();
    }

    @Test
    void audit_wholeLife_isBalanced_andItsSumsAreRight() {
        run("""
            open 12 limit 4 hold 1000 longest 3000 -> OPENED
            reserve a alice 2   -> RESERVED
            reserve b alice 1   -> RESERVED
            reserve c alice 1   -> RESERVED
            reserve d alice 1   -> LIMIT_REACHED
            reserve a bob 3     -> RESERVED
            reserve a carol 1   -> RESERVED
            reserve a dave 4    -> RESERVED
            reserve a erin 1    -> ALL_RESERVED
            confirm a alice     -> CONFIRMED
            cancel b alice      -> CANCELLED
            confirm a dave      -> CONFIRMED
            extend a carol      -> RESERVED
            pass 500
            extend a carol      -> RESERVED
            pass 500
            expire              -> expired 2
            restock more 5      -> APPLIED 5
            restock less -1     -> APPLIED -1
            reserve d alice 2   -> RESERVED
            close               -> CLOSED
            levels              -> available 7, reserved 3, sold 6
            """);
        deliver(orders);
        Audit audit = audit(node(), orders);
        assertThat(audit.differences()).isEmpty();
        assertThat(audit.balanced()).isTrue();
        assertThat(audit.levels())
                .usingRecursiveComparison()
                .ignoringFields("asOf")
                .isEqualTo(stock.levels());
        Map<Outcome, Sum> sums = Map.of(
                Outcome.RESERVED, new Sum(2, 3),
                Outcome.CONFIRMED, new Sum(2, 6),
                Outcome.CANCELLED, new Sum(1, 1),
                Outcome.EXPIRED, new Sum(2, 4));
        assertThat(audit.sums().reservations()).isEqualTo(sums);
        assertThat(audit.sums().orders()).isEqualTo(sums);
        assertThat(audit.sums().log())
                .isEqualTo(Map.of(
                        Outcome.RESERVED, new Sum(7, 14),
                        Outcome.CONFIRMED, new Sum(2, 6),
                        Outcome.CANCELLED, new Sum(1, 1),
                        Outcome.EXPIRED, new Sum(2, 4)));
        assertThat(audit.sums().total()).isEqualTo(16);
        assertThat(audit.sums().soldBefore()).isZero();
        assertThat(audit.sums().buyers()).isEqualTo(9);
        assertThat(audit.sums().logFrom()).isEqualTo(1);
    }

    @Test
    void audit_withoutABook_tellsNothingOfOrders() {
        run("""
            open 2            -> OPENED
            reserve a alice 2 -> RESERVED
            """);
        Audit audit = audit(node(), null);
        assertThat(audit.balanced()).isTrue();
        assertThat(audit.differences()).isEmpty();
        assertThat(audit.sums().orders()).isNull();
    }

    @Test
    void audit_overdueHolds_areReservedUntilSwept() {
        run("""
            open 2 hold 1000  -> OPENED
            reserve a alice 2 -> RESERVED
            pass 1000
            """);
        deliver(orders);
        assertThat(audit(node(), orders).balanced()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void audit_whileSelling_isExact(long seed) {
        stock.open(Sale.of("ticket", 500).withPerBuyer(40).withHold(Duration.ofMillis(20)));
        List<Spike> nodes = IntStream.range(0, 3)
                .mapToObj(i -> node(stock, Duration.ofMillis(10)))
                .toList();
        boolean wasExpired = false;
        try (Crowd crowd = new Crowd(nodes, 200, 400, seed)) {
            do {
                Audit audit = audit(nodes.get(0), null);
                assertThat(audit.differences()).as("seed " + seed).isEmpty();
                assertThat(audit.balanced()).isTrue();
                assertThat(audit.sums().total()).isEqualTo(audit.levels().total());
                wasExpired = audit.sums().reservations().containsKey(Outcome.EXPIRED);
            } while (crowd.isBusy() || !wasExpired);
        }
    }

    @Test
    void audit_whileSelling_ordersOfALaggingReader_areInFlight() throws Exception {
        long seed = 11;
        stock.open(Sale.of("ticket", 500).withHold(Duration.ofMillis(50)));
        List<Spike> nodes = IntStream.range(0, 2)
                .mapToObj(i -> node(stock, Duration.ofMillis(10)))
                .toList();
        AtomicBoolean stop = new AtomicBoolean();
        Thread reader = new Thread(() -> {
            long after = 0;
            while (!stop.get()) {
                List<LogEntry> page = stock.log(after);
                for (LogEntry entry : page.subList(0, (page.size() + 1) / 2)) {
                    orders.write("ticket", 0, entry.events());
                    after = entry.sequence();
                }
            }
        });
        reader.start();
        boolean wasBehind = false;
        try (Crowd crowd = new Crowd(nodes, 200, 400, seed)) {
            while (crowd.isBusy()) {
                Audit audit = audit(nodes.get(0), orders);
                assertThat(audit.differences()).as("seed " + seed).allSatisfy(difference -> {
                    assertThat(difference.kind()).isEqualTo(Kind.IN_FLIGHT);
                    assertThat(difference.place()).isEqualTo(Place.ORDERS);
                });
                assertThat(audit.balanced()).isTrue();
                wasBehind |= !audit.differences().isEmpty();
            }
        } finally {
            spikes.forEach(Spike::close);
            await().atMost(30, TimeUnit.SECONDS)
                    .until(() -> orders.size() == stock.levels().reservations()
                            && audit(node(), orders).differences().isEmpty());
            stop.set(true);
            reader.join();
        }
        assertThat(wasBehind).isTrue();
    }

    @Test
    void audit_changesBetweenPages_areBroughtForward() {
        run("""
            open 20 hold 1000 -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b alice 1 -> RESERVED
            reserve a bob 3   -> RESERVED
            reserve a carol 4 -> RESERVED
            reserve a dave 1  -> RESERVED
            """);
        Set<ReservationId> first = Set.of(id("alice", "a"), id("bob", "a"));
        // The second page tells already what happened before it; and the log is trimmed by then.
        RemoteSpike twoPages = new FaultySpike(stock) {
            private long trimmedTo;

            @Override
            public List<LogEntry> log(long after) {
                return stock.log(Math.max(after, trimmedTo));
            }

            @Override
            public Page reservations(@Nullable String cursor) {
                Page page = stock.reservations(null);
                boolean isFirst = cursor == null;
                trimmedTo = isFirst ? 0 : stock.levels().sequence();
                List<Progress> some = page.reservations().stream()
                        .filter(progress ->
                                isFirst == first.contains(progress.reservation().id()))
                        .toList();
                Map<String, Long> units = new HashMap<>(page.unitsOfBuyers());
                units.keySet()
                        .removeIf(buyer -> some.stream()
                                .noneMatch(progress ->
                                        progress.reservation().id().equals(id(buyer, "a"))));
                end(isFirst ? "alice" : "bob", "a", Outcome.CONFIRMED);
                end(isFirst ? "carol" : "dave", "a", Outcome.CANCELLED);
                end("alice", "b", Outcome.CANCELLED);
                make(isFirst ? "erin" : "frank", "a", 1);
                return new Page(some, units, isFirst ? "second" : null, page.asOf());
            }
        };
        Audit audit = audit(node(twoPages, NEVER), null);
        assertThat(audit.differences()).isEmpty();
        assertThat(audit.levels().sequence()).isEqualTo(stock.levels().sequence());
        assertThat(audit.sums().reservations())
                .isEqualTo(Map.of(
                        Outcome.RESERVED, new Sum(2, 2),
                        Outcome.CONFIRMED, new Sum(2, 5),
                        Outcome.CANCELLED, new Sum(3, 6)));
    }

    @Test
    void audit_reservationsInTwoPages_areCountedOnce() {
        run("""
            open 20           -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b alice 1 -> RESERVED
            reserve a bob 3   -> RESERVED
            """);
        deliver(orders);
        RemoteSpike twice = new FaultySpike(stock) {
            @Override
            public Page reservations(@Nullable String cursor) {
                Page page = stock.reservations(null);
                end("alice", "a", Outcome.CONFIRMED);
                deliver(orders);
                return new Page(
                        page.reservations(),
                        page.unitsOfBuyers(),
                        cursor == null ? "again" : null,
                        page.asOf());
            }
        };
        Audit audit = audit(node(twice, NEVER), orders);
        assertThat(audit.balanced()).isTrue();
        assertThat(audit.sums().reservations())
                .isEqualTo(
                        Map.of(Outcome.RESERVED, new Sum(2, 4), Outcome.CONFIRMED, new Sum(1, 2)));
        assertThat(audit.sums().buyers()).isEqualTo(6);
    }

    /** The stock, with a log that is trimmed up to a sequence. */
    private final class Trimmed extends FaultySpike {
        private long upTo;
        private Runnable beforeLog = () -> {};

        private Trimmed() {
            super(AuditTest.this.stock);
        }

        @Override
        public List<LogEntry> log(long after) {
            beforeLog.run();
            return stock.log(Math.max(after, upTo));
        }
    }

    @Test
    void audit_logTrimmedWhileItIsRead_hasNoGap() {
        stock.open(Sale.of("ticket", 1_000));
        for (int i = 0; i < 250; i++) {
            make("buyer" + i, "a", 1);
        }
        Trimmed trimmed = new Trimmed();
        trimmed.beforeLog = () -> trimmed.upTo = Math.min(240, trimmed.upTo + 120);
        Audit audit = audit(node(trimmed, NEVER), null);
        assertThat(audit.differences()).isEmpty();
        assertThat(audit.sums().logFrom()).isEqualTo(241);
        assertThat(audit.sums().log()).isEqualTo(Map.of(Outcome.RESERVED, new Sum(11, 11)));
    }

    @Test
    void audit_logTrimmedBeforeItIsRead_saysThatItCannotKnow_andNothingIsRepaired() {
        run("""
            open 20           -> OPENED
            reserve a alice 2 -> RESERVED
            reserve a bob 1   -> RESERVED
            """);
        damage(3, 0, Map.of("bob", 5L));
        Trimmed trimmed = new Trimmed();
        trimmed.afterPage = () -> {
            end("alice", "a", Outcome.CONFIRMED);
            make("carol", "a", 1);
            trimmed.upTo = stock.levels().sequence();
        };
        Levels before = stock.levels();
        Repair repair = node(trimmed, NEVER).repair(false, null, null).orElseThrow();
        assertThat(repair.audit().differences())
                .extracting(Difference::kind, Difference::place)
                .containsExactly(
                        tuple(Kind.IN_FLIGHT, Place.LEVELS), tuple(Kind.EXTRA, Place.BUYERS));
        assertThat(repair.steps()).extracting(Step::done).containsExactly(false);
        assertThat(repair.steps().get(0).why()).contains("the sums are not known");
        assertThat(stock.levels().sequence()).isEqualTo(before.sequence() + 2);
        trimmed.afterPage = () -> {};
        assertThat(node(trimmed, NEVER).repair(false, null, null).orElseThrow().steps())
                .extracting(Step::done)
                .containsExactly(true);
    }

    @Test
    void audit_restockedThereAndBackAroundTheLevels_isNoDifference() {
        stock.open(Sale.of("ticket", 10));
        RemoteSpike restocked = new FaultySpike(stock) {
            private int calls;

            @Override
            public Sale sale() {
                return stock.sale();
            }

            @Override
            public Levels levels() {
                String op = "op" + ++calls;
                stock.restock(new Operation(op, 5));
                Levels levels = stock.levels();
                stock.restock(new Operation(op + "-back", -5));
                return levels;
            }
        };
        Audit audit = audit(node(restocked, NEVER), null);
        assertThat(audit.differences()).isEmpty();
        assertThat(audit.sums().total()).isEqualTo(15);
    }

    /** The stock, with a log that everybody has acknowledged up to a sequence. */
    private final class Acknowledged extends FaultySpike {
        private final long upTo;

        private Acknowledged(long upTo) {
            super(AuditTest.this.stock);
            this.upTo = upTo;
        }

        @Override
        public @Nullable Progress find(ReservationId id) {
            return written(Objects.requireNonNull(stock.find(id)));
        }

        @Override
        public Page reservations(@Nullable String cursor) {
            Page page = stock.reservations(cursor);
            return new Page(
                    page.reservations().stream().map(this::written).toList(),
                    page.unitsOfBuyers(),
                    null,
                    page.asOf());
        }

        private Progress written(Progress progress) {
            return new Progress(
                    progress.reservation(),
                    progress.reservedAt(),
                    progress.sequence(),
                    progress.sequence() <= upTo);
        }
    }

    /** The orders, and what happens after a look at them. */
    private class Watched implements OrderBook {
        int finds;

        void afterFind() {}

        @Override
        public Map<Outcome, Sum> sums(String saleId) {
            return orders.sums(saleId);
        }

        @Override
        public List<Order> find(String saleId, Collection<ReservationId> ids) {
            List<Order> found = orders.find(saleId, ids);
            finds++;
            afterFind();
            return found;
        }

        @Override
        public List<Order> page(String saleId, String after, int limit) {
            return orders.page(saleId, after, limit);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void audit_orderOvertakenBetweenTheTwoLooks_isNoDifference(boolean isSeenByTheSecond) {
        run("""
            open 20           -> OPENED
            reserve a alice 2 -> RESERVED
            """);
        deliver(orders);
        orders.plant(id("alice", "a"), 2, Outcome.CANCELLED);
        // Confirmed, written and acknowledged around the second look at the book.
        OrderBook overtaken = new Watched() {
            @Override
            void afterFind() {
                if (finds == 1) {
                    orders.plant(id("alice", "a"), 2, Outcome.RESERVED);
                } else if (finds == 2) {
                    end("alice", "a", Outcome.CONFIRMED);
                    deliver(orders);
                }
            }

            @Override
            public List<Order> find(String saleId, Collection<ReservationId> ids) {
                List<Order> found = super.find(saleId, ids);
                return finds == 2 && isSeenByTheSecond ? orders.find(saleId, ids) : found;
            }
        };
        Spike node = node(new Acknowledged(Long.MAX_VALUE), NEVER);
        assertThat(audit(node, overtaken).differences()).isEmpty();
        assertThat(orders.of(id("alice", "a")).status()).isEqualTo(Outcome.CONFIRMED);
    }

    @Test
    void audit_changedAndNotYetWrittenAtTheSecondLook_isInFlight() {
        run("""
            open 20           -> OPENED
            reserve a alice 2 -> RESERVED
            """);
        OrderBook slow = new Watched() {
            @Override
            void afterFind() {
                if (finds == 1) {
                    deliver(orders);
                    end("alice", "a", Outcome.CONFIRMED);
                }
            }
        };
        assertThat(audit(node(new Acknowledged(2), NEVER), slow).differences())
                .extracting(Difference::kind, Difference::place, Difference::expected)
                .containsExactly(tuple(Kind.IN_FLIGHT, Place.ORDERS, 1L));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void audit_orderMadeWhileOrdersAreRead_isNotOneTooMany(boolean isTrimmed) {
        run("""
            open 20           -> OPENED
            reserve a alice 2 -> RESERVED
            """);
        deliver(orders);
        Trimmed trimmed = new Trimmed();
        OrderBook growing = new Watched() {
            @Override
            public Map<Outcome, Sum> sums(String saleId) {
                stock.reserve(List.of(new Request(id("bob", "b" + finds++), 1)), Long.MAX_VALUE);
                deliver(orders);
                trimmed.upTo = isTrimmed ? stock.levels().sequence() : 0;
                return super.sums(saleId);
            }
        };
        assertThat(audit(node(trimmed, NEVER), growing).differences()).isEmpty();
        assertThat(orders.size()).isEqualTo(3);
    }

    @Test
    void repair_levelsAndBuyersWrong_areSetByTheReservations() {
        run("""
            open 20 limit 3   -> OPENED
            reserve a alice 2 -> RESERVED
            reserve a bob 3   -> RESERVED
            confirm a bob     -> CONFIRMED
            """);
        damage(4, 1, Map.of("alice", 1L, "bob", 4L));
        Spike node = node();
        Audit audit = audit(node, null);
        assertThat(audit.balanced()).isFalse();
        assertThat(audit.differences())
                .extracting(
                        Difference::kind,
                        Difference::place,
                        Difference::what,
                        Difference::expected,
                        Difference::found,
                        Difference::buyer)
                .containsExactlyInAnyOrder(
                        tuple(Kind.EXTRA, Place.LEVELS, "reserved", 2L, 4L, null),
                        tuple(Kind.MISSING, Place.LEVELS, "sold", 3L, 1L, null),
                        tuple(Kind.MISSING, Place.BUYERS, UNITS_OF_BUYER, 2L, 1L, "alice"),
                        tuple(Kind.EXTRA, Place.BUYERS, UNITS_OF_BUYER, 3L, 4L, "bob"));
        Repair dry = node.repair(true, null, null).orElseThrow();
        assertThat(dry.dryRun()).isTrue();
        assertThat(dry.steps())
                .extracting(Step::done, Step::why)
                .containsExactly(tuple(false, "dry run"));
        assertThat(dry.audit())
                .usingRecursiveComparison()
                .ignoringFields("levels.asOf")
                .isEqualTo(audit);
        Repair repair = node.repair(false, null, null).orElseThrow();
        assertThat(repair.steps())
                .extracting(Step::done, Step::why)
                .containsExactly(tuple(true, ""));
        assertThat(repair.steps().get(0).what())
                .isEqualTo("set reserved to 2, sold to 3, available to 15, reservations to 2, and"
                        + " the counts of 2 buyers");
        assertThat(audit(node, null).differences()).isEmpty();
        run("""
            levels            -> available 15, reserved 2, sold 3
            reserve b bob 1   -> LIMIT_REACHED
            reserve b alice 1 -> RESERVED
            """);
        Conservation.drain(stock);
    }

    @Test
    void repair_soldAfterTheDamage_isBalancedAllTheSame() {
        run("""
            open 20           -> OPENED
            reserve a alice 2 -> RESERVED
            """);
        damage(5, 0, Map.of());
        run("reserve a bob 1 -> RESERVED");
        Spike node = node();
        assertThat(audit(node, null).balanced()).isFalse();
        node.repair(false, null, null);
        assertThat(audit(node, null).differences()).isEmpty();
    }

    @Test
    void repair_moreThanTheTotalReserved_isNotDone() {
        run("""
            open 5            -> OPENED
            reserve a alice 5 -> RESERVED
            """);
        damage(2, 0, Map.of());
        stock.restock(new Operation("less", -3));
        Repair repair = node().repair(false, null, null).orElseThrow();
        assertThat(repair.steps())
                .extracting(Step::done, Step::why)
                .containsExactly(tuple(false, "more is reserved and sold than the total"));
        run("levels -> available 0, reserved 2, sold 0");
        stock.restock(new Operation("more", 3));
        node().repair(false, null, null);
        run("levels -> available 0, reserved 5, sold 0");
    }

    @Test
    void repair_manyBuyersWrong_getsThroughAllOfThem() {
        stock.open(Sale.of("ticket", 1_000).withPerBuyer(3));
        Map<String, Long> wrong = new HashMap<>();
        for (int i = 0; i < 250; i++) {
            make("buyer" + i, "a", 1);
            wrong.put("buyer" + i, i < 110 ? 0L : 2L);
        }
        damage(250, 0, wrong);
        Spike node = node();
        int[] repairs = {0};
        assertThat(audit(node, null).differences()).hasSize(200);
        await().until(() -> {
            Repair repair = node.repair(false, null, null).orElseThrow();
            repairs[0]++;
            return repair.audit().balanced();
        });
        assertThat(repairs[0]).isEqualTo(3);
        assertThat(audit(node, null).differences()).isEmpty();
    }

    @Test
    void orderBookThatThrows_isNoAnswer_andIsNamed() {
        run("""
            open 5            -> OPENED
            reserve a alice 5 -> RESERVED
            """);
        OrderBook away = new OrderBook() {
            @Override
            public Map<Outcome, Sum> sums(String saleId) throws Exception {
                throw new IOException("away");
            }

            @Override
            public List<Order> find(String saleId, Collection<ReservationId> ids) throws Exception {
                throw new IOException("away");
            }

            @Override
            public List<Order> page(String saleId, String after, int limit) throws Exception {
                throw new IOException("away");
            }
        };
        assertThatThrownBy(() -> node().audit(away))
                .isInstanceOf(RemoteSpikeException.class)
                .hasMessageContaining("the order book")
                .hasMessageContaining("away");
    }
}
