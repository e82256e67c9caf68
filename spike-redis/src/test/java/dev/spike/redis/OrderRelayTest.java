package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What a relay delivers, acknowledges and tells, and how it starts and ends. */
class OrderRelayTest extends OrderRelayCase {

    private final TestSink sink = new TestSink();

    private record Told(
            String buyer, String key, int quantity, Outcome state, Instant reservedAt) {}

    private static Told told(OrderEvent event) {
        ReservationId id = event.id();
        return new Told(id.buyer(), id.key(), event.quantity(), event.state(), event.reservedAt());
    }

    @Test
    void everyChange_arrivesInLogOrder_asItWasMade() {
        Duration hold = Duration.ofMinutes(5);
        stock.open(Sale.of(stock.saleId(), 10_000).withHold(hold));
        List<Told> expected = new ArrayList<>();
        List<String> buyers =
                List.of("李雷", "b".repeat(128), "🛒🎉", "a b|c,d\"e", "alice", "alice");
        for (int i = 0; i < buyers.size(); i++) {
            var made = reserve(buyers.get(i), "key" + i, i + 1).reservation();
            expected.add(new Told(
                    buyers.get(i),
                    "key" + i,
                    i + 1,
                    Outcome.RESERVED,
                    made.expiresAt().minus(hold)));
        }
        var own = reserve("bob", "bob", 300).reservation();
        expected.add(
                new Told("bob", "bob", 300, Outcome.RESERVED, own.expiresAt().minus(hold)));
        Instant later = own.expiresAt().minus(hold).plusMillis(20);
        await().until(() -> stock.levels().asOf().isAfter(later));
        for (int i = 0; i < buyers.size(); i++) {
            if (i % 2 == 0) {
                assertThat(settle(buyers.get(i), "key" + i, Outcome.RESERVED).outcome())
                        .isEqualTo(Outcome.RESERVED);
            }
            Outcome end = i % 3 == 0 ? Outcome.CONFIRMED : Outcome.CANCELLED;
            assertThat(settle(buyers.get(i), "key" + i, end).outcome()).isEqualTo(end);
            expected.add(new Told(
                    buyers.get(i), "key" + i, i + 1, end, expected.get(i).reservedAt()));
        }
        settle("nobody", "nobody", Outcome.CONFIRMED);
        OrderRelay relay = start(relay(sink));
        awaitAllAcknowledged(relay);
        assertThat(sink.events()).map(OrderRelayTest::told).isEqualTo(expected);
        assertThat(sink.events()).isEqualTo(logged());
    }

    @Test
    void expired_arrivesWithTheTimeAtWhichItWasReserved() {
        stock.open(Sale.of(stock.saleId(), 10_000).withHold(Duration.ofMillis(1)));
        reserveTogether("hasty", 512);
        reserve("hasty0", "again", 7);
        awaitAllExpired();
        List<OrderEvent> logged = logged();
        awaitAllAcknowledged(start(relay(sink)));
        List<OrderEvent> events = sink.events();
        assertThat(events).hasSize(2 * 513).isEqualTo(logged);
        assertThat(events.subList(513, 1026))
                .allSatisfy(event -> assertThat(event.state()).isEqualTo(Outcome.EXPIRED))
                .map(event -> List.of(event.id(), event.quantity(), event.reservedAt()))
                .isEqualTo(events.subList(0, 513).stream()
                        .map(event -> List.of(event.id(), event.quantity(), event.at()))
                        .toList());
    }

    @Test
    void fullBatches_mixedWithRefusals_arriveWhole() {
        stock.open(Sale.of(stock.saleId(), 700).withPerBuyer(1));
        reserveTogether("a", 512);
        reserveTogether("a", 512);
        reserveTogether("b", 512);
        OrderRelay relay = start(relay(sink).batch(1));
        awaitAllAcknowledged(relay);
        assertThat(sink.writes()).extracting(List::size).containsExactly(512, 188);
        assertThat(sink.events()).isEqualTo(logged());
    }

