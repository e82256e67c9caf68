package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.util.Iterator;
import java.util.Set;

/** Reads small JSON objects from strangers, strictly, and writes our own. */
final class Json {

    static final int MAX_BYTES = 4096;

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxDocumentLength(MAX_BYTES)
                            .maxTokenCount(64)
                            .maxNestingDepth(4)
                            .maxStringLength(256)
                            .maxNumberLength(19)
                            .maxNameLength(32)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();

    private static final DateTimeFormatter MILLIS =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter();

    private Json() {}

    static byte[] write(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** RFC 3339, UTC, with milliseconds. */
    static String time(Instant instant) {
        return MILLIS.format(instant);
    }

    static @Nullable String timeOrNull(@Nullable Instant instant) {
        return instant == null ? null : time(instant);
    }

    /**
     * A JSON object with none but these fields.
     *
     * @throws BadRequest if the bytes are anything else
     */
    static ObjectNode object(byte[] bytes, Set<String> fields) throws BadRequest {
        JsonNode node;
        try {
            // Left to itself the parser guesses UTF-16 and UTF-32, and takes overlong forms.
            node = MAPPER.readTree(
                    UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (JsonProcessingException malformed) {
            var at = malformed.getLocation();
            throw new BadRequest("body must be a small JSON object without repeated fields"
                    + (at == null
                            ? ""
                            : "; see line " + at.getLineNr() + ", column " + at.getColumnNr()));
        } catch (IOException malformed) {
            throw new BadRequest("body must be a JSON object in UTF-8");
        }
        if (!(node instanceof ObjectNode object)) {
            throw new BadRequest("body must be a JSON object");
        }
        for (Iterator<String> names = object.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!fields.contains(name)) {
                throw new BadRequest("body must not have a field " + name);
            }
        }
        return object;
    }

    /** A required string. */
    static String string(ObjectNode object, String field) throws BadRequest {
        JsonNode value = object.get(field);
        if (value == null || !value.isTextual()) {
            throw new BadRequest(field + " must be a string");
        }
        return value.textValue();
    }

    /**
     * An integer.
     *
     * @param absent the value when the field is absent; null: it is required
     */
    static long integer(
            ObjectNode object, String field, long least, long most, @Nullable Long absent)
            throws BadRequest {
        JsonNode value = object.get(field);
        if (value == null && absent != null) {
            return absent;
        }
        if (value == null
                || !value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < least
                || value.longValue() > most) {
            throw new BadRequest(field + " must be an integer from " + least + " to " + most);
        }
        return value.longValue();
    }

    /** An instant; null when the field is absent or null. */
    static @Nullable Instant instant(ObjectNode object, String field) throws BadRequest {
        JsonNode value = object.get(field);
        if (value == null || value.isNull()) {
            return null;
        }
        try {
            return Times.rfc3339(string(object, field));
        } catch (DateTimeParseException malformed) {
            throw new BadRequest(field + " must be a time as in 2030-01-31T10:00:00Z, or null");
        }
    }
}
