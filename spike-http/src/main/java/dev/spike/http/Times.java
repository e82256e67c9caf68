package dev.spike.http;

import picocli.CommandLine.TypeConversionException;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;

/** How times are written. */
final class Times {

    private Times() {}

    /**
     * An instant as in RFC 3339, with its offset.
     *
     * @throws DateTimeParseException if it is none
     */
    static Instant rfc3339(String text) {
        return Instant.from(DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text));
    }

    /** The instant in the value of a flag. */
    static Instant instantOfFlag(String text) {
        try {
            return rfc3339(text);
        } catch (DateTimeException malformed) {
            throw new TypeConversionException(
                    "an instant is written 2030-01-31T10:00:00+08:00 or 2030-01-31T02:00:00Z, not '"
                            + text + "'");
        }
    }

    /** The duration in the value of a flag. */
    static Duration durationOfFlag(String text) {
        try {
            if (text.startsWith("P")) {
                return Duration.parse(text);
            }
            int digits = 0;
            while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
                digits++;
            }
            long count = Long.parseLong(text.substring(0, digits));
            return switch (text.substring(digits)) {
                case "ms" -> Duration.ofMillis(count);
                case "s" -> Duration.ofSeconds(count);
                case "m" -> Duration.ofMinutes(count);
                case "h" -> Duration.ofHours(count);
                default -> throw new IllegalArgumentException(text);
            };
        } catch (RuntimeException malformed) {
            throw new TypeConversionException(
                    "a time is written 500ms, 30s, 5m, 2h or PT5M, not '" + text + "'");
        }
    }
}
