package dev.spike.redis;

import static dev.spike.redis.Replies.bytes;
import static dev.spike.redis.Replies.instant;
import static dev.spike.redis.Replies.number;
import static dev.spike.redis.Replies.optionalInstant;
import static dev.spike.redis.Replies.text;

import dev.spike.core.Levels;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.UnifiedJedis;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The stock of one sale in Redis, version 7.0 or later, or Valkey: each call is one Lua script, and
 * so one atomic step.
 *
 * <p>The keys of a sale are {@code spike:{sale}:stock}, {@code spike:{sale}:reservations} and
 * {@code spike:{sale}:log}, and {@code spike:{sale}:dead} once a relay put something aside, in one
 * cluster slot. The scripts beside this class say what they hold. Safe for use by many threads, as
 * far as the client is; each call borrows one connection. The client is the caller's to close.
 */
public final class RedisSpike implements RemoteSpike, OrderLog.Source {

    private static final Script OPEN = Script.of("open.lua");
    private static final Script RESERVE = Script.of("reserve.lua");
    private static final Script SETTLE = Script.of("settle.lua");
    private static final Script EXPIRE = Script.of("expire.lua");
    private static final Script RESTOCK = Script.of("restock.lua");
    private static final Script HOURS = Script.of("hours.lua");
    private static final Script RESTORE = Script.of("restore.lua");
    private static final Script CORRECT = Script.of("correct.lua");
    private static final Script LEVELS = Script.of("levels.lua");
    private static final Script FIND = Script.of("find.lua");
    private static final Script PAGE = Script.of("page.lua");
    private static final Script BUYER = Script.of("buyer.lua");
    private static final Script LOG = Script.of("log.lua");
    private static final byte[] PAGE_SIZE = bytes("512");
    private static final Pattern BUYER_CURSOR = Pattern.compile("k[A-Za-z0-9_-]{0,64}");

    private final UnifiedJedis jedis;

    /** Whose client that is; null: the caller's own. */
    private final @Nullable RedisStore store;

    private final String saleId;
    private final @Nullable Adoption adoption;
    private final @Nullable Replicas replicas;
    private final byte[] stock;
    private final List<byte[]> keys = new ArrayList<>();

    /** The stock and the reservations. */
    private final List<byte[]> recordKeys;

    /**
     * The stock of a sale, which need not be open yet.
     *
     * @param jedis a client of a server that {@link RedisStore} would accept
     * @param saleId 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @param adoption the stock hash prepared by hand that the sale is opened over; null: none
     */
    public RedisSpike(UnifiedJedis jedis, String saleId, @Nullable Adoption adoption) {
        this(jedis, null, saleId, adoption, null);
    }

    RedisSpike(RedisStore store, String saleId, @Nullable Adoption adoption) {
        this(store.client(), store, saleId, adoption, null);
    }

    private RedisSpike(
            UnifiedJedis jedis,
            @Nullable RedisStore store,
            String saleId,
            @Nullable Adoption adoption,
            @Nullable Replicas replicas) {
        this.replicas = replicas;
        this.jedis = jedis;
        this.store = store;
        this.saleId = Sale.requireId(saleId);
        this.adoption = adoption;
        this.stock = key("stock");
        keys.addAll(List.of(stock, key("reservations"), key("log")));
        this.recordKeys = List.copyOf(keys.subList(0, 2));
        if (adoption != null) {
            keys.add(bytes(adoption.key()));
        }
    }

