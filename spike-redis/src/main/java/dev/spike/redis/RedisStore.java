package dev.spike.redis;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.Pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * A connection to the Redis, version 7.0 or later, or Valkey, that holds the shared stocks: a pool
 * of at most {@value #CONNECTIONS} connections, with bounded waits everywhere. Safe for use by many
 * threads.
 *
 * <p>For other settings build a {@link UnifiedJedis} and a {@link RedisSpike} over it. Never over a
 * client that fails over between databases on its own: the other database is another ledger.
 */
public final class RedisStore implements AutoCloseable {

    /** The most connections at once, to each server. */
    public static final int CONNECTIONS = 16;

    /** How long to wait for a connection to be made, and for a reply. */
    public static final Duration TIMEOUT = Duration.ofMillis(400);

    private static final Duration POOL_WAIT = Duration.ofMillis(100);

    private final UnifiedJedis jedis;

    private RedisStore(UnifiedJedis jedis) {
        this.jedis = jedis;
    }

    /**
     * Connects, and checks that the server is fit to hold stocks.
     *
     * @param uri one of
     *     <ul>
     *       <li>{@code redis://host:port} or, over TLS, {@code rediss://host:port}, each also with
     *           {@code /database}
     *       <li>{@code redis+sentinel://host:port,host:port/master}
     *       <li>{@code redis+cluster://host:port,host:port}
     *     </ul>
     *     each also with {@code user:password@} or {@code :password@} before the first host
     * @throws IllegalArgumentException if the URI is none of these
     * @throws IllegalStateException if the server is too old or may evict keys; the message says
     *     what to do
     * @throws RemoteSpikeException if it cannot be reached
     */
    public static RedisStore connect(String uri) {
        RedisUri parsed = RedisUri.parse(uri);
        RedisStore store = new RedisStore(Failures.translate(() -> newClient(parsed)));
        try {
            store.infos().forEach(RedisStore::requireFit);
            return store;
        } catch (RuntimeException unfit) {
            store.close();
            throw unfit;
        }
    }

    /** The stock of a sale. */
    public RedisSpike sale(String saleId) {
        return new RedisSpike(jedis, saleId, null);
    }

    /** The stock of a sale that is, or is to be, opened over a stock hash prepared by hand. */
    public RedisSpike sale(String saleId, Adoption adoption) {
        return new RedisSpike(jedis, saleId, adoption);
    }

    /** Closes all connections; the stocks got from here give no answer any more. */
    @Override
    public void close() {
        jedis.close();
    }

    UnifiedJedis client() {
        return jedis;
    }

    private static UnifiedJedis newClient(RedisUri uri) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(CONNECTIONS);
        pool.setMaxIdle(CONNECTIONS);
        pool.setMaxWait(POOL_WAIT);
        JedisClientConfig config = config(uri).database(uri.database()).build();
        return switch (uri.kind()) {
            case STANDALONE ->
                RedisClient.builder()
                        .hostAndPort(uri.hosts().iterator().next())
                        .clientConfig(config)
                        .poolConfig(pool)
                        .build();
            case SENTINEL ->
                RedisSentinelClient.builder()
                        .masterName(uri.master())
                        .sentinels(uri.hosts())
                        // No timeout for what blocks: it is the wait for news of another master.
                        .sentinelClientConfig(
                                timeouts().autoNegotiateProtocol(false).build())
                        .clientConfig(config)
                        .poolConfig(pool)
                        .build();
            case CLUSTER ->
                RedisClusterClient.builder()
                        .nodes(uri.hosts())
                        .clientConfig(config)
                        .poolConfig(pool)
                        .maxAttempts(3)
                        .maxTotalRetriesDuration(TIMEOUT.multipliedBy(2))
                        .build();
        };
    }

    private static DefaultJedisClientConfig.Builder config(RedisUri uri) {
        DefaultJedisClientConfig.Builder config = timeouts().clientName("spike");
        if (uri.tls()) {
            config.sslOptions(SslOptions.defaults());
        }
        if (uri.user() != null) {
            config.user(uri.user());
        }
        if (uri.password() != null) {
            config.password(uri.password());
        }
        return config;
    }

    private static DefaultJedisClientConfig.Builder timeouts() {
        int millis = (int) TIMEOUT.toMillis();
        return DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(millis)
                .socketTimeoutMillis(millis);
    }

    /** Refuses a server that tells this about itself, if it is not fit to hold stocks. */
    static void requireFit(String info) {
        String version = field(info, "redis_version");
        String policy = field(info, "maxmemory_policy");
        if (Integer.parseInt(version.substring(0, version.indexOf('.'))) < 7) {
            throw new IllegalStateException("Redis 7.0 or later is needed, this one is " + version
                    + ": upgrade it, or use Valkey");
        }
        if (!policy.equals("noeviction")) {
            throw new IllegalStateException(
                    "Redis may evict the stock: maxmemory-policy is " + policy
                            + ". Set 'maxmemory-policy noeviction' in redis.conf and by CONFIG SET");
        }
    }

    /** What each server tells about itself. */
    private List<String> infos() {
        return Failures.translate(() -> {
            if (jedis instanceof RedisClusterClient cluster) {
                return infos(cluster.getClusterNodes().values());
            }
            return List.of(jedis.info("server") + jedis.info("memory"));
        });
    }

    private static List<String> infos(Collection<? extends Pool<Connection>> servers) {
        List<String> infos = new ArrayList<>();
        for (Pool<Connection> server : servers) {
            try (Connection connection = server.getResource()) {
                infos.add(info(connection, "server") + info(connection, "memory"));
            }
        }
        return infos;
    }

    private static String info(Connection connection, String section) {
        connection.sendCommand(Protocol.Command.INFO, section);
        return connection.getBulkReply();
    }

    private static String field(String info, String name) {
        return info.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).trim())
                .findFirst()
                .orElseThrow(() -> new RemoteSpikeException(
                        Kind.NOT_EXECUTED,
                        "INFO does not tell " + name + ": is this user allowed to ask?",
                        null));
    }
}
