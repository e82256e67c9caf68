package dev.spike.bench.scenario;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.Wait;
import dev.spike.bench.scenario.Buyer.Paying;
import dev.spike.core.Answer;
import dev.spike.core.Audit;
import dev.spike.core.Levels;
import dev.spike.core.OrderBook.Sum;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.http.JdbcOrderBook;
import dev.spike.redis.OrderRelay;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Pre-deduction: a {@link Spike} answers the buyers from Redis, and meanwhile a relay writes the
 * orders into the database. A promise ends with its hold, and the unit sells again.
 */
final class PreDeduction implements Strategy {

    private final BenchRedis redis;
    private final boolean async;
    private final RedisStore store;
    private final RedisSpike sale;
    private final JdbcOrderBook book;
    private final OrderRelay relay;
    private final Spike spike;

    /** @param async whether to ask without blocking */
    PreDeduction(BenchRedis redis, String jdbcUrl, int units, Duration hold, boolean async) {
        this.redis = redis;
        this.async = async;
        store = RedisStore.connect(redis.uri());
        sale = store.sale("strategies-" + UUID.randomUUID());
        book = JdbcOrderBook.open(jdbcUrl);
        relay = OrderRelay.of(sale, book).start();
        // Who is answered UNAVAILABLE would have to be asked again: wait for the machine instead.
        spike = Spike.builder(sale).timeout(Duration.ofSeconds(10)).start();
        spike.open(Sale.of(sale.saleId(), units).withHold(hold));
    }

    @Override
    public CompletionStage<Boolean> ask(Buyer buyer) {
        return async
                ? spike.reserveAsync(buyer.name(), buyer.key(), 1)
                        .thenApply(PreDeduction::isPromised)
                : CompletableFuture.completedFuture(
                        isPromised(spike.reserve(buyer.name(), buyer.key(), 1)));
    }

    private static boolean isPromised(Answer answer) {
        return switch (answer.outcome()) {
            case RESERVED -> true;
            case SOLD_OUT, ALL_RESERVED -> false;
            default -> throw new IllegalStateException("must be a yes or a no: " + answer);
        };
    }

    @Override
    public boolean pay(Buyer buyer) {
        Answer answer = spike.confirm(new ReservationId(buyer.name(), buyer.key()));
        return switch (answer.outcome()) {
            case CONFIRMED -> true;
            case EXPIRED -> {
                if (buyer.paying() == Paying.IN_TIME) {
                    throw new IllegalStateException(
                            "the hold must be longer: " + buyer + " came too late to pay in time");
                }
                yield false;
            }
            default -> throw new IllegalStateException("must be the end of a hold: " + answer);
        };
    }

    @Override
    public void awaitHoldsEnded() {
        Wait.until(
                "all holds have ended", () -> spike.sync().map(Levels::reserved).orElse(-1L) == 0);
    }

    @Override
    public boolean writesLater() {
        return true;
    }

    @Override
    public void awaitOrders() {
        Wait.until("all orders are written", () -> {
            OrderLog.Lag lag = relay.lag();
            if (lag.deadLetters() > 0) {
                throw new IllegalStateException("the database refused orders: " + lag);
            }
            return lag.events() == 0;
        });
    }

    @Override
    public Books books() throws SQLException {
        Audit audit = spike.audit(book).orElseThrow();
        if (!audit.balanced()) {
            throw new IllegalStateException("must be balanced: " + audit);
        }
        Map<Outcome, Sum> sums = book.sums(sale.saleId());
        return new Books(
                sums.values().stream().mapToLong(Sum::orders).sum(),
                sums.getOrDefault(Outcome.CONFIRMED, new Sum(0, 0)).units());
    }

    @Override
    public void close() {
        spike.close();
        relay.close();
        book.close();
        redis.deleteSale(sale.saleId());
        store.close();
    }
}