    /**
     * The same stock, of which a change counts as done only once so many replicas have it (WAIT).
     * With fewer the call fails as {@link dev.spike.core.RemoteSpikeException.Kind#UNKNOWN}: it is
     * done, and may be lost if the master dies. It is also asked for when a repeat finds that a
     * change was made before. What is only read, and a sweep, wait for nothing.
     *
     * <p>A fail-over keeps every answered change if each replica that may be promoted is among
     * them, so count all of them. Costs a round trip to the replicas for each call.
     *
     * <p>The first time for a {@link RedisStore}, it asks each server whether the user may wait,
     * blocking.
     *
     * @param count of replicas, at least 1
     * @param within how long to wait for them, at least 1 ms; less than the client's socket timeout
     * @return another one over the same client; this one waits for no replicas
     * @throws IllegalArgumentException if count or within is out of its range
     * @throws IllegalStateException if the user of the {@link RedisStore} may not; the message says
     *     what to do
     * @throws dev.spike.core.RemoteSpikeException if it cannot be asked
     */
    public RedisSpike acknowledgedBy(int count, Duration within) {
        Replicas some = new Replicas(count, within);
        if (store != null) {
            store.requireWithReplicas();
        }
        return new RedisSpike(jedis, store, saleId, adoption, some);
    }

    @Override
    public String saleId() {
        return saleId;
    }

    @Override
    public Opening open(Sale sale) {
        return open(sale, false);
    }

    @Override
    public Opening openClosed(Sale sale) {
        return open(sale, true);
    }

    private Opening open(Sale sale, boolean closed) {
        if (!sale.id().equals(saleId)) {
            throw new IllegalArgumentException(
                    "must be the sale " + saleId + ": sale=" + sale.id());
        }
        List<byte[]> args = new ArrayList<>(List.of(
                bytes(UUID.randomUUID().toString()),
                bytes(sale.total()),
                bytes(sale.perBuyer()),
                bytes(sale.hold().toMillis()),
                bytes(sale.maxHold().toMillis()),
                bytes(millis(sale.opensAt())),
                bytes(millis(sale.closesAt())),
                bytes(closed ? "1" : "")));
        if (adoption != null) {
            args.add(bytes(adoption.totalField()));
            args.add(bytes(adoption.soldField()));
        }
        return OPEN.run(jedis, replicas, keys, args, reply -> Replies.opening(text(reply.get(0))));
    }

    @Override
    public @Nullable Sale sale() {
        List<byte[]> rules = Failures.translate(
                jedis,
                () -> jedis.hmget(
                        stock,
                        bytes("schema"),
                        bytes("total"),
                        bytes("per_buyer"),
                        bytes("hold_ms"),
                        bytes("max_hold_ms"),
                        bytes("opens_at_ms"),
                        bytes("closes_at_ms")));
        return rules.get(0) == null && rules.get(1) == null
                ? null
                : Failures.read(() -> new Sale(
                        saleId,
                        number(rules.get(1)),
                        (int) number(rules.get(2)),
                        Duration.ofMillis(number(rules.get(3))),
                        Duration.ofMillis(number(rules.get(4))),
                        optionalInstant(rules.get(5)),
                        optionalInstant(rules.get(6))));
    }

    @Override
    public long soldBefore() {
        List<byte[]> fields = Failures.translate(
                jedis, () -> jedis.hmget(stock, bytes("schema"), bytes("adopted_sold")));
        return fields.get(0) == null && fields.get(1) == null
                ? 0
                : Failures.read(() -> number(fields.get(1)));
    }

    @Override
    public Levels levels() {
        return LEVELS.run(jedis, List.of(stock), List.of(), Replies::levels);
    }

    @Override
    public Reply reserve(List<Request> batch, long notAfterMillis) {
        MessagePack packed = pack(batch.stream().map(Request::id).toList()).array(batch.size());
        batch.forEach(request -> packed.integer(request.quantity()));
        List<byte[]> args = args(notAfterMillis, packed);
        return RESERVE.run(jedis, replicas, keys, args, reply -> Replies.reserved(batch, reply));
    }

    @Override
    public Reply settle(List<Settlement> batch, long notAfterMillis) {
        StringBuilder wishes = new StringBuilder();
        batch.forEach(settlement -> wishes.append(wish(settlement.to())));
        MessagePack packed =
                pack(batch.stream().map(Settlement::id).toList()).string(wishes.toString());
        List<byte[]> args = args(notAfterMillis, packed);
        return SETTLE.run(jedis, replicas, keys, args, reply -> Replies.settled(batch, reply));
    }

