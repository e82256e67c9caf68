package dev.spike.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Holds connections half-open, one thread for all, and opens another for each that is cut. */
final class HalfOpen implements AutoCloseable {

    private final InetSocketAddress server;
    private final List<String> beginnings;
    private final Selector selector;
    private final AtomicInteger cut = new AtomicInteger();
    private final Thread holder;
    private volatile boolean closing;

    private HalfOpen(int port, int count, List<String> beginnings) throws IOException {
        this.server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.beginnings = beginnings;
        this.selector = Selector.open();
        for (int i = 0; i < count; i++) {
            connect(beginnings.get(i % beginnings.size()));
        }
        this.holder = new Thread(this::hold, "half-open");
        holder.start();
    }

    /**
     * Holds so many connections.
     *
     * @param beginnings what is sent on them, in turn
     */
    static HalfOpen hold(int port, int count, String... beginnings) throws IOException {
        return new HalfOpen(port, count, List.of(beginnings));
    }

    /** How many the server has cut. */
    int cut() {
        return cut.get();
    }

    private void connect(String beginning) throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_CONNECT, beginning);
        channel.connect(server);
    }

    private void hold() {
        try {
            while (!closing) {
                selector.select(this::handle, 100);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void handle(SelectionKey key) {
        SocketChannel channel = (SocketChannel) key.channel();
        String beginning = (String) key.attachment();
        try {
            if (key.isConnectable()) {
                channel.finishConnect();
                key.interestOps(SelectionKey.OP_READ);
                channel.write(ByteBuffer.wrap(beginning.getBytes(ISO_8859_1)));
            } else if (channel.read(ByteBuffer.allocate(1024)) < 0) {
                replace(channel, beginning);
            }
        } catch (IOException reset) {
            replace(channel, beginning);
        }
    }

    private void replace(SocketChannel channel, String beginning) {
        try {
            channel.close();
            cut.incrementAndGet();
            if (!closing) {
                connect(beginning);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Closes them all. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
        try {
            holder.join();
            for (SelectionKey key : selector.keys()) {
                key.channel().close();
            }
            selector.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
