package dev.spike.http;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.undertow.io.Receiver;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.HttpContinueReadHandler;
import io.undertow.util.Headers;

import org.jspecify.annotations.Nullable;

import java.util.Locale;
import java.util.Set;

/** Reads the JSON object that a request carries, without blocking. */
final class RequestBody {

    /** Goes on with the object; what it throws becomes a problem. */
    interface Next {
        void accept(ObjectNode body) throws Exception;
    }

    private RequestBody() {}

    /**
     * Reads the body and goes on, on the exchange's I/O thread. {@link RequestGuard} has bounded
     * its size and its time.
     */
    static void read(HttpServerExchange exchange, Set<String> fields, Next next) throws Exception {
        if (!isJson(exchange.getRequestHeaders().getFirst(Headers.CONTENT_TYPE))) {
            Problem.UNSUPPORTED_MEDIA_TYPE.send(exchange);
            return;
        }
        Receiver.FullBytesCallback parse = (same, bytes) -> {
            try {
                next.accept(Json.object(bytes, fields));
            } catch (Exception failure) {
                Problem.send(same, failure);
            }
        };
        new HttpContinueReadHandler(same -> same.getRequestReceiver()
                        .receiveFullBytes(parse, (broken, failure) -> broken.endExchange()))
                .handleRequest(exchange);
    }

    private static boolean isJson(@Nullable String contentType) {
        if (contentType == null) {
            return false;
        }
        String type = contentType.toLowerCase(Locale.ROOT).replace(" ", "").replace("\"", "");
        return type.equals("application/json") || type.equals("application/json;charset=utf-8");
    }
}