    private static char wish(Outcome to) {
        return switch (to) {
            case CONFIRMED -> 'C';
            case CANCELLED -> 'X';
            case RESERVED -> 'R';
            default -> throw new IllegalArgumentException("no wish: " + to);
        };
    }

    @Override
    public Sweep expire() {
        return EXPIRE.run(jedis, keys, List.of(), reply -> {
            Levels levels = Replies.levels(reply);
            return reply.size() == Replies.LEVELS
                    ? new Sweep(levels, 0, false, null)
                    : new Sweep(
                            levels,
                            (int) number(reply.get(Replies.LEVELS)),
                            number(reply.get(Replies.LEVELS + 1)) == 1,
                            optionalInstant(reply.get(Replies.LEVELS + 2)));
        });
    }

    @Override
    public Restock restock(Operation operation) {
        List<byte[]> args =
                List.of(bytes(operation.id()), bytes(operation.delta()), bytes(Sale.MAX_TOTAL));
        return RESTOCK.run(jedis, replicas, keys, args, reply -> {
            Levels levels = Replies.levels(reply);
            return reply.size() == Replies.LEVELS
                    ? new Restock(Restock.Effect.ABSENT, 0, levels)
                    : new Restock(
                            Replies.effect(text(reply.get(Replies.LEVELS))),
                            number(reply.get(Replies.LEVELS + 1)),
                            levels);
        });
    }

    @Override
    public Levels closeSale() {
        return HOURS.run(jedis, replicas, keys, List.of(bytes("close")), Replies::levels);
    }

    @Override
    public Levels reopenSale() {
        return HOURS.run(jedis, replicas, keys, List.of(bytes("reopen")), Replies::levels);
    }

    @Override
    public @Nullable Progress find(ReservationId id) {
        String key = Records.storedKey(id);
        List<byte[]> args = List.of(bytes(id.buyer()), bytes(key));
        return FIND.run(jedis, recordKeys, args, reply -> {
            Progress found = found(id, key, reply);
            return found == null ? null : found.asOf(instant(reply.get(0)));
        });
    }

    private static @Nullable Progress found(ReservationId id, String key, List<?> reply) {
        if (reply.get(3) instanceof byte[] first) {
            Progress progress = Records.first(id.buyer(), first, asOf(reply));
            if (progress.reservation().id().equals(id)) {
                return progress;
            }
        }
        return reply.get(4) instanceof byte[] further
                ? Records.further(id.buyer(), key, further, asOf(reply))
                : null;
    }

    @Override
    public Page reservations(@Nullable String cursor) {
        List<byte[]> args = List.of(bytes(cursor == null ? "0" : cursor), PAGE_SIZE);
        return PAGE.run(jedis, recordKeys, args, reply -> page(reply, "0"));
    }

    @Override
    public Page reservationsOf(String buyer, @Nullable String cursor) {
        ReservationId.requireBuyer(buyer);
        if (cursor != null && !BUYER_CURSOR.matcher(cursor).matches()) {
            throw new IllegalArgumentException("must be the next of a page: cursor=" + cursor);
        }
        List<byte[]> args = List.of(bytes(buyer), bytes(cursor == null ? "" : cursor));
        return BUYER.run(jedis, recordKeys, args, reply -> page(reply, ""));
    }

    private static Page page(List<?> reply, String last) {
        Records.AsOf asOf = asOf(reply);
        String next = text(reply.get(3));
        Iterator<?> records = Replies.list(reply.get(4)).iterator();
        List<Progress> page = new ArrayList<>();
        Map<String, Long> unitsOfBuyers = new HashMap<>();
        while (records.hasNext()) {
            byte[] field = (byte[]) records.next();
            byte[] value = (byte[]) records.next();
            Progress progress = Records.read(field, value, asOf);
            if (progress != null) {
                page.add(progress);
                String buyer = progress.reservation().id().buyer();
                if (buyer.equals(text(field))) {
                    unitsOfBuyers.put(buyer, Records.unitsOfBuyer(value));
                }
            }
        }
        return new Page(page, unitsOfBuyers, next.equals(last) ? null : next, asOf.now());
    }

