package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;

/** Reads a raw query string; strict, where Undertow's own parser is lenient. */
final class Query {

    private Query() {}

    /**
     * The decoded value of a parameter; null if it is absent.
     *
     * @throws BadRequest if it is given twice, or is not percent-encoded UTF-8
     */
    static @Nullable String parameter(String query, String name) throws BadRequest {
        String value = null;
        for (int start = 0; start < query.length(); ) {
            int and = query.indexOf('&', start);
            int end = and < 0 ? query.length() : and;
            int equals = query.indexOf('=', start);
            int nameEnd = equals < 0 || equals > end ? end : equals;
            if (nameEnd - start == name.length() && query.startsWith(name, start)) {
                if (value != null) {
                    throw new BadRequest(name + " must be given once");
                }
                value = decode(name, query.substring(Math.min(nameEnd + 1, end), end));
            }
            start = end + 1;
        }
        return value;
    }

    /** Percent-encoded UTF-8, where a plus sign is a space. */
    static String decode(String name, String raw) throws BadRequest {
        if (raw.indexOf('%') < 0 && raw.indexOf('+') < 0) {
            return raw;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                int high = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 1), 16) : -1;
                int low = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    throw new BadRequest(name + " must be percent-encoded");
                }
                bytes.write(high << 4 | low);
                i += 2;
            } else {
                bytes.write(c == '+' ? ' ' : c);
            }
        }
        try {
            return UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException malformed) {
            throw new BadRequest(name + " must be UTF-8");
        }
    }
}
