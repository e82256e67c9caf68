package dev.spike.redis;

import static org.awaitility.Awaitility.await;

import dev.spike.core.OrderLogContract;
import dev.spike.core.RemoteSpike;

import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.time.Instant;

/** The order log of a sale on a real Redis. */
class RedisOrderLogTest extends OrderLogContract {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private final RedisSpike stock = new RedisSpike(REDIS.client(), TestRedis.newSaleId(), null);

    @Override
    protected RemoteSpike stock() {
        return stock;
    }

    @Override
    protected void passTime(Duration time) {
        Instant end = stock.levels().asOf().plus(time);
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !stock.levels().asOf().isBefore(end));
    }
}
