package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.Sale;
import dev.spike.redis.RedisSpike;

import redis.clients.jedis.RedisClient;

import java.util.List;
import java.util.UUID;

/**
 * Our own script, called for each request by itself, by the thread that asks: the same guarantees
 * without quota and group commit. Buyers, keys and limit are those of {@link SpikePeer}.
 */
final class EvalshaGuarantees implements Peer {

    private final BenchRedis redis;
    private final String saleId = "bench-" + UUID.randomUUID();
    private final RedisClient jedis;
    private final RedisSpike stock;

    EvalshaGuarantees(BenchRedis redis) {
        this.redis = redis;
        this.jedis = redis.client(MAX_THREADS);
        this.stock = new RedisSpike(jedis, saleId, null);
        stock.open(Sale.of(saleId, TOTAL).withPerBuyer(NewBuyer.MOST_UNITS));
    }

    @Override
    public boolean takeOne() {
        Request request = new Request(NewBuyer.next(), 1);
        return stock.reserve(List.of(request), Long.MAX_VALUE).answers().get(0).outcome()
                == Outcome.RESERVED;
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
