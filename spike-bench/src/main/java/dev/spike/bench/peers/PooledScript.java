package dev.spike.bench.peers;

import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.RedisClient;

import java.net.URI;
import java.util.List;

/** One script over a pool of Jedis connections, one for each thread that may ask at once. */
final class PooledScript implements AutoCloseable {

    private final RedisClient jedis;
    private final String key;
    private final String sha1;

    /** @param key the only one that the script gets, and that is deleted in the end */
    PooledScript(String uri, String key, String source) {
        this.jedis = client(uri);
        this.key = key;
        this.sha1 = jedis.scriptLoad(source);
    }

    /** Jedis' own default is 8 connections, for which the other threads would have to wait. */
    static RedisClient client(String uri) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(Peer.MAX_THREADS);
        pool.setMaxIdle(Peer.MAX_THREADS);
        URI server = URI.create(uri);
        return RedisClient.builder()
                .hostAndPort(server.getHost(), server.getPort())
                .poolConfig(pool)
                .build();
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
