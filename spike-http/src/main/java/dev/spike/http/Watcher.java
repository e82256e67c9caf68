package dev.spike.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;

import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * One who watches a sale: a response that goes on. Made on the I/O thread of its exchange, and from
 * then on used by the one thread that writes.
 *
 * <p>It holds no queue: at most one message whose end the socket has not taken yet. As long as it
 * holds that it is written nothing else, and then the newest.
 */
final class Watcher {

    /**
     * Of the kernel, per watcher. So small that one who does not read soon holds up its own stream,
     * rather than getting by and by what was long ago.
     */
    private static final int SEND_BUFFER = 16 * 1024;

    private static final long HEARTBEAT_NANOS = Duration.ofSeconds(10).toNanos();
    private static final long PATIENCE_NANOS = Duration.ofSeconds(10).toNanos();

    private final HttpServerExchange exchange;
    private final StreamSinkChannel sink;
    private volatile boolean gone;
    private @Nullable ByteBuffer unwritten;
    private long wroteNanos;
    private long version;

    /** On the I/O thread, with the response's headers set and not sent. */
    Watcher(HttpServerExchange exchange) throws IOException {
        this.exchange = exchange;
        this.wroteNanos = System.nanoTime();
        StreamConnection connection =
                ((HttpServerConnection) exchange.getConnection()).getChannel();
        connection.setOption(Options.SEND_BUFFER, SEND_BUFFER);
        this.sink = exchange.getResponseChannel();
        if (exchange.isRequestComplete()) {
            // Else the end of an idle stream would be noticed only by writing to it, twice.
            connection.getSourceChannel().setReadListener(this::read);
            connection.getSourceChannel().resumeReads();
        }
    }

    /** A client that watches says nothing more: this is its end, or a misuse. */
    private void read(ConduitStreamSourceChannel source) {
        try {
            if (source.read(ByteBuffer.allocate(1)) == 0) {
                return;
            }
        } catch (IOException reset) {
            // As an end.
        }
        source.suspendReads();
        gone = true;
    }

    /**
     * Writes what there is to write.
     *
     * @param message the newest; may be empty. Its position is changed, its bytes are not kept
     * @param itsVersion by which it is told from others; grows
     * @param heartbeat is written when there was nothing else for long
     * @return false if it is at its end, and must then be {@link #cut}
     */
    boolean update(ByteBuffer message, long itsVersion, ByteBuffer heartbeat, long nowNanos) {
        if (gone) {
            return false;
        }
        try {
            if (unwritten != null && !writeRest(nowNanos)) {
                return nowNanos - wroteNanos < PATIENCE_NANOS;
            }
            if (version < itsVersion) {
                version = itsVersion;
                write(message, nowNanos);
            } else if (nowNanos - wroteNanos >= HEARTBEAT_NANOS) {
                write(heartbeat, nowNanos);
            }
            return true;
        } catch (IOException | IllegalStateException ended) {
            return false;
        }
    }

    /** Writes, as far as the socket takes it, and keeps a copy of the rest. */
    void write(ByteBuffer bytes, long nowNanos) throws IOException {
        bytes.rewind();
        sink.write(bytes);
        if (bytes.hasRemaining()) {
            unwritten = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
        }
        wroteNanos = nowNanos;
    }

    private boolean writeRest(long nowNanos) throws IOException {
        ByteBuffer rest = unwritten;
        if (rest != null && sink.write(rest) > 0) {
            wroteNanos = nowNanos;
        }
        if (rest != null && rest.hasRemaining()) {
            return false;
        }
        unwritten = null;
        return true;
    }

    /** Ends it in order, with these last bytes if the socket takes them. */
    void end(ByteBuffer last, long nowNanos) {
        try {
            if (unwritten == null || writeRest(nowNanos)) {
                write(last, nowNanos);
            }
            if (unwritten == null) {
                exchange.endExchange();
                return;
            }
        } catch (IOException ended) {
            // It is at its end.
        }
        cut();
    }

    /** Closes its connection. */
    void cut() {
        IoUtils.safeClose(exchange.getConnection());
        exchange.endExchange();
    }
}
