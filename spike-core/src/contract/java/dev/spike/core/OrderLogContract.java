package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.OrderLog.Burial;
import dev.spike.core.OrderLog.Dead;
import dev.spike.core.OrderLog.Lag;
import dev.spike.core.OrderLog.Taken;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;

/**
 * What every order log must do for the relays that read it. Each test has a sale of its own, which
 * is not open when it begins.
 */
public abstract class OrderLogContract {

    private static final Duration MOMENT = Duration.ofMillis(20);
    private static final Duration AGES = Duration.ofDays(1);
    private static final List<Dead> DEAD = List.of(new Dead(null, "cannot be written"));

    /** The stock under test, which is its {@link OrderLog.Source}, too. */
    protected abstract RemoteSpike stock();

    /** Lets time pass on the store's clock. */
    protected abstract void passTime(Duration time);

    @AfterEach
    void conservationHolds() {
        Conservation.check(stock());
    }

    private OrderLog log(String group, String consumer) {
        return ((OrderLog.Source) stock()).orderLog(group, consumer);
    }

    private OrderLog consumer(String name) {
        return log("orders", name);
    }

    private void open(Duration hold) {
        stock().open(Sale.of(stock().saleId(), 10_000).withHold(hold));
    }

    /** The entry 1 is the opening, and then one for each of these. */
    private void openAndReserve(int entries) {
        open(Duration.ofMinutes(5));
        reserve("buyer", entries);
    }

    private void reserve(String prefix, int entries) {
        for (int i = 0; i < entries; i++) {
            ReservationId id = new ReservationId(prefix + i, "key");
            stock().reserve(List.of(new Request(id, 1)), Long.MAX_VALUE);
        }
    }

