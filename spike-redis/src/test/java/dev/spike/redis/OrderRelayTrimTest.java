package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.Sale;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;

/** What is trimmed from the log, and what must stay. Redis trims nodes of 100 small entries. */
class OrderRelayTrimTest extends OrderRelayCase {

    private final TestSink sink = new TestSink();

    private void open(Duration hold) {
        stock.open(Sale.of(stock.saleId(), 100_000).withHold(hold));
    }

    private long firstInLog() {
        return stock.log(0).get(0).sequence();
    }

    @Test
    void unacknowledgedByAnotherGroup_isNotTrimmed() {
        open(Duration.ofMillis(1));
        reserveEach("buyer", 1_000);
        awaitAllExpired();
        OrderLog slow = stock.orderLog("slow", "consumer");
        List<Long> taken =
                slow.takeNew(500).entries().stream().map(LogEntry::sequence).toList();
        long last = stock.levels().sequence();
        OrderRelay relay = start(relay(sink));
        awaitAllAcknowledged(relay);
        assertThat(log()).hasSize((int) last);
        slow.acknowledge(taken.subList(0, 149));
        slow.acknowledge(taken.subList(150, 500));
        relay.lag();
        assertThat(firstInLog()).isBetween(2L, 150L);
        assertThat(log()).extracting(LogEntry::sequence).contains(150L, 151L, last);
        assertThat(slow.takeOwn(0, 100).entries())
                .extracting(LogEntry::sequence)
                .containsExactly(150L);
        slow.acknowledge(taken);
        assertThat(firstInLog()).isBetween(151L, 501L);
        assertThat(slow.takeNew(1).entries()).extracting(LogEntry::sequence).containsExactly(501L);
    }

    @Test
    void unacknowledgedByTheGroupItself_isNotTrimmed() {
        open(Duration.ofMillis(1));
        reserveEach("buyer", 300);
        awaitAllExpired();
        long last = stock.levels().sequence();
        consumer("dead").takeNew(1);
        OrderRelay relay = start(relay(sink).consumer("alive"));
        await().until(() ->
                pending("orders").equals(List.of(1L)) && sink.events().size() == 600);
        relay.lag();
        assertThat(log()).hasSize((int) last);
    }

    @Test
    void holdsThatMayStillExpire_areNotTrimmed_andExpireOnceDue() {
        open(Duration.ofSeconds(2));
        List<String> buyers = reserveEach("buyer", 1_000);
        OrderRelay relay = start(relay(sink));
        await().until(() -> sink.events().size() == 1_000);
        awaitAllAcknowledged(relay);
        relay.lag();
        assertThat(firstInLog()).isEqualTo(1);
        assertThat(stock.expire().levels().sequence()).isGreaterThanOrEqualTo(1_001);
        awaitAllExpired();
        await().until(() -> sink.events().size() == 2_000);
        assertThat(sink.events().subList(1_000, 2_000))
                .allSatisfy(event -> assertThat(event.state()).isEqualTo(Outcome.EXPIRED))
                .extracting(event -> event.id().buyer())
                .containsExactlyElementsOf(buyers);
        await().until(() -> {
            relay.lag();
            return firstInLog() > 900;
        });
    }

    @Test
    void doneWith_isTrimmed_andAllGoesOn() {
        open(Duration.ofMillis(1));
        OrderRelay relay = start(relay(sink));
        reserveEach("first", 1_000);
        awaitAllExpired();
        awaitAllAcknowledged(relay);
        await().until(() -> firstInLog() > 900);
        List<String> buyers = reserveEach("second", 100);
        settle("second0", "second0", Outcome.CONFIRMED);
        awaitAllExpired();
        awaitAllAcknowledged(relay);
        assertThat(stock.levels().backlog()).isZero();
        assertThat(sink.events()).extracting(OrderEvent::state).contains(Outcome.EXPIRED);
        assertThat(sink.buyers()).containsAll(buyers);
        assertThat(log())
                .extracting(LogEntry::sequence)
                .isSorted()
                .endsWith(stock.levels().sequence());
        assertThat(stock.log(stock.levels().sequence())).isEmpty();
        assertThat(stock.levels().available() + stock.levels().sold()).isEqualTo(100_000);
        // A group that comes now gets what is left, and its lag is right.
        TestSink late = new TestSink();
        OrderRelay lateRelay = start(relay(late).group("late"));
        await().until(() -> !late.events().isEmpty() && lateRelay.lag().events() == 0);
        assertThat(sink.events()).containsAll(late.events());
    }

    @Test
    void fullBatches_trimmedToTheLast_logStillExists() {
        open(Duration.ofMillis(1));
        for (int i = 0; i < 20; i++) {
            reserveTogether("buyer" + i + "-", 512);
        }
        awaitAllExpired();
        OrderRelay relay = start(relay(sink));
        awaitAllAcknowledged(relay);
        await().until(() -> {
            stock.expire();
            relay.lag();
            return REDIS.client().xlen(key("log")) <= 1;
        });
        assertThat(sink.events()).hasSize(2 * 20 * 512);
        assertThat(reserve("late", "late", 1).outcome()).isEqualTo(Outcome.RESERVED);
        awaitAllExpired();
        await().until(() -> sink.events().size() == 2 * 20 * 512 + 2);
    }
}
