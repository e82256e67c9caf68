package dev.spike.redis;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import redis.clients.jedis.ClientSetInfoConfig;
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
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.Pool;

import java.io.File;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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
    private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.\\d.*");

    private final UnifiedJedis jedis;
    private volatile boolean mayWait;

    private RedisStore(UnifiedJedis jedis) {
        this.jedis = jedis;
    }

    /**
     * Connects, and checks that each server is fit to hold stocks and lets this user do all that is
     * needed. Blocks.
     *
     * <p>Over TLS the server's certificate must be valid, for the host of the URI, and from
     * somebody whom this JVM trusts ({@code javax.net.ssl.trustStore}); the client's, if the server
     * asks for one, is in {@code javax.net.ssl.keyStore}.
     *
     * @param uri one of
     *     <ul>
     *       <li>{@code redis://host:port}, also with {@code /database}
     *       <li>{@code redis+sentinel://host:port,host:port/master}
     *       <li>{@code redis+cluster://host:port,host:port}
     *     </ul>
     *     each, over TLS, with {@code rediss} instead of {@code redis}, and with
     *     {@code user:password@} or {@code :password@} before the first host if needed
     * @return a connection, to be closed after everything that uses its stocks
     * @throws IllegalArgumentException if the URI is none of these
     * @throws IllegalStateException if a server is too old, may evict keys, or does not let this
     *     user do all that is needed; the message says what to do
     * @throws RemoteSpikeException if it cannot be reached; the message says what to do, as far as
     *     that is known
     */
    public static RedisStore connect(String uri) {
        RedisUri parsed = RedisUri.parse(uri);
        try {
            RedisStore store = new RedisStore(newClient(parsed));
            try {
                store.onEachServer(server -> {
                    requireFit(info(server, "server") + info(server, "memory"));
                    Permissions.require(server);
                });
                return store;
            } catch (Throwable unfit) {
                store.close();
                throw unfit;
            }
        } catch (JedisException failure) {
            throw Connecting.explained(parsed, failure);
        }
    }

    /**
     * The stock of a sale.
     *
     * @param saleId 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @return its stock, without a call; the sale need not be open yet
     * @throws IllegalArgumentException if the id is malformed
     */
    public RedisSpike sale(String saleId) {
        return new RedisSpike(this, saleId, null);
    }

    /**
     * The stock of a sale that is, or is to be, opened over a stock hash prepared by hand. Blocks:
     * it checks that this user may use the hash.
     *
     * @param saleId 1 to 64 of {@code A-Z a-z 0-9 _ -}
     * @param adoption the hash
     * @return its stock; the sale need not be open yet
     * @throws IllegalStateException if the user may not; the message says what to do
     * @throws RemoteSpikeException if Redis cannot be reached
     * @throws IllegalArgumentException if the id is malformed
     */
    public RedisSpike sale(String saleId, Adoption adoption) {
        Failures.translate(() -> {
            onEachServer(server -> Permissions.require(server, adoption.key()));
            return saleId;
        });
        return new RedisSpike(this, saleId, adoption);
    }

    /** Asks, once, whether this user may wait for replicas; {@link RedisSpike#acknowledgedBy}. */
    void requireWithReplicas() {
        if (!mayWait) {
            Failures.translate(() -> {
                onEachServer(Permissions::requireWithReplicas);
                return mayWait = true;
            });
        }
    }

    /** Closes all connections; the stocks got from here give no answer any more. */
    @Override
    public void close() {
        jedis.close();
    }

    UnifiedJedis client() {
        return jedis;
    }

    /** A client, which has not said anything yet. */
    static UnifiedJedis newClient(RedisUri uri) {
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
                                basics(uri).autoNegotiateProtocol(false).build())
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
        DefaultJedisClientConfig.Builder config = basics(uri).clientName("spike");
        if (uri.user() != null) {
            config.user(uri.user());
        }
        if (uri.password() != null) {
            config.password(uri.password());
        }
        return config;
    }

    /** What goes for Redis and for a Sentinel. */
    private static DefaultJedisClientConfig.Builder basics(RedisUri uri) {
        int millis = (int) TIMEOUT.toMillis();
        DefaultJedisClientConfig.Builder basics = DefaultJedisClientConfig.builder()
                // It would need one more permission, and has nothing to say.
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                .connectionTimeoutMillis(millis)
                .socketTimeoutMillis(millis);
        if (uri.tls()) {
            basics.sslOptions(tls());
        }
        return basics;
    }

    /**
     * The trust of this JVM, with a check of the name, and its key, of which Jedis takes no notice.
     */
    private static SslOptions tls() {
        SslOptions.Builder tls = SslOptions.builder();
        String keys = System.getProperty("javax.net.ssl.keyStore", "");
        if (!keys.isEmpty()) {
            String password = System.getProperty("javax.net.ssl.keyStorePassword", "");
            tls.keyStoreType(System.getProperty(
                            "javax.net.ssl.keyStoreType", KeyStore.getDefaultType()))
                    .keystore(new File(keys), password.toCharArray());
        }
        return tls.build();
    }

    /** Refuses a server that tells this about itself, if it is not fit to hold stocks. */
    static void requireFit(String info) {
        String version = field(info, "redis_version");
        String policy = field(info, "maxmemory_policy");
        Matcher release = RELEASE.matcher(version);
        if (!release.matches()) {
            throw new IllegalStateException(
                    "Redis 7.0 or later is needed, this one tells no release: "
                            + "redis_version is '" + version + "'. Use a release, or Valkey");
        } else if (Integer.parseInt(release.group(1)) < 7) {
            throw new IllegalStateException("Redis 7.0 or later is needed, this one is " + version
                    + ": upgrade it, or use Valkey");
        }
        if (!policy.equals("noeviction")) {
            throw new IllegalStateException(
                    "Redis may evict the stock: maxmemory-policy is " + policy
                            + ". Set 'maxmemory-policy noeviction' in redis.conf and by CONFIG SET");
        }
    }

    /** All servers of a cluster, else the one. */
    private void onEachServer(Consumer<Connection> check) {
        Collection<? extends Pool<Connection>> servers = jedis instanceof RedisClusterClient cluster
                ? cluster.getClusterNodes().values()
                : jedis instanceof RedisSentinelClient sentinel
                        ? sentinel.getPrimaryNodesConnectionMap().values()
                        : List.of(((RedisClient) jedis).getPool());
        for (Pool<Connection> server : servers) {
            try (Connection connection = server.getResource()) {
                check.accept(connection);
            }
        }
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
