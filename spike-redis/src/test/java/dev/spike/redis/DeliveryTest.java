package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.OrderSink;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

class DeliveryTest {

    private final TestSink sink = new TestSink();
    private final Delivery delivery = new Delivery(sink, "sale", () -> false);

    private static List<OrderEvent> events(String prefix, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new OrderEvent(
                        2,
                        new ReservationId(prefix + i, "key"),
                        1,
                        Outcome.RESERVED,
                        Instant.EPOCH,
                        Instant.EPOCH))
                .toList();
    }

    private void refuse(String prefix) {
        sink.refuses = event -> event.id().buyer().startsWith(prefix);
    }

    private List<OrderEvent> refused(List<OrderEvent> events) throws Delivery.Outage {
        return delivery.deliver(events, events, 100).stream()
                .map(OrderLog.Dead::event)
                .toList();
    }

    private void assertOutage(Delivery delivery, List<OrderEvent> events) {
        assertThatThrownBy(() -> delivery.deliver(events, events, 100))
                .isInstanceOf(Delivery.Outage.class);
    }

    private static List<OrderEvent> join(List<OrderEvent> first, List<OrderEvent> second) {
        List<OrderEvent> joined = new ArrayList<>(first);
        joined.addAll(second);
        return joined;
    }

    @Test
    void allAccepted_areOneWrite() throws Exception {
        List<OrderEvent> events = events("good", 1_000);
        assertThat(refused(events)).isEmpty();
        assertThat(sink.writes()).containsExactly(events);
        assertThat(refused(List.of())).isEmpty();
    }

    @Test
    void onePoisonEvent_isFound_withItsError_andAllOthersAreWritten() throws Exception {
        List<OrderEvent> good = events("good", 999);
        List<OrderEvent> poison = events("poison", 1);
        refuse("poison");
        List<OrderEvent> all = join(join(good.subList(0, 500), poison), good.subList(500, 999));
        assertThat(delivery.deliver(all, all, 100))
                .containsExactly(new OrderLog.Dead(
                        poison.get(0), "java.lang.IllegalArgumentException: cannot write poison0"));
        assertThat(sink.events()).containsAll(good).doesNotContainAnyElementsOf(poison);
        assertThat(sink.calls).hasValueLessThan(100);
    }

    @Test
    void sinkThatSaysWhomToBlame_isBelieved() throws Exception {
        List<OrderEvent> good = events("good", 3);
        Delivery toldRefused = new Delivery(
                (sale, total, events) -> {
                    throw new OrderSink.RefusedException("one too many", null);
                },
                "sale",
                () -> false);
        assertThat(toldRefused.deliver(good, good, 100))
                .as("though nothing was ever accepted")
                .hasSize(3);

        AtomicInteger writes = new AtomicInteger();
        Delivery toldAway = new Delivery(
                (sale, total, events) -> {
                    if (writes.incrementAndGet() == 2) {
                        throw new OrderSink.UnavailableException(
                                new IllegalStateException(new IllegalStateException("full")));
                    }
                },
                "sale",
                () -> false);
        assertThat(toldAway.deliver(good, good, 100)).isEmpty();
        assertThatThrownBy(() -> toldAway.deliver(good, good, 100))
                .as("though a probe would be accepted")
                .isInstanceOf(Delivery.Outage.class)
                .hasMessageContaining("full");
        assertThat(writes).hasValue(2);
    }

    @Test
    void sinkThatBlamesOthers_isThere() throws Exception {
        List<OrderEvent> poison = events("poison", 1);
        List<OrderEvent> tooMany = events("good", 3);
        Delivery fresh = new Delivery(
                (sale, total, events) -> {
                    if (events.contains(poison.get(0))) {
                        throw new IllegalArgumentException("cannot write");
                    }
                    throw new OrderSink.RefusedException("one too many", null);
                },
                "sale",
                () -> false);
        assertThat(fresh.deliver(join(poison, tooMany), join(poison, tooMany), 100))
                .hasSize(4);
        assertThatThrownBy(() -> fresh.deliver(poison, poison, 100))
                .as("alone")
                .isInstanceOf(Delivery.Outage.class);
    }

    @Test
    void sinkAway_isAnOutage_andNothingIsRefused() throws Exception {
        sink.away = true;
        assertOutage(delivery, events("good", 100));
        sink.away = false;
        refused(events("good", 100));
        sink.away = true;
        assertOutage(delivery, events("more", 100));
        assertOutage(delivery, events("one", 1));
    }

    @Test
    void sinkGoesAway_atWhicheverWriteOfTheSearch_isAnOutage() throws Exception {
        List<OrderEvent> events = join(events("good", 20), events("poison", 2));
        for (int writes = 0, outages = 0; outages == writes; writes++) {
            AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
            OrderSink leaving = (saleId, total, some) -> {
                if (left.getAndDecrement() <= 0) {
                    throw new IOException("away");
                }
                sink.write(saleId, total, some);
            };
            refuse("poison");
            Delivery fresh = new Delivery(leaving, "sale", () -> false);
            fresh.deliver(events("before", 1), List.of(), 100);
            left.set(writes);
            try {
                List<OrderLog.Dead> refused = fresh.deliver(events, events, 100);
                assertThat(refused)
                        .extracting(OrderLog.Dead::event)
                        .containsExactlyElementsOf(events("poison", 2));
            } catch (Delivery.Outage away) {
                outages++;
            }
            assertThat(writes).isLessThan(100);
        }
    }

    @Test
    void poisonFirst_ofAFreshDelivery_isAnOutage_untilAnotherIsAccepted() throws Exception {
        List<OrderEvent> poison = events("poison", 1);
        refuse("poison");
        assertOutage(delivery, poison);
        assertOutage(delivery, poison);
        assertThat(refused(join(poison, events("good", 1)))).isEqualTo(poison);
        assertThat(refused(poison)).isEqualTo(poison);
    }

    @Test
    void onlyEventOfAFreshDelivery_failsOnce_isAnOutage_andNotRefused() throws Exception {
        List<OrderEvent> event = events("good", 1);
        sink.refuses = any -> sink.calls.get() == 1;
        assertOutage(delivery, event);
        assertThat(refused(event)).isEmpty();
    }

    @Test
    void manyPoisonEventsFirst_ofAFreshDelivery_areFound() throws Exception {
        List<OrderEvent> poison = events("poison", 512);
        refuse("poison");
        assertThat(refused(join(poison, events("good", 100)))).isEqualTo(poison);
    }

    @Test
    void almostAllPoison_ofAFreshDelivery_areFound_afterAFewTries() throws Exception {
        List<OrderEvent> poison = events("poison", 100);
        List<OrderEvent> all =
                join(join(poison.subList(0, 50), events("good", 1)), poison.subList(50, 100));
        refuse("poison");
        Set<OrderEvent> refused = new HashSet<>();
        for (int tries = 0; refused.isEmpty(); tries++) {
            assertThat(tries).isLessThan(100);
            try {
                refused.addAll(refused(all));
            } catch (Delivery.Outage notYet) {
                assertThat(sink.events()).isEmpty();
            }
        }
        assertThat(refused).isEqualTo(Set.copyOf(poison));
    }

    @Test
    void lastAcceptedEvent_refusedFromNowOn_doesNotHideThatTheSinkIsThere() throws Exception {
        refused(events("stale", 1));
        sink.refuses = event -> !event.id().buyer().startsWith("good");
        List<OrderEvent> poison = events("poison", 1);
        assertThat(refused(join(poison, events("good", 5)))).isEqualTo(poison);
    }

    @Test
    void anError_isAFailureLikeAnother() throws Exception {
        List<OrderEvent> poison = events("poison", 1);
        Delivery delivery = new Delivery(
                (saleId, total, events) -> {
                    if (events.contains(poison.get(0))) {
                        throw new StackOverflowError("deep");
                    }
                },
                "sale",
                () -> false);
        List<OrderEvent> all = join(poison, events("good", 10));
        assertThat(delivery.deliver(all, all, 100))
                .containsExactly(
                        new OrderLog.Dead(poison.get(0), "java.lang.StackOverflowError: deep"));
    }

    @Test
    void stopping_endsTheSearch_atTheFirstFailure() {
        sink.away = true;
        assertOutage(new Delivery(sink, "sale", () -> true), events("good", 100));
        assertThat(sink.calls).hasValue(1);
    }
}
