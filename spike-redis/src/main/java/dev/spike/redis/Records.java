package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/** Reads the records of the reservations hash, whose form {@code reserve.lua} describes. */
final class Records {

    private Records() {}

    /** The key as it is stored and sent: empty if it equals the buyer. */
    static String storedKey(ReservationId id) {
        return id.key().equals(id.buyer()) ? "" : id.key();
    }

    /** The reservation in a field of the hash; null in the field that is there from the start. */
    static @Nullable Reservation read(byte[] field, byte[] value, Instant now) {
        String name = new String(field, UTF_8);
        int newline = name.indexOf('\n');
        if (name.isEmpty()) {
            return null;
        }
        return newline < 0
                ? first(name, value, now)
                : further(name.substring(0, newline), name.substring(newline + 1), value, now);
    }

    /** A buyer's first reservation. */
    static Reservation first(String buyer, byte[] value, Instant now) {
        String[] parts = new String(value, UTF_8).split(" ", -1);
        if (parts.length != 4) {
            throw new IllegalStateException(
                    "damaged record of a buyer: " + parts.length + " parts");
        }
        return reservation(buyer, parts[3], parts[1], parts[2], now);
    }

    /** A further reservation of a buyer. */
    static Reservation further(String buyer, String key, byte[] value, Instant now) {
        String[] parts = new String(value, UTF_8).split(" ", -1);
        if (parts.length != 2) {
            throw new IllegalStateException(
                    "damaged record of a reservation: " + parts.length + " parts");
        }
        return reservation(buyer, key, parts[0], parts[1], now);
    }

    private static Reservation reservation(
            String buyer, String key, String stateAndDeadline, String quantity, Instant now) {
        Instant expiresAt = Instant.ofEpochMilli(Long.parseLong(stateAndDeadline.substring(1)));
        Outcome state = outcome(stateAndDeadline.charAt(0));
        boolean overdue = state == Outcome.RESERVED && !now.isBefore(expiresAt);
        return new Reservation(
                new ReservationId(buyer, key.isEmpty() ? buyer : key),
                Integer.parseInt(quantity),
                overdue ? Outcome.EXPIRED : state,
                expiresAt);
    }

    /**
     * What a letter means, in a record or among the codes of a reply; there a small letter: already
     * so before.
     */
    static Outcome outcome(char code) {
        return switch (code) {
            case 'R', 'r' -> Outcome.RESERVED;
            case 'C', 'c' -> Outcome.CONFIRMED;
            case 'X', 'x' -> Outcome.CANCELLED;
            case 'E', 'e' -> Outcome.EXPIRED;
            case 'M' -> Outcome.MISMATCH;
            case 'N' -> Outcome.NOT_OPEN;
            case 'Z' -> Outcome.CLOSED;
            case 'A' -> Outcome.ALL_RESERVED;
            case 'S' -> Outcome.SOLD_OUT;
            case 'L' -> Outcome.LIMIT_REACHED;
            case 'F' -> Outcome.NOT_FOUND;
            default -> throw new IllegalStateException("unknown outcome code " + code);
        };
    }
}
