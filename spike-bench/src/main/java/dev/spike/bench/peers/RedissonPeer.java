package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;

import org.redisson.Redisson;
import org.redisson.api.RPermitExpirableSemaphore;
import org.redisson.api.RSemaphore;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Redisson's semaphores, as its page "Locks and synchronizers" shows them. By its page
 * "Configuration" the defaults are scripts kept by the server and, for a single server, 64
 * connections, as many as there are threads here.
 */
abstract class RedissonPeer implements Peer {

    final RedissonClient redisson;
    final String key = "bench-" + UUID.randomUUID();

    private RedissonPeer(BenchRedis redis) {
        Config config = new Config();
        config.useSingleServer()
                .setAddress(redis.uri())
                .setConnectionPoolSize(MAX_THREADS)
                // Else the connections beyond 24 are made while it is measured.
                .setConnectionMinimumIdleSize(MAX_THREADS);
        this.redisson = Redisson.create(config);
    }

    @Override
    public void close() {
        redisson.getKeys().deleteByPattern("*" + key + "*");
        redisson.shutdown(0, 2, TimeUnit.SECONDS);
    }

    /** A counter: who holds a unit is not known. */
    static final class Semaphore extends RedissonPeer implements AsyncPeer {

        private final RSemaphore semaphore = redisson.getSemaphore(key);

        Semaphore(BenchRedis redis) {
            super(redis);
            semaphore.trySetPermits(TOTAL);
        }

        @Override
        public boolean takeOne() {
            return semaphore.tryAcquire();
        }

        @Override
        public CompletableFuture<Boolean> takeOneAsync() {
            return semaphore.tryAcquireAsync().toCompletableFuture();
        }

        @Override
        public long taken() {
            return TOTAL - (long) semaphore.availablePermits();
        }
    }

    /** Each unit has a random id, which Redisson makes, and comes back when its lease ends. */
    static final class Expirable extends RedissonPeer {

        private static final long LEASE_MINUTES = 5;

        private final RPermitExpirableSemaphore semaphore =
                redisson.getPermitExpirableSemaphore(key);

        Expirable(BenchRedis redis) {
            super(redis);
            semaphore.trySetPermits(TOTAL);
        }

        @Override
        public boolean takeOne() {
            try {
                return semaphore.tryAcquire(0, LEASE_MINUTES, TimeUnit.MINUTES) != null;
            } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted while measuring", e);
            }
        }

        @Override
        public long taken() {
            return semaphore.acquiredPermits();
        }
    }
}
