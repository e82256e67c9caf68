package dev.spike.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;

import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * An answer ready to send, any number of times.
 *
 * @param status the HTTP status
 * @param contentType the media type of the body
 * @param body its bytes; never changed
 */
record Reply(int status, String contentType, ByteBuffer body) {

    static final String JSON = "application/json";

    private static final Duration WRITE_TIME = Duration.ofSeconds(5);

    /** A reply whose bytes are outside the heap, to be sent often without being copied. */
    static Reply encoded(int status, String contentType, byte[] body) {
        ByteBuffer direct = ByteBuffer.allocateDirect(body.length);
        direct.put(body).flip();
        return new Reply(status, contentType, direct);
    }

    /** A reply to be sent once. */
    static Reply of(int status, String contentType, byte[] body) {
        return new Reply(status, contentType, ByteBuffer.wrap(body));
    }

    /** A reply to be sent once, with this value as JSON. */
    static Reply json(int status, Object value) {
        return of(status, JSON, Json.write(value));
    }

    /** Sends it and ends the exchange. */
    void send(HttpServerExchange exchange) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
        exchange.getResponseSender().send(body.duplicate());
        if (!exchange.isResponseComplete()) {
            // Who asks on and on and never reads would hold its connection for good.
            Deadline.set(exchange, WRITE_TIME, HttpServerExchange::isResponseComplete);
        }
    }
}
