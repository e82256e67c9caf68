package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;

import io.lettuce.core.RedisClient;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * The least script that does not oversell, over Lettuce. All threads share one connection, as its
 * page "Connection Pooling" advises, and each command is written as it comes, the default that its
 * page "Pipelining and command flushing" describes.
 */
final class LettuceAsync implements AsyncPeer {

    private final RedisClient client;
    private final StatefulRedisConnection<String, String> connection;
    private final RedisAsyncCommands<String, String> redis;
    private final String[] keys = {"bench-" + UUID.randomUUID()};
    private final String sha1;

    LettuceAsync(BenchRedis server) {
        client = RedisClient.create(server.uri());
        connection = client.connect();
        redis = connection.async();
        sha1 = connection.sync().scriptLoad(EvalshaBare.SOURCE);
        connection.sync().set(keys[0], Integer.toString(TOTAL));
    }

    @Override
    public CompletableFuture<Boolean> takeOneAsync() {
        return redis.<Boolean>evalsha(sha1, ScriptOutputType.BOOLEAN, keys, "1")
                .toCompletableFuture();
    }

    @Override
    public long taken() {
        return TOTAL - Long.parseLong(connection.sync().get(keys[0]));
    }

    @Override
    public void close() {
        connection.sync().del(keys);
        connection.close();
        client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
}
