package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.Sale;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import redis.clients.jedis.StreamEntryID;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Sinks that are away, and events that cannot be written. */
class OrderRelayFaultsTest extends OrderRelayCase {

    private final TestSink sink = new TestSink();

    @BeforeEach
    void open() {
        stock.open(Sale.of(stock.saleId(), 100_000));
    }

    private void refuse(String prefix) {
        sink.refuses = event -> event.id().buyer().startsWith(prefix);
    }

    /** Tries few times, and takes over what seems left behind, so that mistakes show. */
    private OrderRelayBuilder hastyRelay() {
        return relay(sink).tries(2).takeOverAfter(Duration.ofMillis(50));
    }

    private void awaitCalls(int more) {
        int until = sink.calls.get() + more;
        await().until(() -> sink.calls.get() >= until);
    }

    /** Longer than it takes to fail twice. */
    private void assertNothingIsPutAsideForAWhile() {
        awaitCalls(5);
        await().during(Duration.ofSeconds(1)).until(() -> deadLetters().isEmpty());
    }

    private List<Long> sequencesOf(String prefix) {
        return logged().stream()
                .filter(event -> event.id().buyer().startsWith(prefix))
                .map(OrderEvent::sequence)
                .distinct()
                .toList();
    }

    @Test
    void sinkAway_aFreshRelayHolds_andWritesAllAfterwards() {
        sink.away = true;
        OrderRelay relay = start(hastyRelay());
        List<String> buyers = reserveEach("buyer", 300);
        assertNothingIsPutAsideForAWhile();
        assertThat(relay.lag().events()).isEqualTo(300);
        sink.away = false;
        awaitAllAcknowledged(relay);
        assertThat(sink.buyers()).containsAll(buyers);
        assertThat(deadLetters()).isEmpty();
    }

    @Test
    void sinkGoesAway_nothingIsPutAside_andAllIsWrittenAfterwards() {
        OrderRelay relay = start(hastyRelay());
        reserveEach("before", 1);
        awaitAllAcknowledged(relay);
        sink.away = true;
        List<String> buyers = reserveEach("buyer", 300);
        assertNothingIsPutAsideForAWhile();
        sink.away = false;
        awaitAllAcknowledged(relay);
        assertThat(sink.buyers()).containsAll(buyers);
        assertThat(deadLetters()).isEmpty();
    }

