package dev.spike.http;

import static dev.spike.core.Outcome.RESERVED;
import static dev.spike.http.JdbcOrderBookContract.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.spike.core.OrderBook.Sum;
import dev.spike.core.OrderSink;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Databases that are away, hang, or die. */
final class JdbcOrderBookOutageTest {

    @TempDir
    Path dir;

    @Test
    void postgres_awayThenThereThenAwayThenThere_worksWheneverItIsThere() throws Exception {
        int port = freePort();
        long start = System.nanoTime();
        try (JdbcOrderBook book = JdbcOrderBook.open(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres")) {
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isLessThan(Duration.ofSeconds(2));
            assertAway(book);
            try (EmbeddedPostgres server = postgres(port)) {
                assertThat(server.getPort()).isEqualTo(port);
                awaitWritten(book, "a");
            }
            assertAway(book);
            try (EmbeddedPostgres server = postgres(port)) {
                assertThat(server.getPort()).isEqualTo(port);
                awaitWritten(book, "b");
                assertThat(book.sums("ticket")).isEqualTo(Map.of(RESERVED, new Sum(2, 2)));
            }
        }
    }

    @Test
    void postgres_acceptsAndNeverAnswers_failsInSeconds() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                JdbcOrderBook book = JdbcOrderBook.open("jdbc:postgresql://127.0.0.1:"
                        + silent.getLocalPort() + "/postgres?user=postgres&socketTimeout=3")) {
            assertAway(book);
        }
    }

    @Test
    void postgres_saleLockedByAnotherForLong_failsAndOtherSalesDoNot() throws Exception {
        String url = TestPostgres.newDatabase();
        try (JdbcOrderBook book = JdbcOrderBook.open(url + "&options=-c%20lock_timeout=500ms");
                Connection other = OrderDatabase.POSTGRESQL.dataSource(url).getConnection()) {
            write(book, "first");
            other.setAutoCommit(false);
            new OrderUnits().lock(other, "ticket");

            assertThatThrownBy(() -> write(book, "a"))
                    .isInstanceOf(OrderSink.UnavailableException.class);
            book.write("other", 10, List.of(event("a", 1, RESERVED)));
            other.rollback();
            write(book, "a");
        }
    }

    @Test
    void postgres_settings_boundEveryWaitUnlessTheUrlDoes() throws Exception {
        String url = TestPostgres.newDatabase();
        PGSimpleDataSource defaults = (PGSimpleDataSource) OrderDatabase.POSTGRESQL.dataSource(url);
        PGSimpleDataSource given = (PGSimpleDataSource) OrderDatabase.POSTGRESQL.dataSource(
                url + "&connectTimeout=7&socketTimeout=8&tcpKeepAlive=false");

        assertThat(defaults.getConnectTimeout()).isEqualTo(2);
        assertThat(defaults.getSocketTimeout()).isEqualTo(10);
        assertThat(defaults.getTcpKeepAlive()).isTrue();
        assertThat(given.getConnectTimeout()).isEqualTo(7);
        assertThat(given.getSocketTimeout()).isEqualTo(8);
        assertThat(given.getTcpKeepAlive()).isFalse();
        try (Connection connection = defaults.getConnection();
                Statement statement = connection.createStatement()) {
            for (String setting : List.of("lock_timeout", "idle_in_transaction_session_timeout")) {
                try (var row = statement.executeQuery("show " + setting)) {
                    row.next();
                    assertThat(row.getString(1)).as(setting).isNotEqualTo("0");
                }
            }
        }
    }

    @Test
    void h2_noDirectoryAtOpenThenThere_works() throws Exception {
        Path blocker = Files.createFile(dir.resolve("blocker"));
        try (JdbcOrderBook book = JdbcOrderBook.open("jdbc:h2:file:" + blocker.resolve("orders"))) {
            assertAway(book);
            Files.delete(blocker);
            awaitWritten(book, "a");
        }
    }

    @Test
    void h2_processKilled_whatWasWrittenIsThere() throws Exception {
        String url = "jdbc:h2:file:" + dir.resolve("orders");
        Path out = dir.resolve("out");
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        url)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        try {
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> Files.size(out) > 20 || !child.isAlive());
        } finally {
            child.destroyForcibly().waitFor();
        }
        List<String> written = Files.readAllLines(out);
        try (JdbcOrderBook book = JdbcOrderBook.open(url)) {
            assertThat(written.size()).isGreaterThan(5);
            assertThat(book.sums("ticket").get(RESERVED).orders())
                    .as("orders after %s", written)
                    .isGreaterThanOrEqualTo(Long.parseLong(written.get(written.size() - 1)));
        }
    }

    /** Writes an order, and says so, for ever. */
    static final class Writer {

        public static void main(String[] args) throws Exception {
            try (JdbcOrderBook book = JdbcOrderBook.open(args[0])) {
                for (int i = 1; true; i++) {
                    book.write("ticket", i, List.of(event("a" + i, 1, RESERVED)));
                    System.out.println(i);
                }
            }
        }
    }

    private static void write(JdbcOrderBook book, String key) throws Exception {
        book.write("ticket", 10, List.of(event(key, 1, RESERVED)));
    }

    private static void assertAway(JdbcOrderBook book) {
        long start = System.nanoTime();
        assertThatThrownBy(() -> write(book, "away"))
                .isInstanceOf(OrderSink.UnavailableException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
    }

    private static void awaitWritten(JdbcOrderBook book, String key) {
        await().atMost(Duration.ofSeconds(30))
                .ignoreExceptionsInstanceOf(OrderSink.UnavailableException.class)
                .untilAsserted(() -> write(book, key));
    }

    private EmbeddedPostgres postgres(int port) throws IOException {
        return EmbeddedPostgres.builder()
                .setPort(port)
                .setDataDirectory(dir.resolve("postgres"))
                .setCleanDataDirectory(false)
                .start();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
