package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.redis.RedisSpike;

import redis.clients.jedis.RedisClient;

import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Our own script, called for each request by itself, by the thread that asks: the same guarantees
 * without quota and group commit. Buyers and keys are as long as those of {@link SpikePeer}, and
 * made faster, since nobody needs to be kept from guessing them.
 */
final class EvalshaGuarantees implements Peer {

    private final BenchRedis redis;
    private final String saleId = "bench-" + UUID.randomUUID();
    private final RedisClient jedis;
    private final RedisSpike stock;

    EvalshaGuarantees(BenchRedis redis) {
        this.redis = redis;
        this.jedis = PooledScript.client(redis.uri());
        this.stock = new RedisSpike(jedis, saleId, null);
        stock.open(Sale.of(saleId, TOTAL));
    }

    @Override
    public boolean takeOne() {
        String anyone = newKey();
        Request request = new Request(new ReservationId(anyone, anyone), 1);
        return stock.reserve(List.of(request), Long.MAX_VALUE).answers().get(0).outcome()
                == Outcome.RESERVED;
    }

    private static String newKey() {
        byte[] bytes = new byte[16];
        ThreadLocalRandom.current().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    @Override
    public long taken() {
        return stock.levels().reserved();
    }

    @Override
    public void close() {
        jedis.close();
        redis.deleteSale(saleId);
    }
}
