package dev.spike.http;

import io.undertow.server.HttpServerExchange;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;

/** {@code /openapi.json}: the description of both listeners, as it is among the resources. */
final class OpenApi {

    private static final Reply DOCUMENT = Reply.encoded(200, Reply.JSON, read());

    private OpenApi() {}

    static void send(HttpServerExchange exchange) {
        DOCUMENT.send(exchange);
    }

    private static byte[] read() {
        try (InputStream document = OpenApi.class.getResourceAsStream("openapi.json")) {
            return Objects.requireNonNull(document).readAllBytes();
        } catch (IOException damaged) {
            throw new UncheckedIOException(damaged);
        }
    }
}
