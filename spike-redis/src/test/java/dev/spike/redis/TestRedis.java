package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.Pool;

import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;

/**
 * A real Redis for a test class: the one of the environment variable SPIKE_TEST_REDIS_URL, else a
 * {@link RedisServer}. After each test no connection may be left borrowed. What is tested goes
 * there as {@link DocumentedUser}; the test itself may do more.
 */
final class TestRedis implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

    private @Nullable RedisServer server;
    private @Nullable RedisClient client;
    private @Nullable RedisClient user;
    private String uri = "";

    @Override
    public void beforeAll(ExtensionContext context) {
        String given = System.getenv("SPIKE_TEST_REDIS_URL");
        if (given == null) {
            server = RedisServer.start();
            uri = server.uri();
        } else {
            uri = given;
        }
        client = RedisClient.create(uri);
        try (Jedis admin = new Jedis(URI.create(uri))) {
            DocumentedUser.make(admin, "~ticket_hash_key*");
        }
        user = RedisClient.builder()
                .hostAndPort(RedisUri.parse(uri).hosts().iterator().next())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .user(DocumentedUser.NAME)
                        .password(DocumentedUser.PASSWORD)
                        .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                        .build())
                .build();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        assertThat(borrowed(client()) + borrowed(user()))
                .as("borrowed connections")
                .isZero();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        user().close();
        client().close();
        if (server != null) {
            server.close();
        }
    }

    String uri() {
        return uri;
    }

    /** Of a user that may do everything. */
    RedisClient client() {
        return Objects.requireNonNull(client);
    }

    /** Of {@link DocumentedUser}. */
    RedisClient user() {
        return Objects.requireNonNull(user);
    }

    /** How many connections of a client are in use now. */
    static int borrowed(UnifiedJedis jedis) {
        return pools(jedis).stream().mapToInt(Pool::getNumActive).sum();
    }

    /**
     * Drops the connections of a client that are not in use: the server may have died meanwhile.
     */
    static void dropIdle(UnifiedJedis jedis) {
        pools(jedis).forEach(Pool::clear);
    }

    private static Collection<? extends Pool<?>> pools(UnifiedJedis jedis) {
        return jedis instanceof RedisClusterClient cluster
                ? cluster.getClusterNodes().values()
                : jedis instanceof RedisSentinelClient sentinel
                        ? sentinel.getPrimaryNodesConnectionMap().values()
                        : List.of(((RedisClient) jedis).getPool());
    }

    /** A sale of its own for a test. */
    static String newSaleId() {
        return "test-" + UUID.randomUUID();
    }
}
