package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.FaultySpike.Fault;
import dev.spike.core.RemoteSpike.Request;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

@Timeout(30)
class SpikeTest {

    private static final Duration NEVER = Duration.ofMinutes(30);
    private static final Duration PATIENT = Duration.ofSeconds(10);

    private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
    private final RemoteSpike stock =
            new InMemorySpike("ticket", () -> Clock.systemUTC().instant().plus(clockOffset.get()));
    private final FaultySpike remote = new FaultySpike(stock);
    private final List<Spike> spikes = new ArrayList<>();

    @AfterEach
    void closeAndConserve() {
        remote.gate.countDown();
        remote.always = null;
        spikes.forEach(Spike::close);
        Conservation.check(stock);
    }

    private Spike start(SpikeBuilder builder) {
        Spike spike = builder.start();
        spikes.add(spike);
        await().until(() -> remote.levelCalls.get() > 0);
        return spike;
    }

    /** A node of a sale of this total that looks at the levels only when it must. */
    private Spike open(long total) {
        stock.open(Sale.of("ticket", total));
        return start(Spike.builder(remote).timeout(PATIENT).syncEvery(NEVER));
    }

    private static Answer join(CompletionStage<Answer> stage) {
        return stage.toCompletableFuture().orTimeout(20, SECONDS).join();
    }

    private static Map<Outcome, Long> outcomes(Stream<CompletionStage<Answer>> stages) {
        return stages.toList().stream()
                .map(SpikeTest::join)
                .collect(Collectors.groupingBy(Answer::outcome, Collectors.counting()));
    }

    @Test
    void reserve_manyMoreBuyersThanUnits_exactlyTotal() {
        Spike spike = open(1_000);
        Map<Outcome, Long> outcomes = outcomes(
                IntStream.range(0, 5_000).mapToObj(i -> spike.reserveAsync("buyer" + i, 1)));
        assertThat(outcomes.get(Outcome.RESERVED)).isEqualTo(1_000);
        assertThat(outcomes.get(Outcome.ALL_RESERVED)).isEqualTo(4_000);
        assertThat(spike.unitsReserved()).isEqualTo(1_000);
    }

