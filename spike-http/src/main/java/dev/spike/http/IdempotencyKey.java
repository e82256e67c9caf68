package dev.spike.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;

import org.jspecify.annotations.Nullable;

/** The caller's key of a reservation, as it comes in a header or a query. */
final class IdempotencyKey {

    static final HttpString HEADER = new HttpString("Idempotency-Key");
    static final String RULE = "must be 8 to 64 of A-Z a-z 0-9 _ -, bare or in double quotes";

    private IdempotencyKey() {}

    /**
     * The key in the header; null if there is none.
     *
     * @throws BadRequest if it is malformed or given twice
     */
    static @Nullable String of(HttpServerExchange exchange) throws BadRequest {
        HeaderValues values = exchange.getRequestHeaders().get(HEADER);
        if (values == null) {
            return null;
        }
        if (values.size() > 1) {
            throw new BadRequest("Idempotency-Key must be given once");
        }
        return parse("Idempotency-Key", values.getFirst());
    }

    /**
     * The key, without quotes.
     *
     * @throws BadRequest if it is malformed, naming the field
     */
    static String parse(String field, String text) throws BadRequest {
        int length = text.length();
        boolean quoted = length >= 2 && text.charAt(0) == '"' && text.charAt(length - 1) == '"';
        String key = quoted ? text.substring(1, length - 1) : text;
        boolean valid = key.length() >= 8 && key.length() <= 64;
        for (int i = 0; valid && i < key.length(); i++) {
            char c = key.charAt(i);
            valid = c >= 'a' && c <= 'z'
                    || c >= 'A' && c <= 'Z'
                    || c >= '0' && c <= '9'
                    || c == '_'
                    || c == '-';
        }
        if (!valid) {
            throw new BadRequest(field + " " + RULE);
        }
        return key;
    }
}
