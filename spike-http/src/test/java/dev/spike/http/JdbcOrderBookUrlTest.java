package dev.spike.http;

import static dev.spike.core.Outcome.RESERVED;
import static dev.spike.http.JdbcOrderBookContract.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.SimpleFormatter;
import java.util.logging.StreamHandler;

final class JdbcOrderBookUrlTest {

    private static final String SECRET = "s3cretPw";

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "postgres",
                "jdbc:",
                "jdbc:mysql://host/orders?password=s3cretPw",
                "jdbc:h2:mem:orders;PASSWORD=s3cretPw",
                "jdbc:h2:tcp://host/orders;PASSWORD=s3cretPw",
                "jdbc:h2:file:",
                "jdbc:h2:file:;PASSWORD=s3cretPw",
                "jdbc:postgresql://host:port/orders?password=s3cretPw",
                "jdbc:postgresql://host:99999/orders?password=s3cretPw",
                "jdbc:postgresql://user:s3cretPw@host/orders",
                "jdbc:postgresql://user:s3cretPw@host:5432/orders",
                "postgresql://user:s3cretPw@host:5432/orders",
                "postgresql://user:s3cretPw?;s3cretPw@host:5432/orders",
                "user:s3cretPw:",
                "redis://user:s3cretPw@host:6379",
            })
    void open_noUrlOfAnOrderBook_refusedWithoutPassword(String url) {
        String logged = loggedDuring(() -> assertThatThrownBy(() -> JdbcOrderBook.open(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("must be jdbc:h2:file:PATH or jdbc:postgresql://")
                .hasMessageContaining("jdbcUrl=")
                .satisfies(JdbcOrderBookUrlTest::assertNoSecret));

        assertThat(logged).doesNotContain(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://127.0.0.1:1/orders?user=spike&password=s3cretPw",
                "jdbc:postgresql://127.0.0.1:1/orders?password=s3cretPw&socketTimeout=nonsense",
                "jdbc:h2:file:/dev/null/orders;USER=spike;PASSWORD=s3cretPw;NONSENSE=1",
            })
    void write_outOfReach_passwordNowhere(String url) {
        String logged = loggedDuring(() -> assertNoSecret(catchThrowable(() -> {
            try (JdbcOrderBook book = JdbcOrderBook.open(url)) {
                book.write("ticket", 1, List.of(event("a", 1, RESERVED)));
            }
        })));

        assertThat(logged).doesNotContain(SECRET);
    }

    @Test
    void write_withUserAndPassword_usesThem() throws Exception {
        String url = "jdbc:h2:file:" + dir.resolve("orders") + ";USER=spike;PASSWORD=";
        String logged = loggedDuring(() -> {
            try (JdbcOrderBook book = JdbcOrderBook.open(url + SECRET)) {
                book.write("ticket", 1, List.of(event("a", 1, RESERVED)));
            }
        });

        assertThat(logged).contains("spike-orders").doesNotContain(SECRET);
        try (JdbcOrderBook book = JdbcOrderBook.open(url + "another")) {
            assertThat(catchThrowable(() -> book.sums("ticket")))
                    .hasStackTraceContaining("Wrong user name or password");
        }
    }

    private static void assertNoSecret(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        assertThat(text.toString()).doesNotContain(SECRET);
    }

    private interface Action {
        void run() throws Exception;
    }

    /** All that is logged meanwhile, also at debug. */
    private static String loggedDuring(Action action) {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level level = root.getLevel();
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.start();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        // PostgreSQL's driver logs there.
        Handler handler = new StreamHandler(bytes, new SimpleFormatter());
        handler.setLevel(java.util.logging.Level.ALL);
        LogManager.getLogManager().getLogger("").addHandler(handler);
        root.addAppender(appender);
        root.setLevel(Level.DEBUG);
        Logger hikari = (Logger) LoggerFactory.getLogger("com.zaxxer.hikari");
        Level hikariLevel = hikari.getLevel();
        hikari.setLevel(Level.DEBUG);
        try {
            action.run();
        } catch (Exception failure) {
            throw new AssertionError(failure);
        } finally {
            root.setLevel(level);
            hikari.setLevel(hikariLevel);
            root.detachAppender(appender);
            LogManager.getLogManager().getLogger("").removeHandler(handler);
            handler.flush();
        }
        StringBuilder logged = new StringBuilder(bytes.toString(StandardCharsets.UTF_8));
        List.copyOf(appender.list)
                .forEach(event -> logged.append(event.getFormattedMessage()).append('\n'));
        return logged.toString();
    }
}
