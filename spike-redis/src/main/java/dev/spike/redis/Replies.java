package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Levels;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.List;

/** Reads the replies of the scripts. */
final class Replies {

    /** The length of a reply that tells the levels alone. */
    static final int LEVELS = 11;

    private Replies() {}

    /** The levels at the start of a reply, as {@code levels.lua} describes them. */
    static Levels levels(List<?> reply) {
        Levels.Phase phase = switch (text(reply.get(0))) {
            case "absent" -> Levels.Phase.ABSENT;
            case "not_yet_open" -> Levels.Phase.NOT_YET_OPEN;
            case "open" -> Levels.Phase.OPEN;
            case "closed" -> Levels.Phase.CLOSED;
            default -> throw new IllegalStateException("unknown phase " + text(reply.get(0)));
        };
        return new Levels(
                phase,
                text(reply.get(1)),
                number(reply.get(2)),
                number(reply.get(3)),
                number(reply.get(4)),
                number(reply.get(5)),
                number(reply.get(6)),
                number(reply.get(7)),
                optionalInstant(reply.get(8)),
                optionalInstant(reply.get(9)),
                instant(reply.get(10)));
    }

    static List<?> list(Object reply) {
        return (List<?>) reply;
    }

    static @Nullable Instant optionalInstant(Object millis) {
        return millis instanceof byte[] text && text.length == 0 ? null : instant(millis);
    }

    static Instant instant(Object millis) {
        return Instant.ofEpochMilli(number(millis));
    }

    static long number(Object reply) {
        return reply instanceof Long number ? number : Long.parseLong(text(reply));
    }

    static String text(Object reply) {
        return new String((byte[]) reply, UTF_8);
    }

    static byte[] bytes(Object value) {
        return String.valueOf(value).getBytes(UTF_8);
    }
}
