package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.undertow.server.HttpHandler;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file with one JSON object a line for each request that came to a handler, once it is answered
 * or its connection has ended. A request never waits for it.
 *
 * <p>A path is written without its query, and without buyers and reservation ids: they are personal
 * data, and who knows an id may end the reservation.
 */
final class AccessLog implements AutoCloseable {

    private static final int MOST_OF_A_PATH = 512;

    /** What begins the rest of a path that no route of ours has. */
    private static final Pattern NO_PATH_OF_OURS = Pattern.compile("(?s)([%;@?]|//).*");

    /** A request that has ended, as it was on the I/O thread. */
    private record Ended(
            long startMillis,
            String listener,
            String method,
            String path,
            int status,
            long bytes,
            long nanos,
            @Nullable InetSocketAddress peer) {}

    record Line(
            String time,
            String listener,
            String method,
            String path,
            int status,
            long bytes,
            long micros,
            String remote) {}

    private final LineLog<Ended> log;

    /**
     * Appends to this file.
     *
     * @throws IOException if it cannot be written
     */
    AccessLog(Path file) throws IOException {
        this.log = new LineLog<>("access log", file, AccessLog::line);
    }

    /** Passes each request on, and adds it once it has ended. */
    HttpHandler around(String listener, HttpHandler next) {
        return exchange -> {
            long startMillis = System.currentTimeMillis();
            long startNanos = System.nanoTime();
            // Once the connection is gone it is not told any more.
            InetSocketAddress peer = exchange.getSourceAddress();
            exchange.addExchangeCompleteListener((same, rest) -> {
                log.add(new Ended(
                        startMillis,
                        listener,
                        cut(same.getRequestMethod().toString()),
                        shown(Route.path(same)),
                        same.getStatusCode(),
                        same.getResponseBytesSent(),
                        System.nanoTime() - startNanos,
                        peer));
                rest.proceed();
            });
            next.handleRequest(exchange);
        };
    }

    private static void line(Ended ended, StringBuilder text) {
        Line line = new Line(
                Json.time(Instant.ofEpochMilli(ended.startMillis)),
                ended.listener,
                ended.method,
                ended.path,
                ended.status,
                ended.bytes,
                TimeUnit.NANOSECONDS.toMicros(ended.nanos),
                ended.peer == null ? "" : ended.peer.getAddress().getHostAddress());
        text.append(new String(Json.write(line), UTF_8));
    }

    /**
     * The path without what names a buyer or gives power over a reservation, also where it was
     * misspelt; only a part of a long one, since many may be queued.
     */
    static String shown(String path) {
        String shown = without(path, "/buyers/", "{buyer}", "/reservations");
        shown = without(shown, "/reservations/", "{id}", "/confirm", "/extend");
        return cut(NO_PATH_OF_OURS.matcher(shown).replaceFirst("…"));
    }

    private static String cut(String text) {
        return text.length() <= MOST_OF_A_PATH ? text : text.substring(0, MOST_OF_A_PATH);
    }

    /** Puts a name in the place of all that is between a part of the path and its end, if known. */
    private static String without(String path, String after, String name, String... ends) {
        int from = path.toLowerCase(Locale.ROOT).indexOf(after);
        if (from < 0) {
            return path;
        }
        String end = Stream.of(ends).filter(path::endsWith).findFirst().orElse("");
        return path.substring(0, from + after.length()) + name + end;
    }

    /** How many lines are not there. */
    long lost() {
        return log.lost();
    }

    /** Writes what is queued and closes the file, in a bounded time. */
    @Override
    public void close() {
        log.close();
    }
}