    @Test
    void entriesWithoutEvents_areAcknowledged_andNotDelivered() {
        stock.open(Sale.of(stock.saleId(), 10));
        stock.restock(new Operation("more", 5));
        reserve("alice", "alice", 1);
        assertThat(settle("alice", "alice", Outcome.RESERVED).outcome())
                .isEqualTo(Outcome.RESERVED);
        stock.closeSale();
        stock.reopenSale();
        OrderRelay relay = start(relay(sink));
        await().until(() -> sink.calls.get() == 1);
        awaitAllAcknowledged(relay);
        await().until(() -> acknowledged() == 6);
        assertThat(sink.events()).hasSize(1);
    }

    private long acknowledged() {
        return Long.parseLong(REDIS.client().hget(key("stock"), "acknowledged"));
    }

    @Test
    void sinkThatHangs_nothingIsAcknowledged_andTheLagTellsOfIt() {
        stock.open(Sale.of(stock.saleId(), 1_000));
        sink.refuses = event -> event.id().buyer().equals("poison");
        OrderRelay relay = start(relay(sink).tries(2));
        assertThat(relay.lag().age()).isZero();
        reserve("good", "good", 1);
        reserve("poison", "poison", 1);
        await().until(() -> relay.lag().equals(new OrderLog.Lag(0, Duration.ZERO, 1)));
        CountDownLatch gate = sink.hang();
        reserveTogether("held", 10);
        reserveEach("more", 5);
        await().until(() -> relay.lag().age().toMillis() >= 50);
        await().until(() -> !pending("orders").isEmpty());
        assertThat(relay.lag().events()).isEqualTo(15);
        assertThat(relay.lag().deadLetters()).isEqualTo(1);
        assertThat(stock.levels().backlog()).isEqualTo(15);
        gate.countDown();
        awaitAllAcknowledged(relay);
        assertThat(relay.lag()).isEqualTo(new OrderLog.Lag(0, Duration.ZERO, 1));
        assertThat(stock.levels().backlog()).isZero();
    }

    @Test
    void killedBeforeTheAcknowledgement_sameName_deliversItsOwnFirst() {
        stock.open(Sale.of(stock.saleId(), 1_000));
        List<String> buyers = reserveEach("buyer", 250);
        consumer("relay").takeNew(100);
        consumer("relay").takeNew(100);
        OrderRelay relay = start(relay(sink).consumer("relay").batch(30));
        awaitAllAcknowledged(relay);
        assertThat(sink.buyers()).isEqualTo(buyers);
    }

    @Test
    void killedBeforeTheAcknowledgement_anotherTakesOver_afterTheTimeAndNotBefore() {
        stock.open(Sale.of(stock.saleId(), 1_000));
        List<String> buyers = reserveEach("buyer", 150);
        consumer("dead").takeNew(100);
        OrderRelay patient = start(relay(sink).consumer("patient"));
        await().until(() -> sink.buyers().size() == 51);
        assertThat(pending("orders")).hasSize(100);
        TestSink taken = new TestSink();
        start(relay(taken).consumer("eager").takeOverAfter(Duration.ofMillis(50)));
        awaitAllAcknowledged(patient);
        assertThat(taken.buyers()).isEqualTo(buyers.subList(0, 99));
        assertThat(sink.buyers()).isEqualTo(buyers.subList(99, 150));
    }

    @Test
    void fourRelays_shareTheWork_eachEventOnce() {
        stock.open(Sale.of(stock.saleId(), 20_000));
        CyclicBarrier allAtWork = new CyclicBarrier(4);
        List<TestSink> sinks = Stream.generate(TestSink::new).limit(4).toList();
        List<OrderRelay> relays = IntStream.range(0, 4)
                .mapToObj(i -> {
                    AtomicBoolean first = new AtomicBoolean(true);
                    return start(relay((saleId, total, events) -> {
                                if (first.getAndSet(false)) {
                                    allAtWork.await(30, TimeUnit.SECONDS);
                                }
                                sinks.get(i).write(saleId, total, events);
                            })
                            .consumer("relay" + i)
                            .batch(10));
                })
                .toList();
        for (int entry = 0; entry < 1_000; entry++) {
            reserveTogether("buyer" + entry + "-", 20);
        }
        awaitAllAcknowledged(relays.get(0));
        List<OrderEvent> all =
                sinks.stream().flatMap(one -> one.events().stream()).toList();
        assertThat(all).hasSize(20_000);
        assertThat(new HashSet<>(all)).hasSize(20_000);
        assertThat(sinks).allSatisfy(one -> assertThat(one.events()).isNotEmpty());
    }

