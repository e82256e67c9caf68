package dev.spike.redis;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads entries of the log, whose form {@code log.lua} describes. */
final class LogReader {

    private LogReader() {}

    /**
     * Reads an entry.
     *
     * @param entry its id, and its fields and values in turn
     * @throws RuntimeException if it is malformed
     */
    static LogEntry read(List<?> entry) {
        long sequence = sequence(id(entry));
        Map<String, byte[]> fields = new HashMap<>();
        List<?> flat = Replies.list(entry.get(1));
        for (int i = 0; i < flat.size(); i += 2) {
            fields.put(Replies.text(flat.get(i)), (byte[]) flat.get(i + 1));
        }
        Instant at = Replies.instant(field(fields, "t"));
        String[] levels = Replies.text(field(fields, "levels")).split(" ", -1);
        return new LogEntry(
                sequence,
                at,
                Long.parseLong(levels[0]),
                Long.parseLong(levels[1]),
                Long.parseLong(levels[2]),
                events(sequence, at, fields));
    }

    /** The id of an entry: its sequence and {@code -0}. */
    static String id(List<?> entry) {
        return Replies.text(entry.get(0));
    }

    static long sequence(String id) {
        return Long.parseLong(id.substring(0, id.indexOf('-')));
    }

    private static List<OrderEvent> events(long sequence, Instant at, Map<String, byte[]> fields) {
        boolean isReserve = fields.containsKey("reserve");
        if (!isReserve && !fields.containsKey("settle")) {
            return List.of();
        }
        List<?> batch = (List<?>) MessagePack.read(field(fields, isReserve ? "reserve" : "settle"));
        String codes = Replies.text(field(fields, "codes"));
        String[] ended =
                isReserve ? new String[0] : Replies.text(field(fields, "ended")).split(",", -1);
        List<OrderEvent> events = new ArrayList<>();
        for (int i = 0; i < codes.length(); i++) {
            ReservationId id = id(Replies.list(batch.get(0)), Replies.list(batch.get(1)), i);
            if (isReserve && codes.charAt(i) == 'R') {
                long quantity = (Long) Replies.list(batch.get(2)).get(i);
                events.add(new OrderEvent(
                        sequence, id, Math.toIntExact(quantity), Outcome.RESERVED, at, at));
            } else if (!isReserve && "CXE".indexOf(codes.charAt(i)) >= 0) {
                String[] told = ended[events.size()].split(" ", -1);
                events.add(new OrderEvent(
                        sequence,
                        id,
                        Integer.parseInt(told[0]),
                        Records.outcome(codes.charAt(i)),
                        Instant.ofEpochMilli(Long.parseLong(told[1])),
                        at));
            }
        }
        return events;
    }

    private static ReservationId id(List<?> buyers, List<?> keys, int i) {
        String buyer = (String) buyers.get(i);
        String key = (String) keys.get(i);
        return new ReservationId(buyer, key.isEmpty() ? buyer : key);
    }

    private static byte[] field(Map<String, byte[]> fields, String name) {
        byte @Nullable [] value = fields.get(name);
        if (value == null) {
            throw new IllegalStateException("a log entry without " + name);
        }
        return value;
    }
}
