package dev.spike.bench.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.bench.rig.BenchRedis;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.AsyncBucketProxy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * Bucket4j over Lettuce, as its page "Lettuce integration" shows it: one connection, compare and
 * swap on the bucket's state, tried again until it succeeds. The bucket is as large as the stock
 * and refills by one token a year.
 *
 * <p>Batching is its {@code Optimizations.batching()}: what waits in this process is one compare
 * and swap. It is used with the asynchronous proxy of its page "Asynchronous API", which is faster
 * for many threads than the blocking one; without batching it is not.
 */
final class Bucket4jPeer implements AsyncPeer {

    private final RedisClient client;
    private final StatefulRedisConnection<byte[], byte[]> connection;
    private final byte[] key = ("bench-" + UUID.randomUUID()).getBytes(UTF_8);
    private final Bucket bucket;
    private final AsyncBucketProxy batching;
    private final boolean isBatching;

    Bucket4jPeer(BenchRedis redis, boolean isBatching) {
        client = RedisClient.create(redis.uri());
        connection = client.connect(ByteArrayCodec.INSTANCE);
        BucketConfiguration stock = BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(TOTAL).refillIntervally(1, Duration.ofDays(365)))
                .build();
        ProxyManager<byte[]> buckets =
                Bucket4jLettuce.casBasedBuilder(connection).build();
        bucket = buckets.builder().build(key, () -> stock);
        this.isBatching = isBatching;
        batching = buckets.asAsync()
                .builder()
                .withOptimization(Optimizations.batching())
                .build(key, () -> CompletableFuture.completedFuture(stock));
    }

    @Override
    public boolean takeOne() {
        return isBatching ? takeOneAsync().join() : bucket.tryConsume(1);
    }

    @Override
    public CompletableFuture<Boolean> takeOneAsync() {
        return batching.tryConsume(1);
    }

    @Override
    public long taken() {
        return TOTAL - bucket.getAvailableTokens();
    }

    @Override
    public void close() {
        connection.sync().del(key);
        connection.close();
        client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
}