    @Test
    void sinkGoesAway_whilePoisonIsSought_onlyThePoisonIsPutAside() {
        AtomicBoolean left = new AtomicBoolean();
        refuse("poison");
        OrderRelay relay = start(OrderRelay.of(stock, (saleId, total, events) -> {
                    if (events.size() == 2 && left.compareAndSet(false, true)) {
                        sink.away = true;
                    }
                    sink.write(saleId, total, events);
                })
                .tries(2)
                .takeOverAfter(Duration.ofDays(1)));
        reserveEach("before", 1);
        awaitAllAcknowledged(relay);
        List<String> good = reserveTogether("good", 99);
        List<String> poison = reserveTogether("poison", 3);
        List<String> more = reserveEach("more", 99);
        await().until(() -> sink.away);
        assertNothingIsPutAsideForAWhile();
        sink.away = false;
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).isEqualTo(poison);
        assertThat(sink.buyers()).containsAll(good).containsAll(more);
    }

    @Test
    void afterAnOutage_noWriteIsLargerThanABatch() {
        sink.away = true;
        OrderRelay relay = start(relay(sink).batch(10));
        reserveEach("buyer", 60);
        await().until(() -> pending("orders").size() > 20);
        sink.away = false;
        awaitAllAcknowledged(relay);
        assertThat(sink.writes()).allSatisfy(write -> assertThat(write).hasSizeLessThan(11));
    }

    @Test
    void onePoisonEventAmongAThousand_isPutAside_withItsError() {
        sink.refuses = event -> event.id().buyer().equals("poison617");
        List<String> buyers = reserveTogether("poison", 512);
        OrderRelay relay = start(relay(sink).tries(3));
        var poison = reserve("poison617", "some-key", 3).reservation();
        List<String> more = reserveEach("more", 487);
        awaitAllAcknowledged(relay);
        assertThat(deadLetters())
                .containsExactly(Map.of(
                        "entry",
                        "3-0",
                        "group",
                        "orders",
                        "id",
                        poison.id().toString(),
                        "buyer",
                        "poison617",
                        "key",
                        "some-key",
                        "quantity",
                        "3",
                        "state",
                        "RESERVED",
                        "reserved_at_ms",
                        Long.toString(
                                poison.expiresAt().minus(Sale.DEFAULT_HOLD).toEpochMilli()),
                        "error",
                        "java.lang.IllegalArgumentException: cannot write poison617"));
        assertThat(sink.buyers()).containsAll(buyers).containsAll(more);
        assertThat(relay.lag().deadLetters()).isEqualTo(1);
    }

    @Test
    void poison_doesNotHoldUpTheOthers() {
        refuse("poison");
        reserveEach("before", 1);
        start(relay(sink).tries(1_000));
        reserveEach("poison", 3);
        List<String> good = reserveEach("good", 100);
        await().until(() -> sink.buyers().containsAll(good));
        assertThat(pending("orders")).containsAll(sequencesOf("poison"));
        assertThat(deadLetters()).isEmpty();
    }

    @Test
    void poisonThatHeals_beforeItsTriesAreUsedUp_isWritten() {
        AtomicInteger triesAlone = new AtomicInteger();
        refuse("poison");
        OrderRelay relay = start(relay((saleId, total, events) -> {
                    if (events.size() == 1
                            && events.get(0).id().buyer().equals("poison0")
                            && triesAlone.incrementAndGet() == 4) {
                        refuse("nobody");
                    }
                    sink.write(saleId, total, events);
                })
                .tries(5));
        reserveTogether("good", 10);
        await().until(() -> sink.buyers().contains("good0"));
        reserveEach("poison", 1);
        awaitAllAcknowledged(relay);
        assertThat(sink.buyers()).contains("poison0");
        assertThat(deadLetters()).isEmpty();
    }

    @Test
    void poisonSideBySide_andAsTheLastOfAll_isPutAside_inLogOrder() {
        refuse("poison");
        OrderRelay relay = start(relay(sink).tries(2));
        List<String> good = reserveTogether("good", 30);
        List<String> poison = reserveEach("poison", 5);
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).isEqualTo(poison);
        assertThat(sink.buyers()).containsAll(good);
    }

    @Test
    void poisonAsTheFirstOfAll_isHeld_untilTheSinkAcceptedAnother() {
        refuse("poison");
        OrderRelay relay = start(relay(sink).tries(2));
        List<String> poison = reserveEach("poison", 1);
        awaitCalls(4);
        assertThat(deadLetters()).isEmpty();
        List<String> good = reserveEach("good", 1);
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).isEqualTo(poison);
        assertThat(sink.buyers()).containsAll(good);
    }

    @Test
    void wholeEntriesOfPoison_asTheFirstOfAll_arePutAside() {
        refuse("poison");
        List<String> poison = reserveTogether("poison", 512);
        List<String> good = reserveTogether("good", 60);
        OrderRelay relay = start(relay(sink).tries(2));
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).isEqualTo(poison);
        assertThat(sink.buyers()).containsAll(good);
    }

    @Test
    void poison_isPutAside_onlyOnceAllOlderEntriesAreAcknowledged() {
        refuse("poison");
        reserveEach("older", 1);
        List<Long> older = consumer("dead").takeNew(10).entries().stream()
                .map(entry -> entry.sequence())
                .toList();
        OrderRelay relay = start(relay(sink).tries(2));
        reserveEach("good", 1);
        List<String> poison = reserveEach("poison", 1);
        await().until(() -> sink.buyers().contains("good0"));
        awaitCalls(6);
        assertThat(deadLetters()).isEmpty();
        consumer("dead").acknowledge(older);
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).isEqualTo(poison);
    }

    @Test
    void entryThatMakesNoSense_isPutAside_andTheOthersGoOn() {
        reserveEach("before", 1);
        long next = stock.levels().sequence() + 1;
        REDIS.client().xadd(key("log"), new StreamEntryID(next, 0), Map.of("t", "never"));
        REDIS.client().hset(key("stock"), "sequence", Long.toString(next));
        reserveEach("after", 1);
        awaitAllAcknowledged(start(relay(sink).tries(2)));
        assertThat(sink.events()).hasSize(2);
        assertThat(deadLetters()).hasSize(1);
        assertThat(deadLetters().get(0))
                .containsEntry("entry", next + "-0")
                .hasEntrySatisfying("error", error -> assertThat(error).contains("unreadable"));
    }

    @Test
    void burying_waitsForWhatAnotherRelayTookBefore_alsoIfThatIsNewer() {
        reserveTogether("poison", 1);
        OrderLog log = consumer("relay");
        log.takeNew(10);
        log.acknowledge(List.of(1L));
        reserveTogether("frees-units", 1);
        consumer("other").takeNew(10);
        List<OrderLog.Dead> dead = List.of(new OrderLog.Dead(null, "one too many"));
        assertThat(log.bury(2, dead, Duration.ZERO)).isEqualTo(OrderLog.Burial.NOT_YET);
        assertThat(log.bury(2, dead, Duration.ofDays(1)))
                .as("the other took it after these tries began")
                .isEqualTo(OrderLog.Burial.DONE);

        reserveTogether("poison-two", 1);
        log.takeNew(10);
        consumer("other").acknowledge(List.of(3L));
        reserveTogether("frees-more", 1);
        consumer("other").takeNew(10);
        assertThat(log.bury(4, dead, Duration.ZERO)).isEqualTo(OrderLog.Burial.NOT_YET);
        consumer("other").acknowledge(List.of(5L));
        assertThat(log.bury(4, dead, Duration.ZERO)).isEqualTo(OrderLog.Burial.DONE);
    }

    @Test
    void burying_isOneStepWithTheAcknowledgement_andDoneOnce() {
        reserveTogether("poison", 2);
        OrderLog log = consumer("relay");
        List<OrderEvent> events = log.takeNew(10).entries().stream()
                .flatMap(entry -> entry.events().stream())
                .toList();
        List<OrderLog.Dead> dead =
                events.stream().map(event -> new OrderLog.Dead(event, "broken")).toList();
        assertThat(log.bury(2, dead, null)).isEqualTo(OrderLog.Burial.NOT_YET);
        assertThat(pending("orders")).containsExactly(1L, 2L);
        assertThat(deadLetters()).isEmpty();
        log.acknowledge(List.of(1L));
        assertThat(log.bury(2, dead, null)).isEqualTo(OrderLog.Burial.DONE);
        assertThat(pending("orders")).isEmpty();
        assertThat(log.bury(2, dead, null)).isEqualTo(OrderLog.Burial.NOT_NEEDED);
        reserveTogether("good", 2);
        log.takeNew(10);
        assertThat(log.bury(2, dead, null)).isEqualTo(OrderLog.Burial.NOT_NEEDED);
        assertThat(deadBuyers()).containsExactly("poison0", "poison1");
    }

    @Test
    void poisonTakenOverBackAndForth_isPutAsideOnce() {
        refuse("poison");
        for (int i = 0; i < 3; i++) {
            start(hastyRelay().consumer("relay" + i).tries(4));
        }
        List<String> poison = reserveEach("poison", 2);
        List<String> good = reserveEach("good", 30);
        OrderRelay relay = start(hastyRelay().consumer("relay3").tries(4));
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).isEqualTo(poison);
        assertThat(sink.buyers()).containsAll(good);
        List<String> more = reserveEach("more", 30);
        awaitAllAcknowledged(relay);
        assertThat(sink.buyers()).containsAll(more);
    }

    @Test
    void thousandsOfPoisonEntries_behindOneThatADeadRelayTook_doNotLockTheRelay() {
        refuse("poison");
        reserveEach("older", 1);
        consumer("dead").takeNew(10);
        reserveEach("good", 1);
        reserveEach("poison", 1_100);
        OrderRelay relay = start(relay(sink).tries(2).takeOverAfter(Duration.ofSeconds(2)));
        await().until(() -> sink.buyers().contains("older0"));
        refuse("nobody");
        awaitAllAcknowledged(relay);
        assertThat(deadLetters().size() + new HashSet<>(sink.buyers()).size()).isEqualTo(1_102);
    }

    @Test
    void errorOfTheSink_isPoisonToo() {
        OrderRelay relay = start(OrderRelay.of(stock, (saleId, total, events) -> {
                    if (events.stream().anyMatch(event -> event.quantity() == 7)) {
                        throw new StackOverflowError("deep");
                    }
                    sink.write(saleId, total, events);
                })
                .tries(2));
        reserveEach("good", 10);
        reserve("poison", "poison", 7);
        List<String> more = reserveEach("more", 10);
        awaitAllAcknowledged(relay);
        assertThat(deadBuyers()).containsExactly("poison");
        assertThat(sink.buyers()).containsAll(more);
    }

    @Test
    void totalReducedBeforeTheRelayCame_ordersFromBefore_areMeasuredByTheirTotal() {
        List<Long> totals = new CopyOnWriteArrayList<>();
        reserveEach("before", 1);
        stock.restock(new Operation("less", -40));
        OrderRelay relay = start(relay((saleId, total, events) -> totals.add(total)));
        awaitAllAcknowledged(relay);
        reserve("after", "after", 1);
        awaitAllAcknowledged(relay);
        assertThat(totals).containsExactly(100_000L, 99_960L);
    }

    @Test
    void takenUnderItsName_byACallThatRanLate_isDelivered() {
        OrderRelay relay =
                start(relay(sink).consumer("relay").takeOverAfter(Duration.ofMillis(50)));
        reserveEach("first", 1);
        awaitAllAcknowledged(relay);
        int late = 0;
        do {
            reserveEach("late" + late++ + "-", 5);
        } while (consumer("relay").takeNew(10).isEmpty());
        awaitAllAcknowledged(relay);
        assertThat(new HashSet<>(sink.buyers())).hasSize(1 + 5 * late);
    }

    @Test
    void storeLost_andOpenedAnew_itsEntriesAreNotTakenForThoseThatWereRefused() {
        refuse("poison");
        OrderRelay relay = start(relay(sink).tries(1_000));
        reserveEach("good", 1);
        reserveEach("poison", 3);
        awaitCalls(10);
        REDIS.client().del(key("stock"), key("reservations"), key("log"));
        open();
        List<String> buyers = reserveEach("anew", 5);
        await().until(() -> sink.buyers().containsAll(buyers));
        awaitAllAcknowledged(relay);
        assertThat(deadLetters()).isEmpty();
    }

    @Test
    void total_isThatOfTheSale_alsoAfterItWasRaised() {
        List<Long> totals = new CopyOnWriteArrayList<>();
        OrderRelay relay = start(relay((saleId, total, events) -> totals.add(total)));
        reserveEach("one", 1);
        awaitAllAcknowledged(relay);
        stock.restock(new Operation("more", 11));
        settle("one0", "one0", Outcome.CONFIRMED);
        awaitAllAcknowledged(relay);
        assertThat(totals).containsExactly(100_000L, 100_011L);
    }
}