    @Test
    void twoGroups_eachGetsEverything() {
        stock.open(Sale.of(stock.saleId(), 100));
        TestSink mails = new TestSink();
        start(relay(sink));
        OrderRelay second = start(relay(mails).group("mails"));
        List<String> buyers = reserveEach("buyer", 50);
        await().until(() -> sink.buyers().equals(buyers) && mails.buyers().equals(buyers));
        await().until(() -> second.lag().events() == 0 && stock.levels().backlog() == 0);
    }

    @Test
    void lagOfAGroupThatHasNotBegun_isTheWholeLog() {
        stock.open(Sale.of(stock.saleId(), 10));
        OrderLog log = consumer("relay");
        assertThat(log.acknowledge(List.of())).isEqualTo(new OrderLog.Lag(0, Duration.ZERO, 0));
        reserveTogether("buyer", 5);
        assertThat(log.acknowledge(List.of()).events()).isEqualTo(5);
        assertThat(stock.levels().backlog()).isEqualTo(5);
        assertThat(acknowledged()).isZero();
    }

    @Test
    void startedBeforeTheSaleIsOpened_deliversOnceItIs() {
        OrderRelay relay = start(relay(sink));
        assertThat(relay.lag()).isEqualTo(new OrderLog.Lag(0, Duration.ZERO, 0));
        stock.open(Sale.of(stock.saleId(), 10));
        reserve("alice", "alice", 1);
        await().until(() -> sink.buyers().equals(List.of("alice")));
    }

    @Test
    void sinkThatInterruptsItsThread_relayGoesOn_andRests() {
        stock.open(Sale.of(stock.saleId(), 10));
        OrderRelay relay = start(relay((saleId, total, events) -> {
            sink.write(saleId, total, events);
            Thread.currentThread().interrupt();
        }));
        for (String buyer : List.of("alice", "bob")) {
            reserve(buyer, buyer, 1);
            await().until(() -> sink.buyers().contains(buyer));
            await().until(() -> !relayThreads().get(0).isInterrupted());
        }
        awaitAllAcknowledged(relay);
    }

    @Test
    void threadsOfTheApplication_areUsedByManyRelays_andLeftRunning() {
        stock.open(Sale.of(stock.saleId(), 100));
        ExecutorService callers = Executors.newFixedThreadPool(2);
        ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
        List<TestSink> sinks = Stream.generate(TestSink::new).limit(5).toList();
        List<OrderRelay> relays = IntStream.range(0, 5)
                .mapToObj(
                        i -> start(relay(sinks.get(i)).group("group" + i).threads(callers, timers)))
                .toList();
        List<String> buyers = reserveEach("buyer", 50);
        await().until(() -> sinks.stream().allMatch(one -> one.buyers().equals(buyers)));
        assertThat(relayThreads()).isEmpty();
        relays.forEach(OrderRelay::close);
        assertThat(relays.get(0).lag().events()).as("acknowledged at the end").isZero();
        callers.shutdown();
        assertThat(timers.shutdownNow())
                .as("turns that would begin")
                .allMatch(turn -> ((Future<?>) turn).isCancelled());
        await().until(callers::isTerminated);
    }