    @Test
    void reserve_fourNodesUnevenLoad_exactlyTotal_andNoSoldOutWhileUnitsAreLeft() {
        stock.open(Sale.of("ticket", 2_000));
        List<Spike> nodes = IntStream.range(0, 4)
                .mapToObj(i ->
                        start(Spike.builder(remote).timeout(PATIENT).nodes(4).buffer(0.0)))
                .toList();
        // 70 % of the buyers come to the first node, whose quota is a quarter of the stock.
        Map<Outcome, Long> outcomes = outcomes(IntStream.range(0, 2_000)
                .mapToObj(i -> nodes.get(i % 10 < 7 ? 0 : i % 10 - 6)
                        .reserveAsync("buyer" + i, "key" + i, 1)));
        assertThat(outcomes).isEqualTo(Map.of(Outcome.RESERVED, 2_000L));
        assertThat(nodes.get(0).reserve("late", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
    }

    @Test
    void reserve_quotaOfOneUnit_isOnlyAReasonToLook() {
        stock.open(Sale.of("ticket", 50));
        Spike spike = start(Spike.builder(remote).timeout(PATIENT).quota(1).syncEvery(NEVER));
        Map<Outcome, Long> outcomes =
                outcomes(IntStream.range(0, 50).mapToObj(i -> spike.reserveAsync("buyer" + i, 1)));
        assertThat(outcomes).isEqualTo(Map.of(Outcome.RESERVED, 50L));
    }

    @Test
    void reserve_arrivalsDuringACall_areTheNextCallsBatch() {
        Spike spike = open(100);
        CountDownLatch held = remote.hold();
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        answers.add(spike.reserveAsync("first", 1));
        await().until(() -> remote.reserveCalls.get() == 1);
        IntStream.range(0, 20).forEach(i -> answers.add(spike.reserveAsync("buyer" + i, 1)));
        held.countDown();
        assertThat(outcomes(answers.stream())).isEqualTo(Map.of(Outcome.RESERVED, 21L));
        assertThat(remote.batches).extracting(List::size).containsExactly(1, 20);
    }

    @Test
    void reserve_wholeBatchWaitsDuringACall_isASecondCall_andThereIsNoThird() {
        Spike spike = open(5_000);
        CountDownLatch held = remote.hold();
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        answers.add(spike.reserveAsync("first", 1));
        await().until(() -> remote.reserveCalls.get() == 1);
        IntStream.range(1, RemoteSpike.MAX_BATCH)
                .forEach(i -> answers.add(spike.reserveAsync("buyer" + i, 1)));
        await().during(Duration.ofMillis(50)).until(() -> remote.reserveCalls.get() == 1);
        answers.add(spike.reserveAsync("last", 1));
        await().until(() -> remote.reserveCalls.get() == 2);
        IntStream.range(0, 3 * RemoteSpike.MAX_BATCH)
                .forEach(i -> answers.add(spike.reserveAsync("late" + i, 1)));
        await().during(Duration.ofMillis(50)).until(() -> remote.reserveCalls.get() == 2);
        held.countDown();
        assertThat(outcomes(answers.stream()))
                .isEqualTo(Map.of(Outcome.RESERVED, 1L + 4 * RemoteSpike.MAX_BATCH));
        assertThat(remote.batches).extracting(List::size).startsWith(1, RemoteSpike.MAX_BATCH);
        assertThat(remote.batches.stream().flatMap(List::stream)).doesNotHaveDuplicates();
    }

    @Test
    void bothCallsHang_theirRequestsAreUnknown_andThoseThatWaitAreUnavailable() {
        stock.open(Sale.of("ticket", 5_000));
        Spike spike = start(Spike.builder(remote).timeout(Duration.ofSeconds(1)).syncEvery(NEVER));
        remote.hold();
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        answers.add(spike.reserveAsync("first", 1));
        await().until(() -> remote.reserveCalls.get() == 1);
        IntStream.range(0, RemoteSpike.MAX_BATCH)
                .forEach(i -> answers.add(spike.reserveAsync("buyer" + i, 1)));
        await().until(() -> remote.reserveCalls.get() == 2);
        answers.add(spike.reserveAsync("last", 1));
        assertThat(outcomes(answers.stream()))
                .isEqualTo(Map.of(
                        Outcome.UNKNOWN, 1L + RemoteSpike.MAX_BATCH, Outcome.UNAVAILABLE, 1L));
    }

    @Test
    void repliesOfTwoCallsLost_bothAreSentAgain_andSellOnce() {
        Spike spike = open(5_000);
        CountDownLatch held = remote.hold();
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        answers.add(spike.reserveAsync("first", "key", 1));
        await().until(() -> remote.reserveCalls.get() == 1);
        IntStream.range(0, RemoteSpike.MAX_BATCH)
                .forEach(i -> answers.add(spike.reserveAsync("buyer" + i, "key", 1)));
        await().until(() -> remote.reserveCalls.get() == 2);
        remote.next(Fault.REPLY_LOST, Fault.REPLY_LOST, Fault.CALL_LOST, Fault.REPLY_LOST);
        held.countDown();
        assertThat(outcomes(answers.stream()))
                .isEqualTo(Map.of(Outcome.RESERVED, 1L + RemoteSpike.MAX_BATCH));
        assertThat(stock.levels().reserved()).isEqualTo(1 + RemoteSpike.MAX_BATCH);
    }

    @Test
    void reserve_soldOut_isRefusedWithoutACall() {
        Spike spike = open(1);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        int calls = remote.reserveCalls.get();
        for (int i = 0; i < 1_000; i++) {
            assertThat(spike.reserve("buyer", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        }
        assertThat(remote.reserveCalls).hasValue(calls);
    }

    @Test
    void reserve_moreThanIsAvailable_isSoldOut_whileFewerStillSell() {
        Spike spike = open(3);
        assertThat(spike.reserve("alice", 2).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.reserve("bob", 2).outcome()).isEqualTo(Outcome.SOLD_OUT);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void repeatByAHolder_onAnotherNodeAfterSoldOut_isTheSameReservation() {
        stock.open(Sale.of("ticket", 10));
        Spike first = start(Spike.builder(remote));
        Spike second = start(Spike.builder(remote).syncEvery(Duration.ofMillis(20)));
        List<Reservation> held = IntStream.range(0, 10)
                .mapToObj(i -> first.reserve("buyer" + i, "key" + i, 1).reservation())
                .toList();
        await().until(() -> second.levels().orElseThrow().available() == 0);
        // The first of these may still ask; once the holders are known, nobody new does.
        await().untilAsserted(() -> {
            int before = remote.reserveCalls.get();
            assertThat(second.reserve("stranger", "key0", 1).outcome())
                    .isEqualTo(Outcome.ALL_RESERVED);
            assertThat(remote.reserveCalls).hasValue(before);
        });
        for (int i = 0; i < 10; i++) {
            Answer repeat = second.reserve("buyer" + i, "key" + i, 1);
            assertThat(repeat.outcome()).isEqualTo(Outcome.RESERVED);
            assertThat(repeat.repeated()).isTrue();
            assertThat(repeat.reservation()).isEqualTo(held.get(i));
        }
        int calls = remote.reserveCalls.get();
        IntStream.range(0, 100)
                .forEach(i -> assertThat(second.reserve("new" + i, "key" + i, 1).outcome())
                        .isEqualTo(Outcome.ALL_RESERVED));
        assertThat(remote.reserveCalls).hasValue(calls);
    }

    @Test
    void holders_afterUnitsCameBackAndSoldAgain_areLoadedAnew() {
        stock.open(Sale.of("ticket", 1));
        Spike node = start(Spike.builder(remote).syncEvery(Duration.ofMillis(10)));
        Spike other = start(Spike.builder(remote).syncEvery(Duration.ofMillis(10)));
        ReservationId alice = new ReservationId("alice", "key");
        node.reserve("alice", "key", 1);
        await().until(() -> isRefusedWithoutACall(node, "stranger"));
        other.cancel(alice);
        await().until(() -> other.reserve("bob", "key", 1).outcome() == Outcome.RESERVED);
        await().until(() -> node.levels().orElseThrow().reservations() == 2);
        assertThat(node.reserve("bob", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
        await().until(() -> isRefusedWithoutACall(node, "stranger"));
        assertThat(node.reserve("bob", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void holders_thatChangedWhileTheyWereLoaded_areNotTrusted() {
        stock.open(Sale.of("ticket", 1));
        Spike node = start(Spike.builder(remote).syncEvery(NEVER));
        node.reserve("alice", "key", 1);
        CountDownLatch strangerAnswered = new CountDownLatch(1);
        CountDownLatch changed = new CountDownLatch(1);
        remote.afterPage = () -> {
            awaitLatch(strangerAnswered);
            ReservationId alice = new ReservationId("alice", "key");
            stock.settle(
                    List.of(new RemoteSpike.Settlement(alice, Outcome.CANCELLED)), Long.MAX_VALUE);
            stock.reserve(List.of(new Request(new ReservationId("bob", "key"), 1)), Long.MAX_VALUE);
            node.sync();
            changed.countDown();
        };
        assertThat(node.reserve("stranger", "key", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        strangerAnswered.countDown();
        awaitLatch(changed);
        await().during(Duration.ofMillis(200))
                .until(() -> node.reserve("bob", "key", 1).outcome() == Outcome.RESERVED);
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean isRefusedWithoutACall(Spike spike, String buyer) {
        int before = remote.reserveCalls.get();
        Outcome outcome = spike.reserve(buyer, "key", 1).outcome();
        return outcome == Outcome.ALL_RESERVED && remote.reserveCalls.get() == before;
    }

    @Test
    void cancelThroughThisNode_reopensItAtOnce() {
        Spike spike = open(1);
        Answer alice = spike.reserve("alice", 1);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        assertThat(spike.cancel(alice.reservation().id()).outcome()).isEqualTo(Outcome.CANCELLED);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void cancelThroughAnotherNode_reopensWithTheNextSync() {
        stock.open(Sale.of("ticket", 1));
        Spike spike = start(Spike.builder(remote).syncEvery(Duration.ofMillis(20)));
        Spike other = start(Spike.builder(remote));
        Answer alice = spike.reserve("alice", 1);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        other.cancel(alice.reservation().id());
        await().until(() -> spike.reserve("bob", 1).outcome() == Outcome.RESERVED);
    }

    @Test
    void confirmAndFind_passThrough() {
        Spike spike = open(1);
        ReservationId id = spike.reserve("alice", 1).reservation().id();
        assertThat(spike.find(id).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.confirm(id).outcome()).isEqualTo(Outcome.CONFIRMED);
        assertThat(spike.cancel(id).outcome()).isEqualTo(Outcome.CONFIRMED);
        assertThat(spike.find(id).outcome()).isEqualTo(Outcome.CONFIRMED);
        assertThat(spike.find(new ReservationId("bob", "key")).outcome())
                .isEqualTo(Outcome.NOT_FOUND);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.SOLD_OUT);
    }

    @Test
    void replyLost_theSameBatchIsSentAgain_andSellsOnce() {
        Spike spike = open(5);
        remote.next(Fault.REPLY_LOST, Fault.REPLY_LOST);
        Answer answer = spike.reserve("alice", "key", 2);
        assertThat(answer.outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(remote.reserveCalls).hasValue(3);
        assertThat(Set.copyOf(remote.batches)).hasSize(1);
        assertThat(stock.levels().reserved()).isEqualTo(2);
    }

    @Test
    void repliesLostUntilTheDeadline_isUnknown_andARepeatResolvesIt() {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        spike.reserve("first", 1);
        remote.always = Fault.REPLY_LOST;
        assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        remote.always = null;
        Answer repeat = spike.reserve("alice", "key", 1);
        assertThat(repeat.outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(repeat.repeated()).isTrue();
        assertThat(stock.levels().reserved()).isEqualTo(2);
    }

    @Test
    void lookBeforeTheCallLost_isUnavailable_sinceNothingWasSent() {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        await().until(() -> spike.levels().isPresent());
        remote.always = Fault.REPLY_LOST;
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(remote.reserveCalls).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource(names = {"REFUSED", "NO_CONNECTION"})
    void certainlyNeverRun_isUnavailable(Fault fault) {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        remote.always = fault;
        Answer answer = spike.reserve("alice", 1);
        assertThat(answer.outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(answer.retryAfter()).isPositive();
        assertThat(stock.levels().available()).isEqualTo(5);
    }

    @Test
    void refusedOnce_isTriedAgain_butNoConnectionIsToldAtOnce() {
        Spike spike = open(5);
        remote.next(Fault.REFUSED);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        remote.next(Fault.NO_CONNECTION);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(remote.reserveCalls).hasValue(3);
    }

    @Test
    void onceLost_thenRefused_staysUnknown() {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        spike.reserve("first", 1);
        remote.next(Fault.CALL_LOST);
        remote.always = Fault.REFUSED;
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
    }

    @Test
    void onceLost_thenNoConnection_staysUnknown_andTellsTheIdThatResolvesIt() {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        spike.reserve("first", 1);
        remote.next(Fault.REPLY_LOST);
        remote.always = Fault.NO_CONNECTION;
        Answer answer = spike.reserve("alice", 1);
        assertThat(answer.outcome()).isEqualTo(Outcome.UNKNOWN);
        remote.always = null;
        assertThat(spike.find(answer.id()).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.cancel(answer.id()).outcome()).isEqualTo(Outcome.CANCELLED);
    }

    @Test
    void close_racedByManyCallers_answersEachOfThem_andThrowsAtNone() throws Exception {
        stock.open(Sale.of("ticket", 1_000_000));
        ExecutorService callers = Executors.newFixedThreadPool(6);
        for (int round = 0; round < 60; round++) {
            Spike spike = Spike.builder(remote)
                    .timeout(Duration.ofMillis(5))
                    .syncEvery(NEVER)
                    .start();
            remote.always =
                    round % 3 == 0 ? null : round % 3 == 1 ? Fault.REFUSED : Fault.REPLY_LOST;
            CountDownLatch closing = new CountDownLatch(1);
            List<Future<Outcome>> last = new ArrayList<>();
            for (int caller = 0; caller < 6; caller++) {
                last.add(callers.submit(() -> {
                    Outcome outcome = spike.reserve(1).outcome();
                    while (closing.getCount() > 0) {
                        outcome = spike.reserve(1).outcome();
                    }
                    return spike.reserve(1).outcome();
                }));
            }
            CompletableFuture<Void> closed = CompletableFuture.runAsync(spike::close);
            closing.countDown();
            closed.orTimeout(10, SECONDS).join();
            for (Future<Outcome> outcome : last) {
                assertThat(outcome.get(10, SECONDS)).isNotNull();
            }
        }
        callers.shutdown();
    }

    @Test
    void callHangs_itsRequestsAreUnknown_andThoseThatWaitAreUnavailable_byTheirDeadlines() {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        remote.hold();
        CompletionStage<Answer> inFlight = spike.reserveAsync("alice", 1);
        await().until(() -> remote.reserveCalls.get() == 1);
        CompletionStage<Answer> waiting = spike.reserveAsync("bob", 1);
        assertThat(join(inFlight).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(join(waiting).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(remote.reserveCalls).hasValue(1);
    }

    @Test
    void callThatRunsAfterItsDeadline_changesNothing() {
        stock.open(Sale.of("ticket", 5));
        Spike spike =
                start(Spike.builder(remote).timeout(Duration.ofMillis(500)).syncEvery(NEVER));
        CountDownLatch held = remote.hold();
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        clockOffset.set(Duration.ofSeconds(1));
        held.countDown();
        await().until(() -> spike.reserve("bob", "key", 1).outcome() == Outcome.RESERVED);
        assertThat(stock.levels().reserved()).isEqualTo(1);
    }

    @Test
    void clientThatRepeatsByItself_andTellsThatTheRepeatCameTooLate_isUnknown() {
        stock.open(Sale.of("ticket", 5));
        FaultySpike repeating = new FaultySpike(stock) {
            @Override
            public Reply reserve(List<Request> batch, long notAfterMillis) {
                Reply first = super.reserve(batch, notAfterMillis);
                return new Reply(first.levels(), List.of(), true);
            }
        };
        try (Spike spike =
                Spike.builder(repeating).timeout(Duration.ofMillis(300)).start()) {
            Answer answer = spike.reserve("alice", 1);
            assertThat(answer.outcome()).isEqualTo(Outcome.UNKNOWN);
            assertThat(stock.find(answer.id())).isNotNull();
        }
    }

    @Test
    void storeClockJumps_sellingGoesOn() {
        Spike spike = open(5);
        for (Duration jump : List.of(Duration.ofHours(1), Duration.ofHours(-1), Duration.ZERO)) {
            clockOffset.set(jump);
            assertThat(spike.reserve("buyer", 1).outcome()).isEqualTo(Outcome.RESERVED);
        }
    }

    @Test
    void queueFull_isUnavailableWithADelay() {
        stock.open(Sale.of("ticket", 1_000));
        Spike spike = start(Spike.builder(remote).queueLimit(10).syncEvery(NEVER));
        CountDownLatch held = remote.hold();
        List<CompletionStage<Answer>> answers =
                new ArrayList<>(List.of(spike.reserveAsync("first", 1)));
        await().until(() -> remote.reserveCalls.get() == 1);
        IntStream.range(0, 100).forEach(i -> answers.add(spike.reserveAsync("buyer" + i, 1)));
        Answer refused = join(answers.get(100));
        assertThat(refused.outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(refused.retryAfter()).isPositive();
        held.countDown();
        assertThat(outcomes(answers.stream()))
                .isEqualTo(Map.of(Outcome.RESERVED, 11L, Outcome.UNAVAILABLE, 90L));
    }

    @Test
    void absentSale_isNotOpen_withoutACall_untilItIsOpened() {
        Spike spike = start(Spike.builder(remote).syncEvery(NEVER));
        await().until(() -> spike.levels().isPresent());
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.NOT_OPEN);
        assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.NOT_OPEN);
        assertThat(remote.reserveCalls).hasValue(0);
        assertThat(spike.open(Sale.of("ticket", 1))).isEqualTo(RemoteSpike.Opening.OPENED);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void openingTime_isKeptWithoutWaitingForASync() {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
        FaultySpike counting = new FaultySpike(new InMemorySpike("ticket", now::get));
        counting.open(Sale.of("ticket", 1).withOpening(Instant.ofEpochSecond(10), null));
        try (Spike spike = Spike.builder(counting)
                .syncEvery(NEVER)
                .nanoTime(() -> TimeUnit.MILLISECONDS.toNanos(now.get().toEpochMilli()))
                .start()) {
            assertThat(spike.sync()).isPresent();
            now.set(Instant.ofEpochMilli(9_999));
            assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.NOT_OPEN);
            assertThat(counting.reserveCalls).hasValue(0);
            now.set(Instant.ofEpochSecond(10));
            assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        }
    }

    @Test
    void closedSale_holdersAreStillAnswered() {
        Instant closes = Clock.systemUTC().instant().plusSeconds(60);
        stock.open(Sale.of("ticket", 5).withOpening(null, closes));
        Spike spike = start(Spike.builder(remote).syncEvery(Duration.ofMillis(20)));
        assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
        clockOffset.set(Duration.ofSeconds(61));
        await().until(() -> spike.reserve("bob", 1).outcome() == Outcome.CLOSED);
        await().until(() -> {
            int before = remote.reserveCalls.get();
            return spike.reserve("bob", "key", 1).outcome() == Outcome.CLOSED
                    && remote.reserveCalls.get() == before;
        });
        assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void storeThatLostItsWrites_isNoticed_andSellingStops() {
        stock.open(Sale.of("ticket", 5));
        RemoteSpike restarted = new InMemorySpike("ticket", Clock.systemUTC());
        restarted.open(Sale.of("ticket", 5));
        Spike spike = start(Spike.builder(remote).syncEvery(NEVER));
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        remote.stock = restarted;
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(spike.haltReason().orElseThrow()).contains("was replaced");
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(spike.reserve("bob", "key", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
    }

    @Test
    void backlogReached_isUnavailable_butASoldOutSaleSaysSo_andHoldersAreTold() {
        stock.open(Sale.of("ticket", 2));
        Spike spike = start(Spike.builder(remote).syncEvery(NEVER).orderBacklog(5));
        assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
        remote.onLevels = levels -> withBacklog(levels, 5);
        spike.sync();
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        await().untilAsserted(() ->
                assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.RESERVED));
        remote.onLevels = levels -> withBacklog(levels, 4);
        spike.sync();
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.RESERVED);
        remote.onLevels = levels -> withBacklog(levels, 5);
        spike.sync();
        assertThat(spike.reserve("carol", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        stock.closeSale();
        spike.sync();
        assertThat(spike.reserve("carol", 1).outcome()).isEqualTo(Outcome.CLOSED);
    }

    @Test
    void storeWhoseSequenceWentBack_isNoticed_andSellingStops() {
        Spike spike = open(5);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        remote.onLevels = levels -> withSequence(levels, levels.sequence() - 1);
        assertThat(spike.sync()).isEmpty();
        assertThat(spike.haltReason().orElseThrow()).contains("sequence 2 went back to 1");
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
    }

    @Test
    void replyOvertakenByAnother_doesNotBringBackOldLevels() {
        Spike spike = open(2);
        assertThat(spike.reserve("first", 1).outcome()).isEqualTo(Outcome.RESERVED);
        CountDownLatch looked = new CountDownLatch(1);
        CountDownLatch overtaken = new CountDownLatch(1);
        remote.onLevels = levels -> {
            looked.countDown();
            awaitLatch(overtaken);
            return levels;
        };
        CompletableFuture<?> slowLook = CompletableFuture.runAsync(spike::sync);
        awaitLatch(looked);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        overtaken.countDown();
        slowLook.orTimeout(10, SECONDS).join();
        assertThat(spike.levels().orElseThrow().available()).isZero();
        assertThat(spike.haltReason()).isEmpty();
    }

    private static Levels withSequence(Levels levels, long sequence) {
        return with(levels, sequence, levels.backlog());
    }

    private static Levels withBacklog(Levels levels, long backlog) {
        return with(levels, levels.sequence(), backlog);
    }

    private static Levels with(Levels levels, long sequence, long backlog) {
        return new Levels(
                levels.phase(),
                levels.ledger(),
                sequence,
                levels.total(),
                levels.available(),
                levels.reserved(),
                levels.sold(),
                levels.reservations(),
                backlog,
                levels.opensAt(),
                levels.closesAt(),
                levels.asOf());
    }

    @Test
    void firstOfTwoCallsAnsweredLast_doesNotBringBackOldLevels() {
        Spike spike = open(1_000);
        CountDownLatch overtaken = new CountDownLatch(1);
        AtomicBoolean isFirst = new AtomicBoolean(true);
        remote.afterReserve = () -> {
            if (isFirst.getAndSet(false)) {
                awaitLatch(overtaken);
            }
        };
        CompletionStage<Answer> first = spike.reserveAsync("first", 1);
        await().until(() -> stock.levels().reserved() == 1);
        List<CompletionStage<Answer>> batch = IntStream.range(0, RemoteSpike.MAX_BATCH)
                .mapToObj(i -> spike.reserveAsync("buyer" + i, 1))
                .toList();
        assertThat(outcomes(batch.stream()))
                .isEqualTo(Map.of(Outcome.RESERVED, (long) RemoteSpike.MAX_BATCH));
        long available = 1_000 - 1 - RemoteSpike.MAX_BATCH;
        assertThat(spike.levels().orElseThrow().available()).isEqualTo(available);
        assertThat(first.toCompletableFuture()).isNotDone();
        overtaken.countDown();
        assertThat(join(first).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.levels().orElseThrow().available()).isEqualTo(available);
        assertThat(spike.haltReason()).isEmpty();
    }

    @Test
    void damagedStore_stopsTheSale() {
        Spike spike = open(5);
        remote.next(Fault.DAMAGED);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(spike.haltReason()).contains("DAMAGED");
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
    }

    @ParameterizedTest
    @CsvSource({"6, -1", "4, 0", "6, 0", "5, 1"})
    void levelsBelowZero_orNotTheTotal_stopTheSale(long available, long reserved) {
        Spike spike = open(5);
        remote.onLevels = levels -> new Levels(
                levels.phase(),
                levels.ledger(),
                levels.sequence() + 1,
                levels.total(),
                available,
                reserved,
                levels.sold(),
                levels.reservations(),
                levels.backlog(),
                levels.opensAt(),
                levels.closesAt(),
                levels.asOf());
        assertThat(spike.sync()).isEmpty();
        assertThat(spike.haltReason().orElseThrow())
                .contains("total=5 available=" + available + " reserved=" + reserved);
        assertThat(spike.levels().orElseThrow().conservationError())
                .isEqualTo(5 - available - reserved);
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(remote.reserveCalls).hasValue(0);
    }

    @Test
    void haltedSale_sendsNothingMore_notEvenWhatWaited() {
        Spike spike = open(5);
        CountDownLatch held = remote.hold();
        CompletionStage<Answer> inFlight = spike.reserveAsync("alice", 1);
        await().until(() -> remote.reserveCalls.get() == 1);
        CompletionStage<Answer> waiting = spike.reserveAsync("bob", 1);
        remote.next(Fault.DAMAGED);
        held.countDown();
        assertThat(join(inFlight).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(join(waiting).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(spike.confirm(new ReservationId("alice", "key")).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        assertThat(remote.reserveCalls).hasValue(1);
    }

    @Test
    void errorInTheStore_stopsTheSale_insteadOfTheThread() {
        Spike spike = open(5);
        spike.reserve("first", 1);
        remote.onReserve = () -> {
            throw new AssertionError("planted");
        };
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(spike.haltReason().orElseThrow()).contains("planted");
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
    }

    @Test
    void storeAwayForThreeSyncs_soldOutIsNoLongerAFact() {
        stock.open(Sale.of("ticket", 1));
        Spike spike = start(Spike.builder(remote)
                .timeout(Duration.ofMillis(100))
                .syncEvery(Duration.ofMillis(50)));
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        remote.always = Fault.REFUSED;
        await().until(() -> spike.reserve("bob", 1).outcome() == Outcome.UNAVAILABLE);
        remote.always = null;
        await().until(() -> spike.reserve("bob", 1).outcome() == Outcome.ALL_RESERVED);
    }

    static Stream<Function<Spike, Answer>> waysToReserve() {
        return Stream.of(
                spike -> spike.reserve("bob", 1),
                spike -> spike.reserve("bob", "key", 1),
                spike -> spike.reserveAsync(1).toCompletableFuture().join());
    }

    @ParameterizedTest
    @MethodSource("waysToReserve")
    void nodeThatStoodStill_asksAgain_beforeItsNextSync(Function<Spike, Answer> reserve) {
        AtomicLong nanos = new AtomicLong();
        stock.open(Sale.of("ticket", 1));
        Spike spike = start(Spike.builder(remote).syncEvery(NEVER).nanoTime(nanos::get));
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        // By itself, once it knows the keys.
        await().until(() -> {
            int calls = remote.reserveCalls.get();
            return reserve.apply(spike).outcome() == Outcome.ALL_RESERVED
                    && remote.reserveCalls.get() == calls;
        });
        stock.restock(new RemoteSpike.Operation("one-more", 1));

        nanos.addAndGet(NEVER.multipliedBy(3).toNanos());
        assertThat(reserve.apply(spike).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        nanos.incrementAndGet();
        assertThat(reserve.apply(spike).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void nodeThatHearsNothing_refusesWhoHasNoName_forThreeSyncs_andThenAsks() {
        AtomicLong nanos = new AtomicLong();
        stock.open(Sale.of("ticket", 1));
        Spike spike = start(Spike.builder(remote).syncEvery(NEVER).nanoTime(nanos::get));
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        stock.restock(new RemoteSpike.Operation("one-more", 1));

        nanos.addAndGet(NEVER.multipliedBy(3).toNanos());
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        nanos.incrementAndGet();
        await().until(() -> spike.reserve(1).outcome() == Outcome.RESERVED);
    }

    @Test
    void nodeThatStoodStill_whileAReplyWaitedForIt_asksAgain() {
        AtomicLong nanos = new AtomicLong();
        stock.open(Sale.of("ticket", 1));
        Spike spike = start(Spike.builder(remote).syncEvery(NEVER).nanoTime(nanos::get));
        remote.afterReserve = () -> {
            stock.restock(new RemoteSpike.Operation("one-more", 1));
            nanos.addAndGet(NEVER.multipliedBy(4).toNanos());
        };
        spike.reserve("alice", "key", 1);
        remote.afterReserve = () -> {};
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void replyLost_underAKeyOfTheNodesOwn_isNoRepeat() {
        Spike spike = open(5);
        remote.next(Fault.REPLY_LOST);
        Answer answer = spike.reserve("alice", 1);
        assertThat(answer.outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(answer.repeated()).isFalse();
        assertThat(spike.unitsReserved()).isEqualTo(1);
    }

    @Test
    void nullArguments_areMisuse_andTheSaleStillSells() {
        Spike spike = open(5);
        assertThatThrownBy(() -> spike.confirm(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> spike.cancelAsync(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> spike.reserve(null, 1)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> spike.reserve("alice", null, 1))
                .isInstanceOf(NullPointerException.class);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
    }

    @Test
    void threadsOfTheApplication_areLeftRunning_andLeftAlone() {
        stock.open(Sale.of("ticket", 1));
        ExecutorService callers = Executors.newCachedThreadPool();
        ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1);
        timers.setRemoveOnCancelPolicy(true);
        Spike spike = Spike.builder(remote).threads(callers, timers).start();
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        spike.close();
        await().until(() -> timers.getQueue().isEmpty());
        assertThat(callers.isShutdown()).isFalse();
        callers.shutdown();
        timers.shutdown();
    }

    @Test
    void executorThatRefuses_isUnavailable_andNeverAnException() {
        stock.open(Sale.of("ticket", 1));
        ExecutorService callers = Executors.newCachedThreadPool();
        ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1);
        Spike spike = Spike.builder(remote).threads(callers, timers).start();
        spikes.add(spike);
        assertThat(spike.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(spike.sync()).isPresent();
        callers.shutdown();
        assertThat(spike.confirm(new ReservationId("alice", "key")).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        // The thread that served alice may still be there to serve bob.
        assertThat(spike.reserve("bob", "key", 1).outcome())
                .isIn(Outcome.UNAVAILABLE, Outcome.ALL_RESERVED);
        timers.shutdownNow();
    }

    @Test
    void executorWithoutAThreadForASecondCall_leavesItToTheFirst() {
        stock.open(Sale.of("ticket", 5_000));
        AtomicBoolean full = new AtomicBoolean();
        AtomicBoolean refused = new AtomicBoolean();
        ExecutorService callers = refusingWhile(full, refused);
        ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1);
        Spike spike = start(
                Spike.builder(remote).threads(callers, timers).timeout(PATIENT).syncEvery(NEVER));
        CountDownLatch held = remote.hold();
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        answers.add(spike.reserveAsync("first", 1));
        await().until(() -> remote.reserveCalls.get() == 1);
        full.set(true);
        IntStream.range(0, 1_000).forEach(i -> answers.add(spike.reserveAsync("buyer" + i, 1)));
        assertThat(refused).isTrue();
        held.countDown();
        assertThat(outcomes(answers.stream())).isEqualTo(Map.of(Outcome.RESERVED, 1_001L));
        spike.close();
        timers.shutdownNow();
        callers.shutdownNow();
    }

    private static ExecutorService refusingWhile(AtomicBoolean full, AtomicBoolean refused) {
        return refusingWhile(full, refused, false);
    }

    private static ExecutorService refusingWhile(
            AtomicBoolean full, AtomicBoolean refused, boolean forWantOfThreads) {
        return new ThreadPoolExecutor(0, 9, 1, SECONDS, new SynchronousQueue<>()) {
            @Override
            public void execute(Runnable task) {
                if (full.get()) {
                    refused.set(true);
                    if (forWantOfThreads) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    throw new RejectedExecutionException("full");
                }
                super.execute(task);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void executorThatRefusesForAWhile_doesNotEndTheSync(boolean forWantOfThreads) {
        stock.open(Sale.of("ticket", 1));
        AtomicBoolean full = new AtomicBoolean();
        AtomicBoolean refused = new AtomicBoolean();
        ExecutorService callers = refusingWhile(full, refused, forWantOfThreads);
        ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1);
        spikes.add(Spike.builder(remote)
                .threads(callers, timers)
                .syncEvery(Duration.ofMillis(10))
                .start());
        full.set(true);
        await().untilTrue(refused);
        full.set(false);
        int before = remote.levelCalls.get();
        await().until(() -> remote.levelCalls.get() > before + 3);
    }

    @Test
    void interruptedCaller_sendsNothing() {
        Spike spike = open(5);
        Thread.currentThread().interrupt();
        try {
            assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(remote.reserveCalls).hasValue(0);
    }

    @Test
    void close_waitsForWhatIsUnderWay_andRefusesTheRest() {
        Spike spike = open(5);
        CountDownLatch held = remote.hold();
        CompletionStage<Answer> inFlight = spike.reserveAsync("alice", 1);
        await().until(() -> remote.reserveCalls.get() == 1);
        CompletableFuture<Void> closing = CompletableFuture.runAsync(spike::close);
        await().until(() -> join(spike.reserveAsync("bob", 1)).outcome() == Outcome.UNAVAILABLE);
        held.countDown();
        assertThat(join(inFlight).outcome()).isEqualTo(Outcome.RESERVED);
        closing.orTimeout(5, TimeUnit.SECONDS).join();
        assertThat(spike.confirm(new ReservationId("alice", "key")).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
    }

    @Test
    void interruptedWaiter_isToldUnknown_andStaysInterrupted() throws InterruptedException {
        Spike spike = open(5);
        remote.hold();
        AtomicReference<Answer> answer = new AtomicReference<>();
        AtomicBoolean stayedInterrupted = new AtomicBoolean();
        Thread waiter = new Thread(() -> {
            answer.set(spike.reserve("alice", 1));
            stayedInterrupted.set(Thread.currentThread().isInterrupted());
        });
        waiter.start();
        await().until(() -> remote.reserveCalls.get() == 1);
        waiter.interrupt();
        waiter.join(10_000);
        assertThat(answer.get().outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(stayedInterrupted).isTrue();
    }

    @Test
    void malformedArguments_areNamed_andChangeNothing() {
        Spike spike = open(5);
        assertMisuse("must be > 0: quantity=0", () -> spike.reserve("alice", 0));
        assertMisuse("must be > 0: quantity=-1", () -> spike.reserveAsync("alice", "key", -1));
        assertMisuse("buyer=", () -> spike.reserve("", 1));
        assertMisuse("buyer=a\nb", () -> spike.reserve("a\nb", 1));
        assertMisuse("buyer=", () -> spike.reserve("\ud800", 1));
        assertMisuse("buyer=", () -> spike.reserve("é".repeat(65), 1));
        assertMisuse("key=", () -> spike.reserve("alice", "", 1));
        assertMisuse("key=a b", () -> spike.reserve("alice", "a b", 1));
        assertMisuse("must be >= 1: nodes=0", () -> Spike.builder(remote).nodes(0));
        assertMisuse("buffer=NaN", () -> Spike.builder(remote).buffer(Double.NaN));
        assertMisuse("timeout=PT0S", () -> Spike.builder(remote).timeout(Duration.ZERO));
        assertThat(stock.levels().available()).isEqualTo(5);
    }

    private static void assertMisuse(String message, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
