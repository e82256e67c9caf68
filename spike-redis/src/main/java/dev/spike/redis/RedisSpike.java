package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.UnifiedJedis;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;

/**
 * The stock of one sale in Redis, version 7.0 or later, or Valkey: each call is one Lua script, and
 * so one atomic step.
 *
 * <p>The keys of a sale are {@code spike:{sale}:stock}, {@code spike:{sale}:reservations} and
 * {@code spike:{sale}:log}, in one cluster slot. The scripts beside this class say what they hold.
 * Safe for use by many threads, as far as the client is; each call borrows one connection. The
 * client is the caller's to close.
 */
public final class RedisSpike implements RemoteSpike {

    private static final Script OPEN = Script.of("open.lua");
    private static final Script RESERVE = Script.of("reserve.lua");
    private static final Script SETTLE = Script.of("settle.lua");
    private static final Script LEVELS = Script.of("levels.lua");
    private static final Script FIND = Script.of("find.lua");
    private static final Script PAGE = Script.of("page.lua");
    private static final byte[] PAGE_SIZE = bytes("512");

    /** The length of a reply that tells the levels alone. */
    private static final int LEVELS_SIZE = 8;

    private final UnifiedJedis jedis;
    private final String saleId;
    private final @Nullable Adoption adoption;
    private final byte[] stock;
    private final byte[] reservations;
    private final List<byte[]> keys = new ArrayList<>();

    /**
     * The stock of a sale, which need not be open yet.
     *
     * @param jedis a client of a server that {@link RedisStore} would accept
     * @param saleId 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @param adoption the stock hash prepared by hand that the sale is opened over; null: none
     */
    public RedisSpike(UnifiedJedis jedis, String saleId, @Nullable Adoption adoption) {
        this.jedis = jedis;
        this.saleId = Sale.requireId(saleId);
        this.adoption = adoption;
        this.stock = bytes("spike:{" + saleId + "}:stock");
        this.reservations = bytes("spike:{" + saleId + "}:reservations");
        keys.addAll(List.of(stock, reservations, bytes("spike:{" + saleId + "}:log")));
        if (adoption != null) {
            keys.add(bytes(adoption.key()));
        }
    }

    @Override
    public String saleId() {
        return saleId;
    }

    @Override
    public Opening open(Sale sale) {
        if (!sale.id().equals(saleId)) {
            throw new IllegalArgumentException(
                    "must be the sale " + saleId + ": sale=" + sale.id());
        }
        List<byte[]> args = new ArrayList<>(List.of(
                bytes(UUID.randomUUID().toString()),
                bytes(sale.total()),
                bytes(sale.perBuyer()),
                bytes(sale.hold().toMillis()),
                bytes(millis(sale.opensAt())),
                bytes(millis(sale.closesAt()))));
        if (adoption != null) {
            args.add(bytes(adoption.totalField()));
            args.add(bytes(adoption.soldField()));
        }
        return OPEN.run(jedis, keys, args, reply -> opening(text(reply.get(0))));
    }

    private static Opening opening(String opening) {
        return switch (opening) {
            case "opened" -> Opening.OPENED;
            case "already_open" -> Opening.ALREADY_OPEN;
            case "other_rules" -> Opening.OTHER_RULES;
            default -> throw new IllegalStateException("unknown opening " + opening);
        };
    }

    @Override
    public @Nullable Sale sale() {
        List<byte[]> rules = Failures.translate(
                jedis,
                () -> jedis.hmget(
                        stock,
                        bytes("total"),
                        bytes("per_buyer"),
                        bytes("hold_ms"),
                        bytes("opens_at_ms"),
                        bytes("closes_at_ms")));
        return rules.get(0) == null
                ? null
                : Failures.read(() -> new Sale(
                        saleId,
                        number(rules.get(0)),
                        (int) number(rules.get(1)),
                        Duration.ofMillis(number(rules.get(2))),
                        optionalInstant(rules.get(3)),
                        optionalInstant(rules.get(4))));
    }

    @Override
    public Levels levels() {
        return LEVELS.run(jedis, List.of(stock), List.of(), RedisSpike::levels);
    }

    @Override
    public Reply reserve(List<Request> batch, long notAfterMillis) {
        MessagePack packed = pack(batch.stream().map(Request::id).toList()).array(batch.size());
        batch.forEach(request -> packed.integer(request.quantity()));
        List<byte[]> args = args(notAfterMillis, packed);
        return RESERVE.run(jedis, keys, args, reply -> reserved(batch, reply));
    }

