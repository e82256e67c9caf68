package dev.spike.redis;

import static dev.spike.redis.Replies.bytes;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.XPendingParams;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The order log of a sale in Redis, as one consumer of a group sees it. */
final class RedisOrderLog implements OrderLog {

    private static final Script TAKE = Script.of("take.lua");
    private static final Script ACKNOWLEDGE = Script.of("acknowledge.lua");
    private static final Script BURY = Script.of("bury.lua");

    private final UnifiedJedis jedis;
    private final byte[] stock;
    private final byte[] log;
    private final byte[] dead;
    private final byte[] group;
    private final byte[] consumer;

    RedisOrderLog(RedisSpike sale, String group, String consumer) {
        this.jedis = sale.client();
        this.stock = sale.key("stock");
        this.log = sale.key("log");
        this.dead = sale.key("dead");
        this.group = bytes(group);
        this.consumer = bytes(consumer);
    }

    @Override
    public @Nullable Taken takeOwn(long after, int most) {
        return take("own", after + "-0", most);
    }

    @Override
    public List<Long> pending(long after, int most) {
        XPendingParams own =
                XPendingParams.xPendingParams("(" + after + "-0", "+", most).consumer(consumer);
        List<Object> entries = Failures.translate(jedis, () -> {
            try {
                return jedis.xpending(log, group, own);
            } catch (JedisDataException error) {
                if (String.valueOf(error.getMessage()).startsWith("NOGROUP")) {
                    return List.of();
                }
                throw error;
            }
        });
        return Failures.read(() -> entries.stream()
                .map(entry -> LogReader.sequence(LogReader.id(Replies.list(entry))))
                .toList());
    }

    @Override
    public @Nullable Taken takeIdle(Duration idle, int most) {
        return take("idle", Long.toString(idle.toMillis()), most);
    }

    @Override
    public @Nullable Taken takeNew(int most) {
        return take("new", "", most);
    }

    /** Null if there is no such sale. */
    private @Nullable Taken take(String which, String from, int most) {
        List<byte[]> args = List.of(group, consumer, bytes(which), bytes(from), bytes(most));
        return TAKE.run(jedis, List.of(stock, log), args, reply -> {
            if (reply.isEmpty()) {
                return null;
            }
            List<LogEntry> entries = new ArrayList<>();
            Map<Long, String> unreadable = new TreeMap<>();
            for (Object entry : Replies.list(reply.get(3))) {
                try {
                    entries.add(LogReader.read(Replies.list(entry)));
                } catch (RuntimeException malformed) {
                    String id = LogReader.id(Replies.list(entry));
                    unreadable.put(LogReader.sequence(id), "unreadable: " + malformed);
                }
            }
            long soldBefore = Replies.number(reply.get(1));
            long total = entries.stream()
                    .mapToLong(entry -> entry.total() - soldBefore)
                    .reduce(Replies.number(reply.get(0)), Math::max);
            return new Taken(total, entries, unreadable);
        });
    }

    @Override
    public @Nullable Lag acknowledge(List<Long> sequences) {
        if (sequences.size() > MAX_ACKNOWLEDGED) {
            throw new IllegalArgumentException(
                    "must be <= " + MAX_ACKNOWLEDGED + ": sequences.size=" + sequences.size());
        }
        List<byte[]> args = new ArrayList<>(sequences.size() + 1);
        args.add(group);
        sequences.forEach(sequence -> args.add(bytes(sequence + "-0")));
        return ACKNOWLEDGE.run(jedis, List.of(stock, log, dead), args, reply -> {
            if (reply.isEmpty()) {
                return null;
            }
            long events = Replies.number(reply.get(0));
            Instant oldest = Replies.optionalInstant(reply.get(1));
            Instant now = Replies.instant(reply.get(2));
            return new Lag(
                    events,
                    events == 0 || oldest == null || oldest.isAfter(now)
                            ? Duration.ZERO
                            : Duration.between(oldest, now),
                    Replies.number(reply.get(3)));
        });
    }

    @Override
    public Burial bury(long sequence, List<Dead> events, @Nullable Duration triedFor) {
        List<byte[]> args = new ArrayList<>(List.of(
                group,
                bytes(sequence + "-0"),
                consumer,
                bytes(triedFor == null ? "" : triedFor.toMillis())));
        for (Dead one : events) {
            OrderEvent event = one.event();
            args.add(bytes(event == null ? "" : event.id()));
            args.add(bytes(event == null ? "" : event.id().buyer()));
            args.add(bytes(event == null ? "" : event.id().key()));
            args.add(bytes(event == null ? "" : event.quantity()));
            args.add(bytes(event == null ? "" : event.state()));
            args.add(bytes(event == null ? "" : event.reservedAt().toEpochMilli()));
            args.add(bytes(one.error()));
        }
        return BURY.run(
                jedis, List.of(log, dead), args, reply -> burial(Replies.text(reply.get(0))));
    }

    private static Burial burial(String done) {
        return switch (done) {
            case "done" -> Burial.DONE;
            case "not_yet" -> Burial.NOT_YET;
            case "not_needed" -> Burial.NOT_NEEDED;
            default -> throw new IllegalStateException("unknown burial " + done);
        };
    }
}
