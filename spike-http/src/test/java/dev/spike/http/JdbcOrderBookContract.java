package dev.spike.http;

import static dev.spike.core.Outcome.CANCELLED;
import static dev.spike.core.Outcome.CONFIRMED;
import static dev.spike.core.Outcome.EXPIRED;
import static dev.spike.core.Outcome.RESERVED;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.spike.core.OrderBook.Order;
import dev.spike.core.OrderBook.Sum;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What an order book keeps to in every database. */
abstract class JdbcOrderBookContract {

    private static final Instant T = Instant.parse("2026-11-11T00:00:00.123Z");
    private static final String SALE = "ticket";

    private final List<JdbcOrderBook> opened = new ArrayList<>();
    private String url = "";
    private JdbcOrderBook book;

    /** The URL of a new, empty database. */
    abstract String newDatabase();

    /** Ends all connections to it. */
    abstract void disconnect(String url) throws Exception;

    @BeforeEach
    void open() {
        url = newDatabase();
        book = another();
    }

    private JdbcOrderBook another() {
        JdbcOrderBook another = connected(url);
        opened.add(another);
        return another;
    }

    /** A book with a connection, however long a busy machine takes to make the first. */
    static JdbcOrderBook connected(String url) {
        JdbcOrderBook book = JdbcOrderBook.open(url);
        await().atMost(Duration.ofSeconds(60))
                .pollDelay(Duration.ZERO)
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> book.sums(SALE) != null);
        return book;
    }

    @AfterEach
    void close() {
        opened.forEach(JdbcOrderBook::close);
    }

    static OrderEvent event(String key, int quantity, Outcome state) {
        return event(new ReservationId(key, key), quantity, state);
    }

    private static OrderEvent event(ReservationId id, int quantity, Outcome state) {
        return new OrderEvent(1, id, quantity, state, T, state == RESERVED ? T : T.plusSeconds(5));
    }

    private void write(long total, OrderEvent... events) throws Exception {
        book.write(SALE, total, List.of(events));
    }

    /** The rows of all sales: sale id buyer quantity status reserved_at updated_at. */
    private List<String> rows() throws Exception {
        List<String> rows = new ArrayList<>();
        try (Connection connection = OrderDatabase.of(url).dataSource(url).getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select sale, id, buyer, quantity, status,"
                        + " extract(epoch from reserved_at), extract(epoch from updated_at)"
                        + " from orders order by sale, id")) {
            while (row.next()) {
                long reserved = row.getBigDecimal(6).movePointRight(3).longValueExact();
                long updated = row.getBigDecimal(7).movePointRight(3).longValueExact();
                rows.add(row.getString(1) + " " + row.getString(2) + " " + row.getString(3) + " "
                        + row.getInt(4) + " " + row.getString(5) + " "
                        + Instant.ofEpochMilli(reserved) + " " + Instant.ofEpochMilli(updated));
            }
        }
        return rows;
    }

    private void byHand(String sql) throws Exception {
        try (Connection connection = OrderDatabase.of(url).dataSource(url).getConnection();
                Statement statement = connection.createStatement()) {
            assertThat(statement.executeUpdate(sql)).isPositive();
        }
    }

    private void alter(String sql) throws Exception {
        try (Connection connection = OrderDatabase.of(url).dataSource(url).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private long activeUnits() throws Exception {
        Map<Outcome, Sum> sums = book.sums(SALE);
        return Stream.of(RESERVED, CONFIRMED)
                .mapToLong(state -> sums.getOrDefault(state, new Sum(0, 0)).units())
                .sum();
    }

    @Test
    void write_reservations_oneRowEach() throws Exception {
        write(10, event("b", 2, RESERVED), event(new ReservationId("alice", "k-1"), 3, RESERVED));
        book.write("other", 10, List.of(event("b", 1, CONFIRMED)));

        assertThat(rows())
                .containsExactly(
                        "other b b 1 confirmed 2026-11-11T00:00:00.123Z 2026-11-11T00:00:05.123Z",
                        "ticket YWxpY2U.k-1 alice 3 reserved 2026-11-11T00:00:00.123Z "
                                + "2026-11-11T00:00:00.123Z",
                        "ticket b b 2 reserved 2026-11-11T00:00:00.123Z 2026-11-11T00:00:00.123Z");
    }

    @Test
    void write_endOfAnOrder_newStatusAndTime() throws Exception {
        write(9, event("a", 1, RESERVED), event("b", 1, RESERVED), event("c", 1, RESERVED));
        write(9, event("a", 1, CONFIRMED), event("b", 1, CANCELLED), event("c", 1, EXPIRED));

        assertThat(rows())
                .containsExactly(
                        "ticket a a 1 confirmed 2026-11-11T00:00:00.123Z 2026-11-11T00:00:05.123Z",
                        "ticket b b 1 cancelled 2026-11-11T00:00:00.123Z 2026-11-11T00:00:05.123Z",
                        "ticket c c 1 expired 2026-11-11T00:00:00.123Z 2026-11-11T00:00:05.123Z");
    }

    @Test
    void write_endBeforeTheReservation_finalAtOnceAndForGood() throws Exception {
        write(1, event("a", 1, CONFIRMED));
        List<String> first = rows();
        write(1, event("a", 1, RESERVED));

        assertThat(first)
                .containsExactly("ticket a a 1 confirmed 2026-11-11T00:00:00.123Z "
                        + "2026-11-11T00:00:05.123Z");
        assertThat(rows()).isEqualTo(first);
    }

    @Test
    void write_anotherEndAfterTheEnd_changesNothing() throws Exception {
        write(1, event("a", 1, CONFIRMED));
        List<String> first = rows();
        write(1, event("a", 1, CANCELLED), event("a", 1, EXPIRED), event("a", 1, RESERVED));

        assertThat(rows()).isEqualTo(first);
    }

    @Test
    void write_bothEventsInOneBatch_theEndInAnyOrder() throws Exception {
        write(
                2,
                event("a", 1, RESERVED),
                event("a", 1, CONFIRMED),
                event("b", 1, CANCELLED),
                event("b", 1, RESERVED));

        assertThat(book.sums(SALE))
                .isEqualTo(Map.of(CONFIRMED, new Sum(1, 1), CANCELLED, new Sum(1, 1)));
    }

    @Test
    void write_everythingTwiceShuffled_sameRows() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Outcome[] ends = {CONFIRMED, CANCELLED, EXPIRED};
        List<OrderEvent> events = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            events.add(event("r" + i, 1 + i % 3, RESERVED));
            if (i % 4 < 3) {
                events.add(event("r" + i, 1 + i % 3, ends[i % 4]));
            }
        }
        book.write(SALE, 600, events);
        List<String> expected = rows();
        url = newDatabase();
        book = another();
        List<OrderEvent> twice = new ArrayList<>(events);
        twice.addAll(events);
        Collections.shuffle(twice, random);
        for (int from = 0; from < twice.size(); ) {
            int to = Math.min(twice.size(), from + 1 + random.nextInt(80));
            book.write(SALE, 600, twice.subList(from, to));
            from = to;
        }

        assertThat(expected).hasSize(300);
        assertThat(rows()).as("seed " + seed).isEqualTo(expected);
    }

    @Test
    void write_exactlyTheTotal_thenOneMore_refusedWhole() throws Exception {
        write(10, event("a", 4, RESERVED), event("b", 6, CONFIRMED));
        List<String> before = rows();

        assertThatThrownBy(() -> write(10, event("a", 4, CONFIRMED), event("c", 1, RESERVED)))
                .isInstanceOf(OrderSink.RefusedException.class)
                .hasMessageContaining("sale=ticket, units=11, total=10");
        assertThat(rows()).isEqualTo(before);
        book.write("other", 10, List.of(event("c", 10, RESERVED)));
    }

    @Test
    void write_oneBatchOfTooMany_nothingWritten() throws Exception {
        OrderEvent[] events = IntStream.range(0, 11)
                .mapToObj(i -> event("a" + i, 1, CONFIRMED))
                .toArray(OrderEvent[]::new);

        assertThatThrownBy(() -> write(10, events)).hasMessageContaining("units=11, total=10");
        assertThat(rows()).isEmpty();
    }

    @Test
    void write_unitsFreedInTheSameBatch_admitted() throws Exception {
        write(10, event("a", 10, RESERVED));
        write(10, event("b", 9, RESERVED), event("a", 10, CANCELLED), event("c", 1, CONFIRMED));

        assertThat(activeUnits()).isEqualTo(10);
    }

    @Test
    void write_fewerUnitsFreedThanAddedInOneBatch_overTheTotal_refusedWhole() throws Exception {
        write(3, event("a", 1, RESERVED), event("b", 1, RESERVED), event("c", 1, RESERVED));
        List<String> before = rows();

        assertThatThrownBy(() -> write(
                        3,
                        event("a", 1, CANCELLED),
                        event("d", 1, RESERVED),
                        event("e", 1, RESERVED)))
                .isInstanceOf(OrderSink.RefusedException.class)
                .hasMessageContaining("units=4, total=3");
        assertThat(rows()).isEqualTo(before);
    }

    @Test
    void write_endedOrdersAtTheTotal_admitted() throws Exception {
        write(3, event("a", 3, CONFIRMED), event("b", 3, CANCELLED), event("c", 3, EXPIRED));

        assertThat(rows()).hasSize(3);
    }

    @Test
    void write_ordersDeletedByHand_theirUnitsAreFree() throws Exception {
        write(10, event("a", 10, RESERVED));
        byHand("delete from orders");
        write(10, event("b", 10, RESERVED));

        assertThat(activeUnits()).isEqualTo(10);
    }

    @Test
    void write_ordersAddedByHandBeforeOpen_counted() throws Exception {
        write(10, event("a", 1, RESERVED));
        byHand("update orders set quantity = 10");
        book = another();

        assertThatThrownBy(() -> write(10, event("b", 1, RESERVED)))
                .hasMessageContaining("units=11, total=10");
    }

    @Test
    void write_refused_nothingOfItIsCounted() throws Exception {
        assertThatThrownBy(() -> write(10, event("a", 11, RESERVED)))
                .isInstanceOf(OrderSink.RefusedException.class);
        write(10, event("b", 10, RESERVED));

        assertThatThrownBy(() -> write(10, event("c", 1, RESERVED)))
                .hasMessageContaining("units=11, total=10");
    }

    @Test
    void write_twoBooksRace_exactlyTheTotal() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<JdbcOrderBook> books = List.of(book, another());
        try {
            for (int round = 0; round < 20; round++) {
                String sale = "race-" + round;
                CyclicBarrier start = new CyclicBarrier(4);
                List<Future<Integer>> written = IntStream.range(0, 4)
                        .mapToObj(writer -> threads.submit(() -> {
                            start.await();
                            return fill(books.get(writer % 2), sale, writer, 100);
                        }))
                        .toList();
                int units = 0;
                for (Future<Integer> each : written) {
                    units += each.get();
                }
                assertThat(units).as(sale).isEqualTo(100);
                assertThat(book.sums(sale)).isEqualTo(Map.of(RESERVED, new Sum(100, 100)));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** Writes batches of orders, ever smaller, until not even one more is admitted. */
    private static int fill(JdbcOrderBook book, String sale, int writer, int total)
            throws Exception {
        int written = 0;
        for (int batch = 13; batch > 0 && written <= total; ) {
            int from = written;
            try {
                book.write(
                        sale,
                        total,
                        IntStream.range(from, from + batch)
                                .mapToObj(i -> event(writer + "-" + i, 1, RESERVED))
                                .toList());
                written += batch;
            } catch (OrderSink.RefusedException tooMany) {
                batch /= 2;
            }
        }
        return written;
    }

    @Test
    void write_twoBooksOpenedAtOnce_oneTable() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 5; round++) {
                url = newDatabase();
                CyclicBarrier start = new CyclicBarrier(4);
                List<Future<?>> written = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    JdbcOrderBook each = another();
                    OrderEvent event = event("a" + i, 1, RESERVED);
                    written.add(threads.submit(() -> {
                        start.await();
                        each.write(SALE, 4, List.of(event));
                        return null;
                    }));
                }
                for (Future<?> each : written) {
                    each.get();
                }
                assertThat(rows()).hasSize(4);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void write_connectionsLost_worksAgainSoon() throws Exception {
        write(10, event("a", 1, RESERVED));
        disconnect(url);
        await().ignoreExceptionsInstanceOf(OrderSink.UnavailableException.class)
                .untilAsserted(() -> write(10, event("b", 1, RESERVED)));

        assertThat(activeUnits()).isEqualTo(2);
    }

    @Test
    void write_whatTheDataIsToBlameFor_andWhatTheDatabaseIs_areToldApart() throws Exception {
        write(9, event("first", 1, Outcome.RESERVED));
        alter("alter table orders add constraint not_7 check (quantity <> 7)");
        assertThatThrownBy(() -> write(9, event("second", 7, Outcome.RESERVED)))
                .isInstanceOf(OrderSink.RefusedException.class);
        alter("alter table orders rename to elsewhere");
        assertThatThrownBy(() -> write(9, event("third", 1, Outcome.RESERVED)))
                .isInstanceOf(OrderSink.UnavailableException.class);
        alter("alter table elsewhere rename to orders");
        alter("alter table orders drop constraint not_7");
        write(9, event("third", 1, Outcome.RESERVED));
    }

    @Test
    void write_unusualBuyers_foundAsTheyWere() throws Exception {
        List<ReservationId> ids = Stream.of(
                        "李雷",
                        "🎟️🧑‍🚀",
                        "O'Neil \"x\" \\ {},%_$1;--",
                        "NULL",
                        "{a,b}",
                        " ",
                        "x".repeat(128),
                        "é".repeat(64))
                .map(buyer -> new ReservationId(buyer, "key_-1"))
                .toList();
        book.write(SALE, 100, ids.stream().map(id -> event(id, 2, RESERVED)).toList());

        assertThat(book.find(SALE, ids))
                .containsExactlyInAnyOrderElementsOf(
                        ids.stream().map(id -> new Order(id, 2, RESERVED)).toList());
        for (ReservationId id : ids) {
            assertThat(rows()).anyMatch(row -> row.contains(" " + id + " " + id.buyer() + " 2 "));
        }
    }

    @Test
    void sums_eachStatusThatOccurs_ofThisSaleOnly() throws Exception {
        write(20, event("a", 2, RESERVED), event("b", 3, RESERVED), event("c", 4, CANCELLED));
        book.write("other", 20, List.of(event("d", 5, CONFIRMED)));

        assertThat(book.sums(SALE))
                .isEqualTo(Map.of(RESERVED, new Sum(2, 5), CANCELLED, new Sum(1, 4)));
        assertThat(book.sums("none")).isEmpty();
    }

    @Test
    void find_someWithoutOrder_leftOut() throws Exception {
        write(20, event("a", 2, RESERVED), event("b", 3, EXPIRED), event("c", 4, CONFIRMED));
        book.write("other", 20, List.of(event("x", 5, CONFIRMED)));
        List<ReservationId> ids = Stream.of("b", "a", "x", "none")
                .map(key -> new ReservationId(key, key))
                .toList();

        assertThat(book.find(SALE, ids))
                .containsExactlyInAnyOrder(
                        new Order(ids.get(0), 3, EXPIRED), new Order(ids.get(1), 2, RESERVED));
        assertThat(book.find(SALE, List.of())).isEmpty();
    }

    @Test
    void page_toTheEnd_eachOrderOnceAscending() throws Exception {
        // Dictionaries and bytes sort these differently.
        List<String> keys = List.of("-a", "B", "Z_", "_a", "a", "a-a", "aa", "b", "a_a", "0", "A-");
        write(99, keys.stream().map(key -> event(key, 1, RESERVED)).toArray(OrderEvent[]::new));
        book.write("other", 99, List.of(event("other", 1, RESERVED)));
        List<String> seen = new ArrayList<>();
        String after = "";
        List<Order> page;
        do {
            page = book.page(SALE, after, 3);
            page.forEach(order -> seen.add(order.id().toString()));
            after = seen.get(seen.size() - 1);
        } while (page.size() == 3);

        assertThat(seen).containsExactlyElementsOf(keys.stream().sorted().toList());
    }
}
