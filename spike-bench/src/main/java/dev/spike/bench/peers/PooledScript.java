package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;

import redis.clients.jedis.RedisClient;

import java.util.List;

/** One script over a pool of Jedis connections, one for each thread that may ask at once. */
final class PooledScript implements AutoCloseable {

    private final RedisClient jedis;
    private final String key;
    private final String sha1;

    /** @param key the only one that the script gets, and that is deleted in the end */
    PooledScript(BenchRedis redis, String key, String source) {
        this.jedis = redis.client(Peer.MAX_THREADS);
        this.key = key;
        this.sha1 = jedis.scriptLoad(source);
    }

    RedisClient jedis() {
        return jedis;
    }

    /** Whether the script returns 1. */
    boolean run(String... args) {
        return Long.valueOf(1).equals(jedis.evalsha(sha1, List.of(key), List.of(args)));
    }

    @Override
    public void close() {
        jedis.del(key);
        jedis.close();
    }
}
