package dev.spike.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/**
 * A keep-alive connection with at most one request under way. It never blocks, but to be made the
 * first time. Answers are at most 64 KiB. Used by one thread.
 */
final class Connection {

    private static final int MOST_BYTES = 64 * 1024;

    private final Selector selector;
    private final InetSocketAddress address;
    private final byte[] inBytes = new byte[MOST_BYTES];
    private final ByteBuffer in = ByteBuffer.wrap(inBytes);
    private final byte[] outBytes;
    private final ByteBuffer out;
    private final HttpAnswer answer = new HttpAnswer();
    private SocketChannel channel;
    private SelectionKey key;

    /** The request under way; negative: none. */
    private long request = -1;

    /** Makes it, blocking. */
    Connection(Selector selector, InetSocketAddress address, int longestRequest)
            throws IOException {
        this.selector = selector;
        this.address = address;
        this.outBytes = new byte[longestRequest];
        this.out = ByteBuffer.wrap(outBytes);
        this.channel = SocketChannel.open(address);
        this.key = prepare(SelectionKey.OP_READ);
    }

    private SelectionKey prepare(int interest) throws IOException {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
        return channel.register(selector, interest, this);
    }

    /**
     * Makes it anew.
     *
     * @return whether it can be used at once; if not, once {@link #finishConnect} was called
     */
    boolean reopen() throws IOException {
        close();
        request = -1;
        in.clear();
        answer.clear();
        channel = SocketChannel.open();
        key = prepare(SelectionKey.OP_CONNECT);
        if (channel.connect(address)) {
            key.interestOps(SelectionKey.OP_READ);
            return true;
        }
        return false;
    }

    boolean isConnecting() {
        return key.isValid() && key.interestOps() == SelectionKey.OP_CONNECT;
    }

    void finishConnect() throws IOException {
        channel.finishConnect();
        key.interestOps(SelectionKey.OP_READ);
    }

    /** The request under way; negative: none. */
    long request() {
        return request;
    }

    /**
     * Sends a request.
     *
     * @param id by which {@link #request} tells it
     */
    void send(long id, Template template, long number) throws IOException {
        request = id;
        template.write(number, outBytes);
        out.clear().limit(template.length());
        write();
    }

    /** Writes what is left of the request. */
    void write() throws IOException {
        channel.write(out);
        key.interestOps(
                out.hasRemaining()
                        ? SelectionKey.OP_READ | SelectionKey.OP_WRITE
                        : SelectionKey.OP_READ);
    }

    /**
     * Reads what is there.
     *
     * @return whether the answer is complete
     * @throws IOException if the connection has ended, or this is no answer that can be read
     */
    boolean read() throws IOException {
        if (channel.read(in) < 0) {
            throw new EOFException("the server closed the connection");
        }
        if (request < 0) {
            throw new IOException("an answer without a request");
        }
        boolean complete = answer.read(inBytes, in.position());
        if (!complete && !in.hasRemaining()) {
            throw new IOException("an answer of more than " + MOST_BYTES + " bytes");
        }
        return complete;
    }

    int status() {
        return answer.status();
    }

    boolean isAnswerExpectedBy(Template template) {
        return template.expects(answer.status(), inBytes, answer.bodyFrom(), answer.bodyTo());
    }

    /** The answer's status and the start of its body. */
    String describeAnswer() {
        int length = Math.min(200, answer.bodyTo() - answer.bodyFrom());
        return answer.status() + " " + new String(inBytes, answer.bodyFrom(), length, UTF_8);
    }

    /**
     * Makes it ready for the next request.
     *
     * @return whether the server lets it live
     */
    boolean clear() {
        boolean lives = !answer.isLast();
        request = -1;
        in.clear();
        answer.clear();
        return lives;
    }

    void close() {
        try {
            channel.close();
        } catch (IOException ignored) {
            // Nothing depends on it any more.
        }
    }
}
