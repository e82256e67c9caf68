package dev.spike.bench.scenario;

import dev.spike.redis.RedisStore;

import redis.clients.jedis.ConnectionFactory;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultJedisSocketFactory;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisSocketFactory;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.providers.PooledConnectionProvider;
import redis.clients.jedis.util.JedisURIHelper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One node's own connections to Redis, with the bounds of {@link RedisStore}, which can be cut as
 * the end of a process cuts them: all sockets at once, whatever is under way on them, and no new
 * ones. What was sent before may still run at the server. Safe for use by many threads.
 */
final class Wire implements JedisSocketFactory, AutoCloseable {

    private final DefaultJedisSocketFactory sockets;
    private final UnifiedJedis jedis;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile boolean cut;

    /** @param uri {@code redis://host:port}, also with user, password and database */
    Wire(String uri) {
        URI parsed = URI.create(uri);
        JedisClientConfig config = config(parsed);
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(RedisStore.CONNECTIONS);
        pool.setMaxIdle(RedisStore.CONNECTIONS);
        pool.setMaxWait(Duration.ofMillis(100));
        sockets = new DefaultJedisSocketFactory(JedisURIHelper.getHostAndPort(parsed), config);
        jedis = RedisClient.builder()
                .connectionProvider(
                        new PooledConnectionProvider(new ConnectionFactory(this, config), pool))
                .clientConfig(config)
                .build();
    }

    private static JedisClientConfig config(URI uri) {
        int millis = (int) RedisStore.TIMEOUT.toMillis();
        return DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(millis)
                .socketTimeoutMillis(millis)
                .clientName("spike")
                .user(JedisURIHelper.getUser(uri))
                .password(JedisURIHelper.getPassword(uri))
                .database(JedisURIHelper.getDBIndex(uri))
                .build();
    }

    UnifiedJedis client() {
        return jedis;
    }

    @Override
    public Socket createSocket() {
        open.removeIf(Socket::isClosed);
        if (cut) {
            throw new JedisConnectionException("the wire is cut");
        }
        Socket socket = sockets.createSocket();
        open.add(socket);
        if (cut) {
            end(socket);
        }
        return socket;
    }

    /** Cuts it, at once and for ever. */
    void cut() {
        cut = true;
        open.forEach(Wire::end);
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        jedis.close();
    }
}
