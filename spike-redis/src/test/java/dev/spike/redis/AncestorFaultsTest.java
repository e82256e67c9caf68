package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What the Go program that this system descends from does wrong, one test for each. */
@Timeout(30)
class AncestorFaultsTest {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private final String saleId = TestRedis.newSaleId();
    private final RedisSpike stock = new RedisSpike(REDIS.user(), saleId, null);

    private static long sellTo(int buyers, Spike spike, Outcome outcome) {
        long count = 0;
        for (int i = 0; i < buyers; i++) {
            count += spike.reserve(1).outcome() == outcome ? 1 : 0;
        }
        return count;
    }

    @Test
    void oversellByOne_itsScriptComparesTotalGreaterOrEqualSold() {
        stock.open(Sale.of(saleId, 10));
        try (Spike spike = Spike.start(stock)) {
            assertThat(sellTo(12, spike, Outcome.RESERVED)).isEqualTo(10);
        }
        assertThat(stock.levels().available()).isZero();
        Conservation.check(stock);
    }

    @Test
    void undersellByOne_itsLocalCheckComparesLess() {
        stock.open(Sale.of(saleId, 1));
        try (Spike spike = Spike.builder(stock).quota(1).start()) {
            assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.RESERVED);
        }
        Conservation.drain(stock);
    }

    @Test
    void unitLostOnRemoteRefusal_itsLocalCountIsNeverGivenBack() {
        stock.open(Sale.of(saleId, 10).withPerBuyer(1));
        try (Spike spike =
                Spike.builder(stock).quota(3).syncEvery(Duration.ofMinutes(1)).start()) {
            spike.reserve("alice", 1);
            long quota = spike.quota();
            for (int i = 0; i < 20; i++) {
                assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.LIMIT_REACHED);
            }
            assertThat(spike.quota()).isEqualTo(quota);
            for (int i = 0; i < 9; i++) {
                assertThat(spike.reserve("buyer" + i, 1).outcome()).isEqualTo(Outcome.RESERVED);
            }
        }
        Conservation.drain(stock);
    }

    @Test
    void errorAsSoldOut_itAnswersSoldOutWhenRedisFails() {
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.connect(server.uri());
                Spike spike = Spike.start(store.sale(saleId))) {
            spike.open(Sale.of(saleId, 10));
            assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.RESERVED);
            server.kill();
            List<Outcome> outcomes = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                outcomes.add(spike.reserve(1).outcome());
            }
            assertThat(outcomes).isSubsetOf(Outcome.UNKNOWN, Outcome.UNAVAILABLE);
        }
    }

    @Test
    void missingHash_itsScriptFailsAndBuyersAreToldSoldOut() {
        try (Spike spike = Spike.start(stock)) {
            assertThat(sellTo(3, spike, Outcome.NOT_OPEN)).isEqualTo(3);
        }
        assertThat(REDIS.client().exists("spike:{" + saleId + "}:stock")).isFalse();
        RedisSpike adopting = new RedisSpike(REDIS.client(), saleId, Adoption.of("no-such-hash"));
        assertThatThrownBy(() -> adopting.open(Sale.of(saleId, 10)))
                .hasMessageContaining("is missing");
    }

    @Test
    void leakedConnections_itNeverReturnsThemToThePool() {
        stock.open(Sale.of(saleId, 100));
        try (Spike spike = Spike.start(stock)) {
            sellTo(300, spike, Outcome.RESERVED);
        }
        assertThat(REDIS.client().getPool().getNumActive()).isZero();
        assertThat(REDIS.client().getPool().getCreatedCount()).isLessThanOrEqualTo(4);
    }
}
