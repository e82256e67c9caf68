package dev.spike.bench.fault;

import dev.spike.core.LogEntry;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.redis.RedisStore;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.exceptions.JedisException;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/**
 * Watches a sale in its Redis: samples the levels, and reads the whole order log along, before it
 * is trimmed. A group of its own keeps entries there until they are read.
 */
final class Witness implements AutoCloseable {

    private static final String GROUP = "witness";
    private static final long PAUSE_NANOS = 50_000_000;

    /** The levels of one instant, as the fields of the stock tell them. */
    record Sample(long total, long available, long reserved, long sold, long sequence) {

        boolean balances() {
            return total == available + reserved + sold
                    && available >= 0
                    && reserved >= 0
                    && sold >= 0;
        }
    }

    private final Installation site;
    private final String stock;
    private final String log;
    private final RedisStore store;
    private final RemoteSpike sale;
    private final List<Change> changes = new ArrayList<>();
    private final Set<String> unbalanced = new TreeSet<>();
    private final Thread thread = new Thread(this::watch, "witness");
    private long samples;
    private volatile @Nullable Throwable failure;
    private volatile boolean closing;

    /** Opens the sale, and watches it from now on. */
    Witness(Installation site, Sale rules) {
        this.site = site;
        this.stock = "spike:{" + rules.id() + "}:stock";
        this.log = "spike:{" + rules.id() + "}:log";
        this.store = RedisStore.connect(site.redisUri());
        this.sale = store.sale(rules.id());
        sale.open(rules);
        try (Jedis jedis = site.jedis()) {
            // Before any node trims it.
            jedis.xgroupCreate(log, GROUP, new StreamEntryID(0, 0), false);
        }
        thread.setDaemon(true);
        thread.start();
    }

    private void watch() {
        while (!closing) {
            try {
                look();
                LockSupport.parkNanos(PAUSE_NANOS);
            } catch (JedisException | RemoteSpikeException away) {
                LockSupport.parkNanos(PAUSE_NANOS);
            } catch (RuntimeException | Error unexpected) {
                failure = unexpected;
                return;
            }
        }
    }

    /** Samples on one connection until it breaks. */
    private void look() {
        try (Jedis jedis = site.jedis()) {
            while (!closing) {
                sample(jedis);
                readOn(jedis);
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private synchronized Sample sample(Jedis jedis) {
        List<String> fields =
                jedis.hmget(stock, "total", "available", "reserved", "sold", "sequence");
        if (fields.contains(null)) {
            throw new IllegalStateException("the stock is lost: " + fields);
        }
        long[] levels = fields.stream().mapToLong(Long::parseLong).toArray();
        Sample sample = new Sample(levels[0], levels[1], levels[2], levels[3], levels[4]);
        samples++;
        if (!sample.balances()) {
            unbalanced.add("the levels do not balance: " + sample);
        }
        return sample;
    }

    private synchronized void readOn(Jedis jedis) {
        List<LogEntry> page = sale.log(lastRead());
        for (LogEntry entry : page) {
            changes.add(new Change(entry, kind(jedis, entry)));
        }
        if (!page.isEmpty()) {
            jedis.xgroupSetID(log, GROUP, new StreamEntryID(lastRead(), 0));
        }
    }

    private long lastRead() {
        return changes.isEmpty() ? 0 : changes.get(changes.size() - 1).entry().sequence();
    }

    private Change.Kind kind(Jedis jedis, LogEntry entry) {
        if (!entry.events().isEmpty()) {
            return Change.Kind.RESERVATIONS;
        }
        StreamEntryID id = new StreamEntryID(entry.sequence(), 0);
        Set<String> fields = jedis.xrange(log, id, id, 1).get(0).getFields().keySet();
        if (fields.contains("restock") || fields.contains("open")) {
            return Change.Kind.TOTAL;
        } else if (fields.contains("close")) {
            return Change.Kind.CLOSE;
        }
        return fields.contains("reopen") ? Change.Kind.REOPEN : Change.Kind.RESERVATIONS;
    }

    /** The levels now, and the log read up to them; Redis must be well. Blocks. */
    synchronized Sample now() {
        if (failure != null) {
            throw new IllegalStateException(failure);
        }
        try (Jedis jedis = site.jedis()) {
            Sample sample = sample(jedis);
            while (lastRead() < sample.sequence()) {
                readOn(jedis);
            }
            return sample;
        }
    }

    /** The whole log as far as it was read. */
    synchronized List<Change> changes() {
        return List.copyOf(changes);
    }

    /** How often the levels were looked at. */
    synchronized long samples() {
        return samples;
    }

    /** Levels that did not balance, in words. */
    synchronized List<String> unbalanced() {
        return List.copyOf(unbalanced);
    }

    /** All reservations as they are recorded. Blocks. */
    List<Reservation> reservations() {
        // A page may tell again what another one told.
        Map<ReservationId, Reservation> reservations = new LinkedHashMap<>();
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = sale.reservations(cursor);
            for (Progress progress : page.reservations()) {
                reservations.put(progress.reservation().id(), progress.reservation());
            }
            cursor = page.next();
        } while (cursor != null);
        return List.copyOf(reservations.values());
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join(20_000);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        store.close();
    }
}
