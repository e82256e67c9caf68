package dev.spike.bench.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.bench.rig.BenchRedis;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.proxy.RemoteBucketBuilder;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;

import java.time.Duration;
import java.util.UUID;

/**
 * Bucket4j over Lettuce, as its page "Lettuce integration" shows it: one connection, compare and
 * swap on the bucket's state, tried again until it succeeds. The bucket is as large as the stock
 * and refills by one token a year.
 *
 * <p>Batching is the request optimization of its example {@code Optimizations.batching()}: the
 * requests of this process that wait are one compare and swap. Its blocking form lets one of the
 * waiting threads do it.
 */
final class Bucket4jPeer implements Peer {

    private final RedisClient client;
    private final StatefulRedisConnection<byte[], byte[]> connection;
    private final byte[] key = ("bench-" + UUID.randomUUID()).getBytes(UTF_8);
    private final Bucket bucket;

    Bucket4jPeer(BenchRedis redis, boolean isBatching) {
        client = RedisClient.create(redis.uri());
        connection = client.connect(ByteArrayCodec.INSTANCE);
        RemoteBucketBuilder<byte[]> builder =
                Bucket4jLettuce.casBasedBuilder(connection).build().builder();
        if (isBatching) {
            builder = builder.withOptimization(Optimizations.batching());
        }
        BucketConfiguration stock = BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(TOTAL).refillIntervally(1, Duration.ofDays(365)))
                .build();
        bucket = builder.build(key, () -> stock);
    }

    @Override
    public boolean takeOne() {
        return bucket.tryConsume(1);
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