    @Test
    void threadsOfTheApplication_stoppedFirst_closeDoesNotWaitInVain() {
        stock.open(Sale.of(stock.saleId(), 100));
        ExecutorService callers = Executors.newFixedThreadPool(1);
        ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
        OrderRelay relay = start(relay(sink).threads(callers, timers));
        reserveEach("buyer", 5);
        await().until(() -> sink.buyers().size() == 5);
        timers.shutdownNow();
        callers.shutdown();
        await().until(callers::isTerminated);
        relay.close();
        assertThat(sink.buyers()).hasSize(5);
    }

    @Test
    void noThreadToBeHad_forAWhile_isNotTheEnd() {
        stock.open(Sale.of(stock.saleId(), 100));
        AtomicInteger turns = new AtomicInteger();
        ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
        ThreadPoolExecutor callers =
                new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>()) {
                    @Override
                    public void execute(Runnable turn) {
                        if (turns.incrementAndGet() < 4) {
                            throw new OutOfMemoryError("unable to create native thread");
                        }
                        super.execute(turn);
                    }
                };
        OrderRelay relay = start(relay(sink).threads(callers, timers));
        List<String> buyers = reserveEach("buyer", 5);
        await().until(() -> sink.buyers().equals(buyers));
        relay.close();
        timers.shutdownNow();
        callers.shutdownNow();
    }

    /** The timer's thread has begun a turn, and has not come back from that yet. */
    @Test
    void close_whileATurnIsBeingBegun_beginsNoSecondOneBesideIt() throws Exception {
        AtomicInteger turns = new AtomicInteger();
        CountDownLatch closed = new CountDownLatch(1);
        ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
        ThreadPoolExecutor callers =
                new ThreadPoolExecutor(2, 2, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>()) {
                    @Override
                    public void execute(Runnable turn) {
                        if (turns.incrementAndGet() != 2) {
                            super.execute(turn);
                            return;
                        }
                        stock.open(Sale.of(stock.saleId(), 10));
                        reserve("alice", "alice", 1);
                        sink.hang();
                        super.execute(turn);
                        try {
                            closed.await();
                        } catch (InterruptedException interrupted) {
                            Thread.currentThread().interrupt();
                        }
                    }
                };
        OrderRelay relay = start(relay(sink).threads(callers, timers));
        await().until(() -> sink.calls.get() == 1);
        Thread closing = new Thread(relay::close);
        closing.start();
        await().until(() -> !closing.isAlive()
                || Arrays.stream(closing.getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("awaitEnd")));
        sink.gate.countDown();
        closing.join();
        closed.countDown();
        assertThat(turns).hasValue(2);
        assertThat(sink.buyers()).containsExactly("alice");
        assertThat(pending("orders")).isEmpty();
        timers.shutdownNow();
        callers.shutdown();
        await().until(callers::isTerminated);
    }

    @Test
    void close_whileIdle_leavesNoThread() {
        stock.open(Sale.of(stock.saleId(), 10));
        OrderRelay relay = start(relay(sink));
        await().until(() -> acknowledged() == 1);
        relay.close();
        assertThat(relayThreads()).isEmpty();
        relay.close();
    }

    @Test
    void close_whileTheSinkHangs_isBounded_andTheNextRelayDelivers() throws Exception {
        stock.open(Sale.of(stock.saleId(), 1_000));
        reserveEach("buyer", 10);
        sink.hang();
        OrderRelay interruptible = start(relay(sink).consumer("one"));
        CountDownLatch deafGate = new CountDownLatch(1);
        CountDownLatch deafHangs = new CountDownLatch(1);
        OrderRelay deaf = start(relay((saleId, total, events) -> {
                    deafHangs.countDown();
                    boolean open = false;
                    while (!open) {
                        try {
                            open = deafGate.await(1, TimeUnit.MINUTES);
                        } catch (InterruptedException ignored) {
                            open = false;
                        }
                    }
                    throw new IllegalStateException("too late");
                })
                .group("deaf"));
        await().until(() -> sink.calls.get() == 1 && deafHangs.getCount() == 0);
        CompletableFuture.allOf(
                        CompletableFuture.runAsync(interruptible::close),
                        CompletableFuture.runAsync(deaf::close))
                .get(20, TimeUnit.SECONDS);
        await().until(() -> relayThreads().size() == 1);
        assertThat(sink.calls).hasValue(1);
        deafGate.countDown();
        await().until(() -> relayThreads().isEmpty());
        assertThat(pending("orders")).hasSize(11);
        TestSink next = new TestSink();
        start(relay(next).consumer("one"));
        TestSink nextDeaf = new TestSink();
        start(relay(nextDeaf).group("deaf"));
        await().until(() -> next.buyers().size() == 10 && nextDeaf.buyers().size() == 10);
    }

    @Test
    void close_whileTheSinkWrites_waitsAndAcknowledges() {
        stock.open(Sale.of(stock.saleId(), 10));
        reserve("alice", "alice", 1);
        CountDownLatch gate = sink.hang();
        OrderRelay relay = start(relay(sink));
        await().until(() -> sink.calls.get() == 1);
        CompletableFuture<Void> closing = CompletableFuture.runAsync(relay::close);
        await().until(() -> Arrays.stream(relayThreads().get(0).getStackTrace())
                .anyMatch(frame -> frame.getMethodName().equals("write")));
        gate.countDown();
        closing.join();
        assertThat(pending("orders")).isEmpty();
    }

    @Test
    void orderWritten_onlyOnceTheLastChangeIsAcknowledged() {
        stock.open(Sale.of(stock.saleId(), 10));
        CountDownLatch gate = sink.hang();
        OrderRelay relay = start(relay(sink));
        reserve("alice", "alice", 1);
        await().until(() -> sink.calls.get() == 1);
        assertThat(isWritten("alice")).isFalse();
        gate.countDown();
        await().until(() -> isWritten("alice"));
        gate = sink.hang();
        settle("alice", "alice", Outcome.CONFIRMED);
        await().until(() -> sink.calls.get() == 2);
        assertThat(isWritten("alice")).isFalse();
        gate.countDown();
        await().until(() -> isWritten("alice"));
        awaitAllAcknowledged(relay);
    }

    private boolean isWritten(String buyer) {
        return stock.find(new ReservationId(buyer, buyer)).orderWritten();
    }

    @Test
    void orderOfAnOverdueHold_isNotWritten_untilItIsSwept() {
        stock.open(Sale.of(stock.saleId(), 10).withHold(Duration.ofMillis(1)));
        OrderRelay relay = start(relay(sink));
        reserve("alice", "alice", 1);
        awaitAllAcknowledged(relay);
        var id = new ReservationId("alice", "alice");
        await().until(() -> stock.find(id).reservation().state() == Outcome.EXPIRED);
        assertThat(stock.find(id).orderWritten()).isFalse();
        awaitAllExpired();
        await().until(() -> isWritten("alice"));
        assertThat(sink.events())
                .extracting(OrderEvent::state)
                .containsExactly(Outcome.RESERVED, Outcome.EXPIRED);
    }

    @Test
    void backlogReached_newReservationsAreUnavailable_untilTheSinkRecovers() {
        stock.open(Sale.of(stock.saleId(), 10_000));
        CountDownLatch gate = sink.hang();
        start(relay(sink));
        try (Spike node = Spike.builder(stock)
                .orderBacklog(50)
                .syncEvery(Duration.ofMillis(20))
                .timeout(Duration.ofSeconds(10))
                .start()) {
            node.sync();
            List<ReservationId> holders = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                var answer = node.reserve("buyer" + i, 1);
                assertThat(answer.outcome()).as("buyer " + i).isEqualTo(Outcome.RESERVED);
                holders.add(answer.reservation().id());
            }
            assertThat(node.reserve("late", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
            assertThat(node.confirm(holders.get(0)).outcome()).isEqualTo(Outcome.CONFIRMED);
            assertThat(node.cancel(holders.get(1)).outcome()).isEqualTo(Outcome.CANCELLED);
            assertThat(node.reserve("late", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
            gate.countDown();
            await().until(() -> node.reserve("late", 1).outcome() == Outcome.RESERVED);
        }
    }
}
