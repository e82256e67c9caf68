package dev.spike.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/**
 * Many who watch a sale, in as few instructions as can be: one thread, which reads and forgets.
 * Once a second it says how much all have read, and how many messages the first of them.
 *
 * <p>Usage: {@code WatcherCrowd URL COUNT}; ends when it is ended, or when a stream ends.
 */
public final class WatcherCrowd {

    private static final byte[] OK = "HTTP/1.1 200 ".getBytes(US_ASCII);

    private final Selector selector;
    private final ByteBuffer in = ByteBuffer.allocateDirect(64 * 1024);
    private long bytes;
    private long messages;

    private WatcherCrowd(Selector selector) {
        this.selector = selector;
    }

    /** Opens all, says so, and reads. */
    public static void main(String[] args) throws IOException {
        URI url = URI.create(args[0]);
        int count = Integer.parseInt(args[1]);
        try (Selector selector = Selector.open()) {
            WatcherCrowd crowd = new WatcherCrowd(selector);
            for (int i = 0; i < count; i++) {
                crowd.open(url, i == 0);
            }
            System.out.println("watching: " + count);
            crowd.readOnAndOn();
        }
    }

    /** Sends the request, and reads the beginning of the answer, blocking. */
    private void open(URI url, boolean isFirst) throws IOException {
        SocketChannel channel =
                SocketChannel.open(new InetSocketAddress(url.getHost(), url.getPort()));
        String request =
                "GET " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getAuthority() + "\r\n\r\n";
        channel.write(ByteBuffer.wrap(request.getBytes(US_ASCII)));
        in.clear();
        while (in.position() < OK.length && channel.read(in) >= 0) {
            // The status line may come in pieces.
        }
        byte[] start = new byte[Math.min(in.position(), 200)];
        in.get(0, start);
        if (!Arrays.equals(start, 0, Math.min(start.length, OK.length), OK, 0, OK.length)) {
            throw new IOException("must be 200: " + new String(start, US_ASCII));
        }
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, isFirst);
    }

    private void readOnAndOn() throws IOException {
        long second = System.nanoTime();
        while (true) {
            selector.select(this::read, 1000);
            if (System.nanoTime() - second > 1_000_000_000) {
                second = System.nanoTime();
                System.out.println("read: " + bytes + " bytes, " + messages + " messages");
            }
        }
    }

    private void read(SelectionKey key) {
        try {
            in.clear();
            int n = ((SocketChannel) key.channel()).read(in);
            if (n < 0) {
                throw new EOFException("a stream ended");
            }
            bytes += n;
            if ((Boolean) key.attachment()) {
                countMessages(n);
            }
        } catch (IOException ended) {
            System.out.println(ended.getMessage());
            System.exit(1);
        }
    }

    /** Each ends with an empty line, and has no other. */
    private void countMessages(int n) {
        for (int i = 1; i < n; i++) {
            if (in.get(i) == '\n' && in.get(i - 1) == '\n') {
                messages++;
            }
        }
    }
}
