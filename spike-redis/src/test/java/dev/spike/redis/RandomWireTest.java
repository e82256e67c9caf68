package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;
import dev.spike.redis.RedisProxy.Fault;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * Two nodes that sell out a sale over a network with faults, one drawn for each call from a seed:
 * whatever befalls which, every answer is true and nothing is lost.
 */
class RandomWireTest extends ProxyCase {

    /** More than there are units, so that it sells out. */
    private static final int BUYERS = 120;

    private static final int THREADS = 8;
    private static final Duration TIMEOUT = Duration.ofMillis(250);
    private static final Set<Outcome> REFUSALS = Set.of(Outcome.ALL_RESERVED, Outcome.SOLD_OUT);
    private static final Set<Outcome> ANSWERS = Set.of(
            Outcome.RESERVED,
            Outcome.CONFIRMED,
            Outcome.ALL_RESERVED,
            Outcome.SOLD_OUT,
            Outcome.UNKNOWN,
            Outcome.UNAVAILABLE);

    /** What each buyer was told that says most. */
    private final Map<ReservationId, Outcome> told = new ConcurrentHashMap<>();

    private final Set<Integer> befallen = ConcurrentHashMap.newKeySet();
    private final CountDownLatch end = new CountDownLatch(1);

    @Override
    int units() {
        return 80;
    }

    @ParameterizedTest
    @ValueSource(longs = 1)
    void faultsDrawnForEachCall_everyAnswerIsTrue(long seed) throws Exception {
        sellOut(seed);
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(longs = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
    void faultsDrawnForEachCall_everyAnswerIsTrue_forOtherSeeds(long seed) throws Exception {
        sellOut(seed);
    }

    private void sellOut(long seed) throws Exception {
        AtomicInteger calls = new AtomicInteger();
        List<Spike> nodes = List.of(node(), node());
        proxy.faults(request -> request.isCall()
                ? fault(new Random(seed * 1_000_003 + calls.getAndIncrement()))
                : Fault.NONE);
        ExecutorService buyers = Executors.newFixedThreadPool(THREADS);
        List<Future<?>> running = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            int first = thread;
            running.add(buyers.submit(() -> {
                Random random = new Random(seed * 1_000_003 - first);
                for (int i = first; i < BUYERS; i += THREADS) {
                    buy(nodes, new ReservationId("buyer" + i, seed + "-" + i), random);
                }
            }));
        }
        buyers.shutdown();
        for (Future<?> one : running) {
            one.get(90, TimeUnit.SECONDS);
        }
        end.countDown();
        proxy.faultless();
        // What is still under way comes too late from then on.
        Instant past = real.levels().asOf().plus(TIMEOUT.multipliedBy(3));
        OrderRelayCase.await().until(() -> real.levels().asOf().isAfter(past));
        assertThat(befallen).contains(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        check(nodes, "seed " + seed);
    }

    private Spike node() {
        return start(Spike.builder(stock(client(4, Duration.ofMillis(50))))
                .nodes(2)
                .timeout(TIMEOUT)
                .syncEvery(Duration.ofMillis(100)));
    }

    /** None for half of the calls. */
    private Fault fault(Random random) {
        int drawn = random.nextInt(20);
        befallen.add(drawn);
        int bytes = random.nextInt(250);
        long millis = 20 + random.nextInt(200);
        return switch (drawn) {
            case 0 -> Fault.SWALLOW_REQUEST;
            case 1 -> Fault.SWALLOW_REPLY;
            case 2 -> Fault.RESET_REQUEST;
            case 3, 4 -> Fault.cutReply(bytes);
            case 5, 6 -> Fault.resetReply(bytes);
            case 7 -> Fault.HALF_OPEN;
            case 8 ->
                exchange -> {
                    end.await(millis, TimeUnit.MILLISECONDS);
                    Fault.NONE.happen(exchange);
                };
            case 9 ->
                exchange -> {
                    byte[] reply = exchange.forward();
                    end.await(millis, TimeUnit.MILLISECONDS);
                    exchange.reply(reply);
                };
            default -> Fault.NONE;
        };
    }

    /** Asks a node, again if nobody knows, and then some confirm or extend what they got. */
    private void buy(List<Spike> nodes, ReservationId id, Random random) {
        Spike node = nodes.get(random.nextInt(2));
        Outcome outcome = tell(id, node.reserve(id.buyer(), id.key(), 1));
        if (outcome == Outcome.UNKNOWN || random.nextInt(5) == 0) {
            node = nodes.get(random.nextInt(2));
            tell(id, node.reserve(id.buyer(), id.key(), 1));
        }
        if (told.get(id) == Outcome.RESERVED && random.nextInt(3) == 0) {
            tell(id, random.nextInt(4) > 0 ? node.confirm(id) : node.extend(id));
        }
    }

    /** Nobody who was told something else is told that nobody knows, or that nothing was done. */
    private Outcome tell(ReservationId id, Answer answer) {
        Outcome outcome = answer.outcome();
        assertThat(outcome).isIn(ANSWERS);
        told.merge(
                id,
                outcome,
                (before, now) -> now == Outcome.UNAVAILABLE
                                || now == Outcome.UNKNOWN && before != Outcome.UNAVAILABLE
                        ? before
                        : now);
        return outcome;
    }

    private void check(List<Spike> nodes, String where) {
        assertThat(nodes)
                .as(where)
                .allSatisfy(node -> assertThat(node.haltReason()).isEmpty());
        Map<ReservationId, Reservation> held = Conservation.reservations(real);
        held.remove(new ReservationId("first", "first"));
        assertThat(told).as(where).hasSize(BUYERS).containsValue(Outcome.RESERVED);
        Spike patient = patientNode();
        told.forEach((id, outcome) -> {
            switch (outcome) {
                case RESERVED, CONFIRMED -> assertThat(held).as(where).containsKey(id);
                case UNKNOWN -> {}
                default -> assertThat(held).as(where + " " + outcome).doesNotContainKey(id);
            }
            Outcome again = patient.reserve(id.buyer(), id.key(), 1).outcome();
            if (outcome == Outcome.CONFIRMED) {
                assertThat(again).as(where + " " + id).isEqualTo(outcome);
            } else if (held.containsKey(id)) {
                // A confirmation may have happened that nobody was told of.
                assertThat(again).as(where + " " + id).isIn(Outcome.RESERVED, Outcome.CONFIRMED);
            } else if (REFUSALS.contains(outcome)) {
                // No unit ever comes back.
                assertThat(again).as(where + " " + id).isIn(REFUSALS);
            }
        });
        Conservation.check(real);
        Conservation.drain(real);
        Map<ReservationId, Long> made = logged().stream()
                .filter(event -> event.state() == Outcome.RESERVED)
                .collect(Collectors.groupingBy(OrderEvent::id, Collectors.counting()));
        assertThat(made).as(where).hasSize(units()).containsAllEntriesOf(once(held.keySet()));
        assertThat(made.values()).as(where).containsOnly(1L);
    }

    private static Map<ReservationId, Long> once(Set<ReservationId> ids) {
        return ids.stream().collect(Collectors.toMap(id -> id, id -> 1L));
    }

    private List<OrderEvent> logged() {
        List<OrderEvent> events = new ArrayList<>();
        for (List<LogEntry> page = real.log(0);
                !page.isEmpty();
                page = real.log(page.get(page.size() - 1).sequence())) {
            page.forEach(entry -> events.addAll(entry.events()));
        }
        return events;
    }
}