    private static Records.AsOf asOf(List<?> reply) {
        boolean isAbsent = reply.get(1) == null || reply.get(2) == null;
        return new Records.AsOf(
                instant(reply.get(0)),
                isAbsent ? 0 : number(reply.get(1)),
                isAbsent ? 0 : number(reply.get(2)));
    }

    @Override
    public List<LogEntry> log(long after) {
        List<byte[]> args = List.of(bytes(after), bytes(LOG_PAGE));
        return LOG.run(
                jedis,
                keys.subList(2, 3),
                args,
                reply -> reply.stream()
                        .map(entry -> LogReader.read(Replies.list(entry)))
                        .toList());
    }

    @Override
    public boolean correct(Correction correction) {
        List<Map.Entry<String, Long>> counts =
                List.copyOf(correction.unitsOfBuyers().entrySet());
        MessagePack packed = new MessagePack(64).array(2).array(counts.size());
        counts.forEach(count -> packed.string(count.getKey()));
        packed.array(counts.size());
        counts.forEach(count -> packed.integer(Math.toIntExact(count.getValue())));
        List<byte[]> args = List.of(
                bytes(correction.sequence()),
                bytes(correction.reserved()),
                bytes(correction.sold()),
                bytes(correction.reservations()),
                packed.bytes());
        String done = CORRECT.run(
                jedis,
                replicas,
                keys,
                args,
                reply ->
                        reply.size() == Replies.LEVELS ? "moved" : text(reply.get(Replies.LEVELS)));
        if (done.equals("exceeds")) {
            throw new IllegalArgumentException("must be at most the total: reserved="
                    + correction.reserved() + " sold=" + correction.sold());
        }
        return done.equals("corrected");
    }

    @Override
    public Restored restore(List<OrderBook.Order> batch) {
        StringBuilder states = new StringBuilder();
        batch.forEach(order -> states.append(Records.code(order.status())));
        MessagePack packed =
                pack(batch.stream().map(OrderBook.Order::id).toList(), 4).array(batch.size());
        batch.forEach(order -> packed.integer(order.quantity()));
        packed.string(states.toString());
        return RESTORE.run(jedis, replicas, keys, List.of(packed.bytes()), Replies::restored);
    }

    @Override
    public OrderLog orderLog(String group, String consumer) {
        return new RedisOrderLog(this, group, consumer);
    }

    UnifiedJedis client() {
        return jedis;
    }

    /** The name of a key of the sale: its stock, its log, and so on. */
    byte[] key(String part) {
        return bytes("spike:{" + saleId + "}:" + part);
    }

    private static List<byte[]> args(long notAfterMillis, MessagePack batch) {
        return List.of(bytes(notAfterMillis), batch.bytes());
    }

    /** The buyers and keys of a batch, and room for one thing more. */
    private static MessagePack pack(List<ReservationId> ids) {
        return pack(ids, 3);
    }

    /** The buyers and keys of a batch, as the first of so many things. */
    private static MessagePack pack(List<ReservationId> ids, int things) {
        if (ids.isEmpty() || ids.size() > MAX_BATCH) {
            throw new IllegalArgumentException(
                    "must be 1 to " + MAX_BATCH + ": batch.size=" + ids.size());
        }
        MessagePack packed = new MessagePack(16 + 64 * ids.size()).array(things).array(ids.size());
        ids.forEach(id -> packed.string(id.buyer()));
        packed.array(ids.size());
        ids.forEach(id -> packed.string(Records.storedKey(id)));
        return packed;
    }

    private static String millis(@Nullable Instant instant) {
        return instant == null ? "" : Long.toString(instant.toEpochMilli());
    }
}
