package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the records of the reservations hash, whose form {@code reserve.lua} describes. */
final class Records {

    private static final String RESERVATION =
            "(?<state>[RCXE])(?<due>\\d+)(\\+(?<longer>\\d+))? (?<sequence>\\d+) (?<quantity>\\d+)";
    private static final Pattern FIRST =
            Pattern.compile("(?<held>\\d+) " + RESERVATION + " (?<key>[^ ]*)( [^ ]*)?");
    private static final Pattern FURTHER = Pattern.compile(RESERVATION + "( [^ ]*)?");

    private Records() {}

    /** The key as it is stored and sent: empty if it equals the buyer. */
    static String storedKey(ReservationId id) {
        return id.key().equals(id.buyer()) ? "" : id.key();
    }

    /**
     * When the records were read, up to which sequence everybody has acknowledged the log, and the
     * sale's hold time.
     */
    record AsOf(Instant now, long acknowledged, long holdMillis) {}

    /** The reservation in a field of the hash; null in the field that is there from the start. */
    static @Nullable Progress read(byte[] field, byte[] value, AsOf asOf) {
        String name = new String(field, UTF_8);
        int newline = name.indexOf('\n');
        if (name.isEmpty()) {
            return null;
        }
        return newline < 0
                ? first(name, value, asOf)
                : further(name.substring(0, newline), name.substring(newline + 1), value, asOf);
    }

    /** A buyer's first reservation. */
    static Progress first(String buyer, byte[] value, AsOf asOf) {
        Matcher record = match(FIRST, value);
        return progress(buyer, record.group("key"), record, asOf);
    }

    /** The units of a buyer, reserved and sold, in the record of the first reservation. */
    static long unitsOfBuyer(byte[] first) {
        return Long.parseLong(match(FIRST, first).group("held"));
    }

    /** A further reservation of a buyer. */
    static Progress further(String buyer, String key, byte[] value, AsOf asOf) {
        return progress(buyer, key, match(FURTHER, value), asOf);
    }

    private static Matcher match(Pattern form, byte[] value) {
        Matcher record = form.matcher(new String(value, UTF_8));
        if (!record.matches()) {
            throw new IllegalStateException("damaged record of a reservation");
        }
        return record;
    }

    private static Progress progress(String buyer, String key, Matcher record, AsOf asOf) {
        Instant expiresAt = Instant.ofEpochMilli(Long.parseLong(record.group("due")));
        Outcome state = outcome(record.group("state").charAt(0));
        Reservation reservation = new Reservation(
                new ReservationId(buyer, key.isEmpty() ? buyer : key),
                Integer.parseInt(record.group("quantity")),
                state,
                expiresAt);
        String longer = record.group("longer");
        long sequence = Long.parseLong(record.group("sequence"));
        return new Progress(
                reservation,
                expiresAt.minusMillis(
                        asOf.holdMillis() + (longer == null ? 0 : Long.parseLong(longer))),
                sequence,
                sequence <= asOf.acknowledged());
    }

    /** The letter of a state. */
    static char code(Outcome state) {
        return switch (state) {
            case RESERVED -> 'R';
            case CONFIRMED -> 'C';
            case CANCELLED -> 'X';
            case EXPIRED -> 'E';
            default -> throw new IllegalArgumentException("no state: " + state);
        };
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
