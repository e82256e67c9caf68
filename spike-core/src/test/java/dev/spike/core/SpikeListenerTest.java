package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.spike.core.FaultySpike.Fault;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.SpikeListener.Call;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What a listener is told, and what a node tells when asked. */
@Timeout(30)
class SpikeListenerTest {

    private static final Duration NEVER = Duration.ofMinutes(30);
    private static final ReservationId NOBODY = new ReservationId("nobody", "key");

    private record Made(
            Call call, int size, boolean again, @Nullable Kind failure) {}

    private static class Told implements SpikeListener {
        final List<String> answers = Collections.synchronizedList(new ArrayList<>());
        final List<String> settlements = Collections.synchronizedList(new ArrayList<>());
        final List<Made> calls = Collections.synchronizedList(new ArrayList<>());
        final List<Long> nanos = Collections.synchronizedList(new ArrayList<>());
        final List<String> halts = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void answered(Outcome outcome, boolean local) {
            answers.add(outcome + (local ? " local" : ""));
        }

        @Override
        public void settled(Outcome wish, Outcome outcome) {
            settlements.add(wish + " " + outcome);
        }

        @Override
        public void called(Call call, int size, boolean again, long nanos, @Nullable Kind failure) {
            calls.add(new Made(call, size, again, failure));
            this.nanos.add(nanos);
        }

        @Override
        public void halted(String reason) {
            halts.add(reason);
        }

        Map<String, Long> answerCounts() {
            synchronized (answers) {
                return answers.stream()
                        .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
            }
        }

        List<Made> calls(Call of) {
            synchronized (calls) {
                return calls.stream().filter(made -> made.call == of).toList();
            }
        }
    }

    private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
    private final AtomicLong nanosOffset = new AtomicLong();
    private final RemoteSpike stock =
            new InMemorySpike("ticket", () -> Clock.systemUTC().instant().plus(clockOffset.get()));
    private final FaultySpike remote = new FaultySpike(stock);
    private final Told told = new Told();
    private final List<Spike> spikes = new ArrayList<>();

    @AfterEach
    void closeAndConserve() {
        remote.gate.countDown();
        remote.always = null;
        spikes.forEach(Spike::close);
        Conservation.check(stock);
    }

    private SpikeBuilder builder() {
        return Spike.builder(remote)
                .timeout(Duration.ofSeconds(10))
                .syncEvery(NEVER)
                .nanoTime(() -> System.nanoTime() + nanosOffset.get());
    }

    private Spike start(SpikeBuilder builder) {
        Spike spike = builder.start();
        spikes.add(spike);
        await().until(() -> spike.levels().isPresent());
        return spike;
    }

    private Spike open(long total) {
        stock.open(Sale.of("ticket", total));
        return start(builder().listener(told));
    }

