package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** One who watches a sale of a test server, and keeps all that comes. */
final class EventStream implements AutoCloseable {

    private final Socket socket;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final int status;
    private volatile boolean ended;

    /** Watches the sale, once the head of the answer is there. */
    EventStream(int port, String sale) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.getOutputStream().write(Wire.get("/v1/sales/" + sale + "/events").getBytes(UTF_8));
        BufferedReader in =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
        socket.setSoTimeout(Wire.HANGS_MILLIS);
        status = Integer.parseInt(in.readLine().substring(9, 12));
        for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
        }
        socket.setSoTimeout(0);
        Thread reader = new Thread(() -> read(in), "event-stream");
        reader.setDaemon(true);
        reader.start();
    }

    private void read(BufferedReader in) {
        try {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                lines.add(line);
            }
        } catch (IOException cut) {
            // It is the end, too.
        } finally {
            ended = true;
        }
    }

    int status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }

    /** All lines so far, without the empty ones. */
    List<String> lines() {
        return lines.stream().filter(line -> !line.isEmpty()).toList();
    }

    /** All messages so far. */
    List<JsonNode> messages() {
        return lines.stream()
                .filter(line -> line.startsWith("data: "))
                .map(line -> TestServer.json(line.substring(6)))
                .toList();
    }

    /** A field of the last message, as text; empty if none has come. */
    String last(String pointer) {
        List<JsonNode> all = messages();
        return all.isEmpty() ? "" : all.get(all.size() - 1).at(pointer).asText();
    }

    /** Whether the server has ended it. */
    boolean isEnded() {
        return ended;
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
