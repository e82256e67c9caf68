package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisStore;

import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Ours, with its default options: quota, group commit, one script for a whole batch. */
final class SpikePeer implements AsyncPeer {

    private final BenchRedis redis;
    private final String saleId = "bench-" + UUID.randomUUID();
    private final RedisStore store;
    private final Spike spike;

    SpikePeer(BenchRedis redis) {
        this.redis = redis;
        this.store = RedisStore.connect(redis.uri());
        this.spike = Spike.start(store.sale(saleId));
        spike.open(Sale.of(saleId, TOTAL).withPerBuyer(NewBuyer.MOST_UNITS));
    }

    @Override
    public boolean takeOne() {
        ReservationId id = NewBuyer.next();
        return isReserved(spike.reserve(id.buyer(), id.key(), 1));
    }

    @Override
    public CompletableFuture<Boolean> takeOneAsync() {
        ReservationId id = NewBuyer.next();
        return spike.reserveAsync(id.buyer(), id.key(), 1)
                .toCompletableFuture()
                .thenApply(SpikePeer::isReserved);
    }

    private static boolean isReserved(Answer answer) {
        return answer.outcome() == Outcome.RESERVED;
    }

    @Override
    public long taken() {
        return store.sale(saleId).levels().reserved();
    }

    @Override
    public void close() {
        spike.close();
        store.close();
        redis.deleteSale(saleId);
    }
}
