package dev.spike.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;

/** A raw connection: sends any bytes, and reads what comes back. */
final class Wire implements AutoCloseable {

    /** Longer than any deadline of the server: what lasts longer hangs. */
    static final int HANGS_MILLIS = 30_000;

    /** An answer: its status, its whole head, and its body. */
    record Answer(int status, String head, String body) {}

    private final Socket socket;

    private Wire(Socket socket) {
        this.socket = socket;
    }

    static Wire open(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(HANGS_MILLIS);
        socket.setTcpNoDelay(true);
        return new Wire(socket);
    }

    /** A request with a JSON body under a key; the connection is kept. */
    static String post(String path, String key, String body) {
        return "POST " + path + " HTTP/1.1\r\nHost: x\r\nIdempotency-Key: " + key
                + "\r\nContent-Type: application/json\r\nContent-Length: "
                + body.getBytes(UTF_8).length + "\r\n\r\n" + body;
    }

    static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    Wire send(String text) throws IOException {
        return send(text.getBytes(ISO_8859_1));
    }

    Wire send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Tells the server that no more comes. */
    void finish() throws IOException {
        socket.shutdownOutput();
    }

    /** Everything until the server closes; a reset ends it too. */
    String readToEnd() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] some = new byte[8192];
        try (socket) {
            InputStream in = socket.getInputStream();
            for (int n = in.read(some); n >= 0; n = in.read(some)) {
                all.write(some, 0, n);
            }
        } catch (SocketException reset) {
            // Closed with bytes of ours unread.
        }
        return all.toString(ISO_8859_1);
    }

    /**
     * The next answer, which must have a Content-Length.
     *
     * @throws IOException if the connection ends before it is complete
     */
    Answer read() throws IOException {
        InputStream in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("closed after: " + head);
            }
            head.append((char) next);
        }
        int length = Integer.parseInt(
                head.toString().replaceFirst("(?is).*\r\ncontent-length: (\\d+)\r\n.*", "$1"));
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new IOException("closed within the body of: " + head);
        }
        return new Answer(
                Integer.parseInt(head.substring(9, 12)), head.toString(), new String(body, UTF_8));
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