    private static Answer join(CompletionStage<Answer> stage) {
        return stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Test
    void answered_eachRequestOnce_withItsOutcome() {
        Spike spike = open(3);
        spike.reserve("alice", "key-1", 2);
        spike.reserve("alice", "key-1", 2);
        spike.reserve("alice", "key-1", 1);
        spike.reserve("bob", 2);
        spike.reserve("carol", 1);
        spike.reserve(1);
        spike.reserve("dave", 1);
        assertThat(told.answers)
                .containsExactly(
                        "RESERVED",
                        "RESERVED",
                        "MISMATCH",
                        "SOLD_OUT local",
                        "RESERVED",
                        "ALL_RESERVED local",
                        "ALL_RESERVED local");
    }

    static Stream<Function<Spike, Answer>> everyWayToAsk() {
        return Stream.of(
                spike -> spike.reserve(1),
                spike -> spike.reserve("alice", 1),
                spike -> spike.reserve("alice", "key", 1),
                spike -> join(spike.reserveAsync(1)),
                spike -> join(spike.reserveAsync("alice", 1)),
                spike -> join(spike.reserveAsync("alice", "key", 1)));
    }

    @ParameterizedTest
    @MethodSource("everyWayToAsk")
    void answered_locally_andByTheStore_onceEachWay(Function<Spike, Answer> way) {
        Spike spike = start(builder().listener(told));
        assertThat(way.apply(spike).outcome()).isEqualTo(Outcome.NOT_OPEN);
        assertThat(told.answers).containsExactly("NOT_OPEN local");
        assertThat(told.calls(Call.RESERVE)).isEmpty();
        spike.open(Sale.of("ticket", 5));
        assertThat(way.apply(spike).outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(told.answers).containsExactly("NOT_OPEN local", "RESERVED");
    }

    @Test
    void answered_manyAtOnce_countsAreExact() {
        Spike spike = open(1_000);
        IntStream.range(0, 5_000).parallel().forEach(i -> join(spike.reserveAsync(1)));
        Map<String, Long> counts = told.answerCounts();
        assertThat(counts.get("RESERVED")).isEqualTo(1_000);
        assertThat(counts.getOrDefault("ALL_RESERVED", 0L) + counts.get("ALL_RESERVED local"))
                .isEqualTo(4_000);
    }

    @Test
    void answered_queueFull_isNoLocalRefusal() {
        stock.open(Sale.of("ticket", 100));
        Spike spike = start(builder().queueLimit(10).listener(told));
        CountDownLatch held = remote.hold();
        List<CompletionStage<Answer>> answers =
                new ArrayList<>(List.of(spike.reserveAsync("first", 1)));
        await().until(() -> remote.reserveCalls.get() == 1);
        IntStream.range(0, 15).forEach(i -> answers.add(spike.reserveAsync("buyer" + i, 1)));
        assertThat(told.answers).hasSize(5).containsOnly("UNAVAILABLE");
        assertThat(spike.reservesQueued()).isEqualTo(10);
        assertThat(spike.settlesQueued()).isZero();
        assertThat(spike.queueLimit()).isEqualTo(10);
        held.countDown();
        answers.forEach(SpikeListenerTest::join);
        assertThat(told.answerCounts()).isEqualTo(Map.of("UNAVAILABLE", 5L, "RESERVED", 11L));
        assertThat(spike.reservesQueued()).isZero();
        assertThat(told.calls(Call.RESERVE)).extracting(Made::size).containsExactly(1, 10);
    }

    @Test
    void settled_eachWish_withItsOutcome() {
        Spike spike = open(3);
        ReservationId id = spike.reserve("alice", "key-1", 2).id();
        spike.extend(id);
        spike.confirm(id);
        spike.cancel(id);
        spike.cancel(NOBODY);
        assertThat(told.settlements)
                .containsExactly(
                        "RESERVED RESERVED",
                        "CONFIRMED CONFIRMED",
                        "CANCELLED CONFIRMED",
                        "CANCELLED NOT_FOUND");
        assertThat(told.calls(Call.SETTLE)).containsOnly(new Made(Call.SETTLE, 1, false, null));
    }

    @Test
    void called_eachKind_withWhatIsCertain() {
        Spike spike = open(9);
        remote.next(Fault.REPLY_LOST, Fault.REFUSED);
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.RESERVED);
        remote.next(Fault.NO_CONNECTION);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(told.calls(Call.RESERVE))
                .containsExactly(
                        new Made(Call.RESERVE, 1, false, Kind.UNKNOWN),
                        new Made(Call.RESERVE, 1, true, Kind.NOT_EXECUTED),
                        new Made(Call.RESERVE, 1, true, null),
                        new Made(Call.RESERVE, 1, false, Kind.NOT_SENT));
        spike.find(NOBODY);
        spike.reservationsOf("alice", null);
        remote.next(Fault.CALL_LOST);
        spike.find(NOBODY);
        assertThat(told.calls(Call.FIND))
                .containsExactly(
                        new Made(Call.FIND, 1, false, null),
                        new Made(Call.FIND, 1, false, null),
                        new Made(Call.FIND, 1, false, Kind.UNKNOWN));
        assertThat(told.calls(Call.SWEEP)).containsExactly(new Made(Call.SWEEP, 1, false, null));
        assertThat(told.halts).isEmpty();
    }

    @Test
    void called_lookThatABatchNeeds() {
        stock.open(Sale.of("ticket", 9));
        Spike spike = start(builder().quota(1).listener(told));
        spike.reserve("alice", 1);
        spike.reserve("bob", 1);
        assertThat(told.calls(Call.LOOK)).contains(new Made(Call.LOOK, 1, false, null));
    }

    @Test
    void called_tellsHowLongItTook() {
        Spike spike = open(9);
        remote.onReserve = () -> nanosOffset.addAndGet(5_000_000_000L);
        spike.reserve("alice", 1);
        assertThat(told.nanos.get(told.nanos.size() - 1)).isBetween(5_000_000_000L, 9_000_000_000L);
    }

    @Test
    void halted_once_withTheReason() {
        Spike spike = open(9);
        remote.onReserve = () -> {
            throw new AssertionError("planted");
        };
        assertThat(spike.reserve("alice", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(spike.reserve("bob", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        spike.sync();
        assertThat(told.calls(Call.RESERVE))
                .containsExactly(new Made(Call.RESERVE, 1, false, Kind.BROKEN));
        assertThat(told.halts).containsExactly(spike.haltReason().orElseThrow());
        assertThat(told.answers).containsExactly("UNKNOWN", "UNAVAILABLE local");
    }

    @Test
    void listenerThatThrows_disturbsNothing() {
        AtomicLong thrown = new AtomicLong();
        SpikeListener faulty = new SpikeListener() {
            @Override
            public void answered(Outcome outcome, boolean local) {
                fail();
            }

            @Override
            public void settled(Outcome wish, Outcome outcome) {
                fail();
            }

            @Override
            public void called(
                    Call call, int size, boolean again, long nanos, @Nullable Kind failure) {
                fail();
            }

            @Override
            public void halted(String reason) {
                fail();
            }

            private void fail() {
                switch ((int) (thrown.incrementAndGet() % 3)) {
                    case 0 -> throw new IllegalStateException("planted");
                    case 1 -> throw undeclared(new IOException("planted"));
                    default -> throw new AssertionError("planted");
                }
            }

            @SuppressWarnings("unchecked")
            private <E extends Throwable> RuntimeException undeclared(Throwable checked) throws E {
                throw (E) checked;
            }
        };
        stock.open(Sale.of("ticket", 50));
        Spike spike = start(builder().listener(faulty));
        List<CompletableFuture<Answer>> answers = IntStream.range(0, 50)
                .mapToObj(i -> spike.reserveAsync("buyer" + i, 1).toCompletableFuture())
                .toList();
        assertThat(answers)
                .allSatisfy(
                        answer -> assertThat(join(answer).outcome()).isEqualTo(Outcome.RESERVED));
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.ALL_RESERVED);
        assertThat(spike.confirm(join(answers.get(0)).id()).outcome()).isEqualTo(Outcome.CONFIRMED);
        assertThat(spike.cancel(join(answers.get(1)).id()).outcome()).isEqualTo(Outcome.CANCELLED);
        assertThat(spike.sync()).isPresent();
        remote.next(Fault.DAMAGED);
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(thrown).hasValueGreaterThan(55);
    }

    @Test
    void levelsAge_growsUntilTheNextReply() {
        Spike spike = open(9);
        nanosOffset.addAndGet(Duration.ofHours(1).toNanos());
        assertThat(spike.levelsAge()).isBetween(Duration.ofHours(1), Duration.ofMinutes(61));
        spike.sync();
        assertThat(spike.levelsAge()).isLessThan(Duration.ofMinutes(1));
    }

    @Test
    void levelsAge_beforeTheFirstReply_isSinceTheStart() {
        remote.always = Fault.CALL_LOST;
        Spike spike = builder().start();
        spikes.add(spike);
        nanosOffset.addAndGet(Duration.ofHours(1).toNanos());
        assertThat(spike.levelsAge()).isBetween(Duration.ofHours(1), Duration.ofMinutes(61));
        assertThat(spike.expiryLag()).isZero();
    }

    @Test
    void expiryLag_ofTheOldestHoldThatNoSweepHasEnded() {
        stock.open(Sale.of("ticket", 150));
        Spike spike = start(builder().listener(told));
        assertThat(spike.expiryLag()).isZero();
        IntStream.range(0, 150).parallel().forEach(i -> join(spike.reserveAsync(1)));
        spike.sync();
        assertThat(spike.expiryLag()).isZero();
        // The hold time and an hour, on both clocks.
        passTime(Duration.ofMinutes(65));
        assertThat(spike.expiryLag()).isBetween(Duration.ofHours(1), Duration.ofMinutes(66));
        spike.sync();
        assertThat(spike.levels().orElseThrow().reserved()).isEqualTo(50);
        assertThat(spike.expiryLag()).isBetween(Duration.ofMinutes(59), Duration.ofMinutes(66));
        spike.sync();
        assertThat(spike.levels().orElseThrow().reserved()).isZero();
        assertThat(spike.expiryLag()).isZero();
    }

    private void passTime(Duration time) {
        nanosOffset.addAndGet(time.toNanos());
        clockOffset.updateAndGet(before -> before.plus(time));
    }
}
