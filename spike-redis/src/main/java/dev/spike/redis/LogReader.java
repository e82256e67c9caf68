package dev.spike.redis;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

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
        String kind = Stream.of("reserve", "settle", "restore")
                .filter(fields::containsKey)
                .findFirst()
                .orElse(null);
        if (kind == null) {
            return List.of();
        }
        // Of those that were made before, the codes are small, but in a settlement.
        String made = kind.equals("settle") ? "" : "RCXE";
        String settled = kind.equals("settle") ? "CXE" : "cxe";
        List<?> batch = (List<?>) MessagePack.read(field(fields, kind));
        String codes = Replies.text(field(fields, "codes"));
        Iterator<String> ended = kind.equals("reserve")
                ? Collections.emptyIterator()
                : List.of(Replies.text(field(fields, "ended")).split(",", -1)).iterator();
        List<OrderEvent> events = new ArrayList<>();
        for (int i = 0; i < codes.length(); i++) {
            char code = codes.charAt(i);
            ReservationId id = id(Replies.list(batch.get(0)), Replies.list(batch.get(1)), i);
            if (made.indexOf(code) >= 0) {
                int quantity = Math.toIntExact((Long) Replies.list(batch.get(2)).get(i));
                events.add(new OrderEvent(sequence, id, quantity, Outcome.RESERVED, at, at));
                if (code != 'R') {
                    events.add(
                            new OrderEvent(sequence, id, quantity, Records.outcome(code), at, at));
                }
            } else if (!kind.equals("reserve") && settled.indexOf(code) >= 0) {
                String[] told = ended.next().split(" ", -1);
                events.add(new OrderEvent(
                        sequence,
                        id,
                        Integer.parseInt(told[0]),
                        Records.outcome(code),
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
