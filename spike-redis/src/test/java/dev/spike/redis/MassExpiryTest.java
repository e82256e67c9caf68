package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Conservation;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Thousands of holds that end at once, under several nodes. */
class MassExpiryTest extends OrderRelayCase {

    private static final int HOLDS = 5_000;

    @Test
    void thousandsOfHolds_severalNodes_eachExpiresOnce_andTheUnitsSellAgain() {
        List<RedisStore> stores = new ArrayList<>();
        List<Spike> nodes = new ArrayList<>();
        try {
            for (int i = 0; i < 4; i++) {
                RedisStore store = RedisStore.connect(REDIS.uri());
                stores.add(store);
                nodes.add(Spike.builder(store.sale(stock.saleId()))
                        .nodes(4)
                        .syncEvery(Duration.ofMillis(50))
                        .timeout(Duration.ofSeconds(10))
                        .start());
            }
            stock.open(Sale.of(stock.saleId(), HOLDS).withHold(Duration.ofSeconds(3)));
            for (int i = 0; i < HOLDS / 500; i++) {
                reserveTogether("buyer" + i + "-", 500);
            }
            nodes.forEach(Spike::sync);
            assertThat(nodes)
                    .allSatisfy(node -> assertThat(node.reserve("stranger", 1).outcome())
                            .isEqualTo(Outcome.ALL_RESERVED));
            await().until(() -> stock.levels().available() == HOLDS);
            List<LogEntry> log = log();
            assertThat(log)
                    .allSatisfy(
                            entry -> assertThat(entry.available() + entry.reserved() + entry.sold())
                                    .isEqualTo(HOLDS));
            List<OrderEvent> expired = logged().stream()
                    .filter(event -> event.state() == Outcome.EXPIRED)
                    .toList();
            assertThat(expired).hasSize(HOLDS);
            assertThat(expired).extracting(OrderEvent::id).doesNotHaveDuplicates();
            assertThat(log.get(log.size() - 1).available()).isEqualTo(HOLDS);
            Conservation.check(stock);
            for (int i = 0; i < 4; i++) {
                Spike node = nodes.get(i);
                String buyer = "again" + i;
                await().until(() -> node.reserve(buyer, 1).outcome() == Outcome.RESERVED);
            }
        } finally {
            nodes.forEach(Spike::close);
            assertThat(stores)
                    .allSatisfy(store ->
                            assertThat(TestRedis.borrowed(store.client())).isZero());
            stores.forEach(RedisStore::close);
        }
    }
}