    private static Reply reserved(List<Request> batch, List<?> reply) {
        Levels levels = levels(reply);
        if (reply.size() == LEVELS_SIZE) {
            return levels.phase() == Levels.Phase.ABSENT
                    ? answered(levels, batch.size(), Outcome.NOT_OPEN)
                    : late(levels);
        }
        String codes = text(reply.get(8));
        Instant newDeadline = instant(reply.get(9));
        Iterator<?> oldDeadlines = ((List<?>) reply.get(10)).iterator();
        List<Answer> answers = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            Outcome outcome = Records.outcome(codes.charAt(i));
            boolean repeated = Character.isLowerCase(codes.charAt(i));
            if (repeated || outcome == Outcome.RESERVED) {
                Instant deadline = repeated ? instant(oldDeadlines.next()) : newDeadline;
                Request request = batch.get(i);
                answers.add(Answer.of(
                        new Reservation(request.id(), request.quantity(), outcome, deadline),
                        repeated));
            } else {
                answers.add(Answer.of(outcome));
            }
        }
        return new Reply(levels, answers, false);
    }

    @Override
    public Reply settle(List<Settlement> batch, long notAfterMillis) {
        StringBuilder ends = new StringBuilder();
        batch.forEach(settlement -> ends.append(settlement.to() == Outcome.CONFIRMED ? 'C' : 'X'));
        MessagePack packed =
                pack(batch.stream().map(Settlement::id).toList()).string(ends.toString());
        List<byte[]> args = args(notAfterMillis, packed);
        return SETTLE.run(jedis, keys, args, reply -> settled(batch, reply));
    }

    private static Reply settled(List<Settlement> batch, List<?> reply) {
        Levels levels = levels(reply);
        if (reply.size() == LEVELS_SIZE) {
            return levels.phase() == Levels.Phase.ABSENT
                    ? answered(levels, batch.size(), Outcome.NOT_FOUND)
                    : late(levels);
        }
        String codes = text(reply.get(8));
        Iterator<?> found = ((List<?>) reply.get(9)).iterator();
        List<Answer> answers = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            Outcome outcome = Records.outcome(codes.charAt(i));
            if (outcome == Outcome.NOT_FOUND) {
                answers.add(Answer.of(outcome));
            } else {
                int quantity = (int) number(found.next());
                Reservation settled = new Reservation(
                        batch.get(i).id(), quantity, outcome, instant(found.next()));
                answers.add(Answer.of(settled, Character.isLowerCase(codes.charAt(i))));
            }
        }
        return new Reply(levels, answers, false);
    }

    @Override
    public @Nullable Reservation find(ReservationId id) {
        String key = Records.storedKey(id);
        List<byte[]> args = List.of(bytes(id.buyer()), bytes(key));
        return FIND.run(jedis, List.of(reservations), args, reply -> found(id, key, reply));
    }

    private static @Nullable Reservation found(ReservationId id, String key, List<?> reply) {
        Instant now = instant(reply.get(0));
        if (reply.get(1) instanceof byte[] first) {
            Reservation reservation = Records.first(id.buyer(), first, now);
            if (reservation.id().equals(id)) {
                return reservation;
            }
        }
        return reply.get(2) instanceof byte[] further
                ? Records.further(id.buyer(), key, further, now)
                : null;
    }

    @Override
    public Page reservations(@Nullable String cursor) {
        List<byte[]> args = List.of(bytes(cursor == null ? "0" : cursor), PAGE_SIZE);
        return PAGE.run(jedis, List.of(reservations), args, RedisSpike::page);
    }

    private static Page page(List<?> reply) {
        Instant now = instant(reply.get(0));
        String next = text(reply.get(1));
        Iterator<?> records = ((List<?>) reply.get(2)).iterator();
        List<Reservation> page = new ArrayList<>();
        while (records.hasNext()) {
            Reservation reservation =
                    Records.read((byte[]) records.next(), (byte[]) records.next(), now);
            if (reservation != null) {
                page.add(reservation);
            }
        }
        return new Page(page, next.equals("0") ? null : next);
    }

    private List<byte[]> args(long notAfterMillis, MessagePack batch) {
        byte[] notAfter = bytes(Long.toString(notAfterMillis));
        return adoption == null
                ? List.of(notAfter, batch.bytes())
                : List.of(notAfter, batch.bytes(), bytes(adoption.soldField()));
    }

    /** The buyers and keys of a batch, and room for one thing more. */
    private static MessagePack pack(List<ReservationId> ids) {
        if (ids.isEmpty() || ids.size() > MAX_BATCH) {
            throw new IllegalArgumentException(
                    "must be 1 to " + MAX_BATCH + ": batch.size=" + ids.size());
        }
        MessagePack packed = new MessagePack(16 + 64 * ids.size()).array(3).array(ids.size());
        ids.forEach(id -> packed.string(id.buyer()));
        packed.array(ids.size());
        ids.forEach(id -> packed.string(Records.storedKey(id)));
        return packed;
    }

    private static Levels levels(List<?> reply) {
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
                instant(reply.get(7)));
    }

    private static Reply late(Levels levels) {
        return new Reply(levels, List.of(), true);
    }

    private static Reply answered(Levels levels, int requests, Outcome outcome) {
        return new Reply(levels, Collections.nCopies(requests, Answer.of(outcome)), false);
    }

    private static String millis(@Nullable Instant instant) {
        return instant == null ? "" : Long.toString(instant.toEpochMilli());
    }

    private static @Nullable Instant optionalInstant(byte[] text) {
        return text.length == 0 ? null : instant(text);
    }

    private static Instant instant(Object millis) {
        return Instant.ofEpochMilli(number(millis));
    }

    private static long number(Object reply) {
        return reply instanceof Long number ? number : Long.parseLong(text(reply));
    }

    private static String text(Object reply) {
        return new String((byte[]) reply, UTF_8);
    }

    private static byte[] bytes(Object value) {
        return String.valueOf(value).getBytes(UTF_8);
    }
}
