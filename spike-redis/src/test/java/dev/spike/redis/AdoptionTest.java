package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Opening;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;
import java.util.Map;

class AdoptionTest {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private final String saleId = TestRedis.newSaleId();
    private final String hash = "ticket_hash_key-" + saleId;
    private final RedisSpike stock = new RedisSpike(REDIS.user(), saleId, Adoption.of(hash));

    private void prepare(String total, String sold) {
        REDIS.client().hset(hash, Map.of("ticket_total_nums", total, "ticket_sold_nums", sold));
    }

    private String soldField() {
        return REDIS.client().hget(hash, "ticket_sold_nums");
    }

    @Test
    void handMadeHash_isAdopted_andItsSoldCountIsKept() {
        prepare("10", "4");
        assertThat(stock.open(Sale.of(saleId, 10))).isEqualTo(Opening.OPENED);
        ReservationId alice = new ReservationId("alice", "key-1");
        stock.reserve(List.of(new Request(alice, 2)), Long.MAX_VALUE);
        assertThat(soldField()).isEqualTo("6");
        stock.settle(List.of(new Settlement(alice, Outcome.CANCELLED)), Long.MAX_VALUE);
        assertThat(soldField()).isEqualTo("4");
        ReservationId bob = new ReservationId("bob", "key-1");
        stock.reserve(List.of(new Request(bob, 6)), Long.MAX_VALUE);
        stock.settle(List.of(new Settlement(bob, Outcome.CONFIRMED)), Long.MAX_VALUE);
        assertThat(soldField()).isEqualTo("10");
        Levels levels = stock.levels();
        assertThat(levels.available()).isZero();
        assertThat(levels.sold()).isEqualTo(10);
        assertThat(stock.open(Sale.of(saleId, 10))).isEqualTo(Opening.ALREADY_OPEN);
    }

    @Test
    void missingHash_isAnError_notSoldOut() {
        assertThatThrownBy(() -> stock.open(Sale.of(saleId, 10)))
                .hasMessageContaining("must be a hash: " + hash + " is missing");
        assertThat(stock.levels().phase()).isEqualTo(Levels.Phase.ABSENT);
        assertThat(REDIS.client().exists(hash)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "10, 11, ticket_sold_nums", // as the ancestor leaves it after selling one too many
        "ten, 0, ticket_total_nums",
        "10, -1, ticket_sold_nums",
        "9, 0, ticket_total_nums",
    })
    void unfitHash_isNamed_andNothingIsOpened(String total, String sold, String field) {
        prepare(total, sold);
        assertThatThrownBy(() -> stock.open(Sale.of(saleId, 10))).hasMessageContaining(field);
        assertThat(stock.levels().phase()).isEqualTo(Levels.Phase.ABSENT);
    }

    @Test
    void soldFieldChangedBySomebodyElse_stopsTheSale_insteadOfOverselling() {
        prepare("10", "0");
        stock.open(Sale.of(saleId, 10));
        ReservationId alice = new ReservationId("alice", "key-1");
        stock.reserve(List.of(new Request(alice, 1)), Long.MAX_VALUE);
        REDIS.client().hincrBy(hash, "ticket_sold_nums", 7);
        Request bob = new Request(new ReservationId("bob", "key-1"), 1);
        assertThatThrownBy(() -> stock.reserve(List.of(bob), Long.MAX_VALUE))
                .hasMessageContaining("was changed by somebody else: ticket_sold_nums is not 1");
        assertThatThrownBy(() -> stock.settle(
                        List.of(new Settlement(alice, Outcome.CANCELLED)), Long.MAX_VALUE))
                .hasMessageContaining("was changed by somebody else");
        assertThat(stock.levels().sequence()).isEqualTo(2);
    }

    @Test
    void totalFieldLoweredBySomebodyElse_stopsTheSale_insteadOfOverselling() {
        prepare("10", "0");
        stock.open(Sale.of(saleId, 10));
        REDIS.client().hset(hash, "ticket_total_nums", "3");
        Request alice = new Request(new ReservationId("alice", "key-1"), 8);
        assertThatThrownBy(() -> stock.reserve(List.of(alice), Long.MAX_VALUE))
                .hasMessageContaining("was changed by somebody else: ticket_total_nums is not 10");
        assertThatThrownBy(() -> stock.restock(new Operation("more", 1)))
                .hasMessageContaining("was changed by somebody else: ticket_total_nums is not 10");
        REDIS.client().hset(hash, "ticket_total_nums", "10");
        stock.restock(new Operation("less", -2));
        assertThat(REDIS.client().hget(hash, "ticket_total_nums")).isEqualTo("8");
        stock.reserve(List.of(alice), Long.MAX_VALUE);
        assertThat(soldField()).isEqualTo("8");
        assertThat(stock.levels().available()).isZero();
    }

    @Test
    void nodeThatDoesNotKnowTheAdoption_isRefused_soThatTheSoldCountStaysCurrent() {
        prepare("10", "0");
        stock.open(Sale.of(saleId, 10));
        RedisSpike unaware = new RedisSpike(REDIS.user(), saleId, null);
        Request request = new Request(new ReservationId("alice", "key-1"), 1);
        assertThatThrownBy(() -> unaware.reserve(List.of(request), Long.MAX_VALUE))
                .hasMessageContaining("was opened over " + hash);
        Settlement cancel = new Settlement(new ReservationId("alice", "key-1"), Outcome.CANCELLED);
        assertThatThrownBy(() -> unaware.settle(List.of(cancel), Long.MAX_VALUE))
                .hasMessageContaining("was opened over " + hash);
        assertThatThrownBy(() -> unaware.open(Sale.of(saleId, 10)))
                .hasMessageContaining("was opened over " + hash);
        assertThat(stock.levels().available()).isEqualTo(10);
    }
}