    private static List<Long> sequences(Taken taken) {
        return Objects.requireNonNull(taken).entries().stream()
                .map(LogEntry::sequence)
                .toList();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    private List<Long> inLog() {
        return stock().log(0).stream().map(LogEntry::sequence).toList();
    }

    @Test
    void absentSale_isNull_andMakesNothing() {
        OrderLog log = consumer("relay");
        assertThat(log.takeOwn(0, 10)).isNull();
        assertThat(log.takeIdle(Duration.ofMillis(10), 10)).isNull();
        assertThat(log.takeNew(10)).isNull();
        assertThat(log.acknowledge(List.of())).isNull();
        assertThat(log.pending(0, 10)).isEmpty();
        assertThat(stock().levels().phase()).isEqualTo(Levels.Phase.ABSENT);
    }

    @Test
    void takeNew_isOfTheWholeLog_inOrder_eachEntryOnceInItsGroup() {
        openAndReserve(5);
        stock().restock(new Operation("more", 5));
        assertThat(sequences(consumer("one").takeNew(2))).isEqualTo(range(1, 2));
        assertThat(sequences(consumer("two").takeNew(3))).isEqualTo(range(3, 5));
        assertThat(sequences(consumer("one").takeNew(10))).isEqualTo(range(6, 7));
        assertThat(consumer("two").takeNew(10).isEmpty()).isTrue();

        Taken other = log("mails", "one").takeNew(10);
        assertThat(other.entries()).isEqualTo(stock().log(0));
        assertThat(other.total()).isEqualTo(10_005);
        assertThat(other.last()).isEqualTo(7);
        assertThat(other.unreadable()).isEmpty();
    }

    @Test
    void total_isTheMostThatTheSaleHad_atTheseEntriesOrNow() {
        openAndReserve(1);
        stock().restock(new Operation("more", 7));
        stock().restock(new Operation("less", -20));
        assertThat(consumer("one").takeNew(2).total()).isEqualTo(10_000);
        assertThat(consumer("one").takeNew(1).total()).isEqualTo(10_007);
        assertThat(consumer("one").takeNew(1).total()).isEqualTo(9_987);
        stock().restock(new Operation("more-again", 50));
        assertThat(consumer("one").takeOwn(3, 10).total()).isEqualTo(10_037);
    }

    @Test
    void takeOwn_isWhatThisConsumerTook_andHasNotAcknowledged_pageByPage() {
        openAndReserve(5);
        consumer("one").takeNew(3);
        consumer("two").takeNew(1);
        consumer("one").takeNew(2);
        consumer("one").acknowledge(List.of(2L));
        assertThat(sequences(consumer("one").takeOwn(0, 2))).isEqualTo(List.of(1L, 3L));
        assertThat(sequences(consumer("one").takeOwn(3, 2))).isEqualTo(range(5, 6));
        assertThat(consumer("one").takeOwn(6, 2).isEmpty()).isTrue();
        assertThat(sequences(consumer("two").takeOwn(0, 2))).isEqualTo(List.of(4L));
        assertThat(consumer("new").takeOwn(0, 2).isEmpty()).isTrue();
    }

    @Test
    void takeIdle_isWhatOthersLeft_forSoLong_andIsTheirsNoMore() {
        openAndReserve(4);
        consumer("dead").takeNew(3);
        assertThat(consumer("alive").takeIdle(AGES, 10).isEmpty()).isTrue();
        passTime(MOMENT);
        consumer("busy").takeNew(1);
        assertThat(consumer("dead").takeIdle(MOMENT, 10).isEmpty())
                .as("its own")
                .isTrue();
        assertThat(sequences(consumer("alive").takeIdle(MOMENT, 2))).isEqualTo(range(1, 2));
        assertThat(sequences(consumer("alive").takeIdle(MOMENT, 2))).isEqualTo(List.of(3L));
        assertThat(consumer("dead").takeOwn(0, 10).isEmpty()).isTrue();
        assertThat(sequences(consumer("alive").takeOwn(0, 10))).isEqualTo(range(1, 3));
        passTime(MOMENT);
        assertThat(sequences(consumer("alive").takeIdle(MOMENT, 10))).isEqualTo(List.of(4L));
    }

    @Test
    void takeOwn_again_isAsIfItWereTakenNow() {
        openAndReserve(1);
        consumer("slow").takeNew(10);
        passTime(MOMENT);
        boolean inTime;
        do {
            Instant before = stock().levels().asOf();
            consumer("slow").takeOwn(0, 10);
            Taken idle = consumer("eager").takeIdle(MOMENT, 10);
            inTime = stock().levels().asOf().isBefore(before.plus(MOMENT));
            assertThat(inTime && !idle.isEmpty()).isFalse();
        } while (!inTime);
    }

    @Test
    void acknowledge_byAnybody_isTold_andOnce() {
        openAndReserve(3);
        consumer("one").takeNew(10);
        assertThat(consumer("two").acknowledge(List.of(1L, 2L, 99L)).events()).isEqualTo(2);
        assertThat(consumer("two").acknowledge(List.of(2L)).events()).isEqualTo(2);
        assertThat(sequences(consumer("one").takeOwn(0, 10))).isEqualTo(range(3, 4));
    }

    @Test
    void lag_countsFromTheOldestThatIsNotAcknowledged() {
        open(Duration.ofMinutes(5));
        assertThat(consumer("one").acknowledge(List.of())).isEqualTo(new Lag(0, Duration.ZERO, 0));
        reserve("buyer", 4);
        assertThat(consumer("one").acknowledge(List.of()).events()).isEqualTo(4);
        assertThat(stock().levels().backlog()).isEqualTo(4);
        consumer("one").takeNew(10);
        assertThat(consumer("one").acknowledge(List.of(1L, 2L, 4L)).events()).isEqualTo(3);
        passTime(MOMENT);
        Lag lag = consumer("one").acknowledge(List.of());
        assertThat(lag.age()).isGreaterThanOrEqualTo(MOMENT);
        assertThat(stock().levels().backlog()).isEqualTo(3);
        assertThat(consumer("one").acknowledge(List.of(3L, 5L)))
                .isEqualTo(new Lag(0, Duration.ZERO, 0));
        assertThat(stock().levels().backlog()).isZero();
    }

    @Test
    void orderWritten_onceEveryGroupHasAcknowledgedTheLastChange() {
        openAndReserve(1);
        consumer("one").takeNew(10);
        log("mails", "one").takeNew(10);
        consumer("one").acknowledge(range(1, 2));
        assertThat(isWritten()).isFalse();
        assertThat(stock().levels().backlog()).isEqualTo(1);
        log("mails", "one").acknowledge(range(1, 2));
        assertThat(isWritten()).isTrue();
        ReservationId id = new ReservationId("buyer0", "key");
        stock().settle(List.of(new Settlement(id, Outcome.CONFIRMED)), Long.MAX_VALUE);
        assertThat(isWritten()).isFalse();
    }

    private boolean isWritten() {
        return stock().find(new ReservationId("buyer0", "key")).orderWritten();
    }

    @Test
    void trim_neverWhatSomeGroupNeeds_orWhatMayStillExpire() {
        open(Duration.ofMillis(100));
        reserve("buyer", 400);
        consumer("one").takeNew(1_000);
        log("slow", "one").takeNew(1_000);
        log("slow", "one").acknowledge(range(1, 300));
        consumer("one").acknowledge(range(1, 401));
        passTime(Duration.ofMillis(100));
        stock().expire();
        assertThat(stock().log(300).get(0).sequence()).isEqualTo(301);
        while (stock().expire().levels().reserved() > 0) {
            passTime(Duration.ofMillis(2));
        }
        reserve("late", 1);
        long late = stock().levels().sequence();
        log("slow", "one").acknowledge(range(301, 401));
        consumer("one").takeNew(1_000);
        log("slow", "one").takeNew(1_000);
        consumer("one").acknowledge(range(402, late));
        log("slow", "one").acknowledge(range(402, late));
        stock().expire();
        consumer("one").acknowledge(List.of());
        assertThat(inLog()).contains(late).doesNotContain(1L, 100L);
    }

    @Test
    void pending_isWhatThisConsumerTook_pageByPage_andIsNotTakenByLooking() {
        openAndReserve(4);
        consumer("one").takeNew(2);
        consumer("two").takeNew(1);
        consumer("one").takeNew(2);
        consumer("one").acknowledge(List.of(2L));
        passTime(MOMENT);
        assertThat(consumer("one").pending(0, 2)).containsExactly(1L, 4L);
        assertThat(consumer("one").pending(1, 2)).containsExactly(4L, 5L);
        assertThat(consumer("one").pending(5, 2)).isEmpty();
        assertThat(sequences(consumer("two").takeIdle(MOMENT, 10))).containsExactly(1L, 4L, 5L);
        assertThat(consumer("one").pending(0, 2)).isEmpty();
    }

    /** One that was not made yet, or was destroyed. */
    @Test
    void absentGroup_hasNothingPending_andIsNotMadeByLooking() {
        openAndReserve(2);
        assertThat(log("mails", "one").pending(0, 10)).isEmpty();
        assertThat(log("mails", "one").bury(1, DEAD, null)).isEqualTo(Burial.NOT_NEEDED);
        consumer("one").takeNew(10);
        Lag lag = consumer("one").acknowledge(range(1, 3));
        assertThat(lag.deadLetters()).isZero();
        assertThat(stock().levels().backlog()).as("another group would keep it").isZero();
    }

    @Test
    void bury_waitsForOlderEntries_andForWhatOthersTookBefore() {
        openAndReserve(4);
        OrderLog relay = consumer("relay");
        OrderLog other = consumer("other");
        other.takeNew(1);
        relay.takeNew(1);
        assertThat(relay.bury(2, DEAD, null)).isEqualTo(Burial.NOT_YET);
        other.acknowledge(List.of(1L));
        other.takeNew(1);
        assertThat(relay.bury(2, DEAD, Duration.ZERO)).as("3 may free").isEqualTo(Burial.NOT_YET);
        assertThat(relay.bury(2, DEAD, AGES)).as("3 was taken since").isEqualTo(Burial.DONE);
        assertThat(relay.bury(2, DEAD, null)).isEqualTo(Burial.NOT_NEEDED);
        relay.takeNew(1);
        other.acknowledge(List.of(3L));
        assertThat(relay.bury(4, DEAD, Duration.ZERO)).isEqualTo(Burial.DONE);
        Lag lag = relay.acknowledge(List.of());
        assertThat(lag.deadLetters()).isEqualTo(2);
        assertThat(lag.events()).as("of the last, which nobody took").isEqualTo(1);
    }

    @Test
    void acknowledge_tooManyAtOnce_isRefused() {
        openAndReserve(1);
        List<Long> tooMany = range(1, OrderLog.MAX_ACKNOWLEDGED + 1L);
        assertThatThrownBy(() -> consumer("relay").acknowledge(tooMany))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("must be <= 1000: sequences.size=1001");
    }
}
