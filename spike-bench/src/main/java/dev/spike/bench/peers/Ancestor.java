package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;

import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The algorithm of the Go program that had the idea: one lock of the whole process, held while a
 * local counter is checked and then, over the network, the shared one. Its errors of one unit are
 * not here: both checks are {@code sold < total}, and a refused unit goes back.
 */
final class Ancestor implements Peer {

    private static final String SOURCE = """
            local total = tonumber(redis.call('hget', KEYS[1], 'ticket_total_nums'))
            local sold = tonumber(redis.call('hget', KEYS[1], 'ticket_sold_nums'))
            if sold < total then
              redis.call('hincrby', KEYS[1], 'ticket_sold_nums', 1)
              return 1
            end
            return 0""";

    private final String key = "bench-" + UUID.randomUUID();
    private final PooledScript script;
    private final ReentrantLock lock = new ReentrantLock();
    private long localSold;

    Ancestor(BenchRedis redis) {
        script = new PooledScript(redis, key, SOURCE);
        String total = Integer.toString(TOTAL);
        script.jedis().hset(key, Map.of("ticket_total_nums", total, "ticket_sold_nums", "0"));
    }

    @Override
    public boolean takeOne() {
        lock.lock();
        try {
            if (localSold >= TOTAL) {
                return false;
            }
            localSold++;
            boolean isTaken = script.run();
            if (!isTaken) {
                localSold--;
            }
            return isTaken;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long taken() {
        return Long.parseLong(Objects.requireNonNull(script.jedis().hget(key, "ticket_sold_nums")));
    }

    @Override
    public void close() {
        script.close();
    }
}
