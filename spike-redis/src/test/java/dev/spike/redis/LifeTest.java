package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Restock.Effect;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/** What becomes of reservations, and of the sale, over four nodes. */
@Timeout(120)
class LifeTest extends FourNodes {

    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private Levels levels() {
        return stores.get(0).sale(saleId).levels();
    }

    private Map<Outcome, Long> reserveAtAll(String buyers, int count) {
        return outcomes(IntStream.range(0, count)
                .mapToObj(i -> nodes.get(i % 4).reserveAsync(buyers + i, 1)));
    }

    @Test
    void confirmRacesCancelAndExpiry_oneWinnerEach_whomAllAreTold() {
        int races = 10_000;
        nodes.get(0).open(Sale.of(saleId, races).withHold(Duration.ofSeconds(8)));
        nodes.forEach(Spike::sync);
        List<ReservationId> ids = IntStream.range(0, races)
                .mapToObj(i -> new ReservationId("buyer" + i, "key" + i))
                .toList();
        List<CompletionStage<Answer>> reserves = new ArrayList<>();
        ids.forEach(id -> reserves.add(nodes.get(0).reserveAsync(id.buyer(), id.key(), 1)));
        Answer first = join(reserves.get(0));
        assertThat(reserves).allMatch(answer -> join(answer).outcome() == Outcome.RESERVED);

        // The wishes come within about the second around the deadlines.
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !levels().asOf()
                        .isBefore(first.reservation().expiresAt().minusMillis(500)));
        List<List<CompletionStage<Answer>>> wishes = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < races; i++) {
            while (System.nanoTime() - start < i * 120_000L) {
                LockSupport.parkNanos(50_000);
            }
            ReservationId id = ids.get(i);
            wishes.add(List.of(
                    nodes.get(i % 4).confirmAsync(id),
                    nodes.get((i + 1) % 4).cancelAsync(id),
                    nodes.get((i + 2) % 4).confirmAsync(id),
                    nodes.get((i + 3) % 4).cancelAsync(id)));
        }
        Map<Outcome, Integer> ends = new EnumMap<>(Outcome.class);
        Map<ReservationId, Outcome> told = new HashMap<>();
        for (int i = 0; i < races; i++) {
            List<Answer> answers = wishes.get(i).stream().map(FourNodes::join).toList();
            assertThat(answers.stream().map(Answer::outcome).distinct()).hasSize(1);
            assertThat(answers.stream().filter(answer -> !answer.repeated()).count())
                    .isLessThanOrEqualTo(1);
            Outcome end = answers.get(0).outcome();
            assertThat(end.isFinal()).isTrue();
            told.put(ids.get(i), end);
            ends.merge(end, 1, Integer::sum);
        }
        assertThat(ends).containsOnlyKeys(Outcome.CONFIRMED, Outcome.CANCELLED, Outcome.EXPIRED);
        assertThat(endsInTheLog()).isEqualTo(told);
        assertThat(levels().reserved()).isZero();
        assertThat(levels().sold()).isEqualTo((long) ends.get(Outcome.CONFIRMED));
    }

    /** How each reservation ended by the log, which has room for one end each. */
    private Map<ReservationId, Outcome> endsInTheLog() {
        Map<ReservationId, Outcome> ends = new HashMap<>();
        RedisSpike sale = stores.get(0).sale(saleId);
        for (List<LogEntry> page = sale.log(0);
                !page.isEmpty();
                page = sale.log(page.get(page.size() - 1).sequence())) {
            page.stream()
                    .flatMap(entry -> entry.events().stream())
                    .filter(event -> event.state().isFinal())
                    .forEach((OrderEvent event) ->
                            assertThat(ends.put(event.id(), event.state())).isNull());
        }
        return ends;
    }

    @Test
    void holdsThatEnd_sellAgain_onEveryNode_alsoOnOnesThatSaidSoldOut() {
        Duration hold = Duration.ofSeconds(2);
        nodes.get(0).open(Sale.of(saleId, 400).withHold(hold).withPerBuyer(1));
        nodes.forEach(Spike::sync);
        assertThat(reserveAtAll("early", 400)).isEqualTo(Map.of(Outcome.RESERVED, 400L));
        nodes.forEach(Spike::sync);
        assertThat(reserveAtAll("refused", 40)).isEqualTo(Map.of(Outcome.ALL_RESERVED, 40L));
        Instant ends = levels().asOf().plus(hold);

        for (int node = 0; node < 4; node++) {
            Spike spike = nodes.get(node);
            String buyer = "early" + node;
            await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> spike.reserve(buyer, 1).outcome() == Outcome.RESERVED);
        }
        // The sweeps wait for the next deadline, so this takes a tenth of a second, not ten.
        assertThat(levels().asOf()).isBefore(ends.plusSeconds(10));
    }

    @Test
    void restockWhileAllNodesSaySoldOut_sellsExactlySoManyMore() {
        nodes.get(0).open(Sale.of(saleId, 500));
        nodes.forEach(Spike::sync);
        assertThat(reserveAtAll("first", 500)).isEqualTo(Map.of(Outcome.RESERVED, 500L));
        nodes.forEach(Spike::sync);
        assertThat(reserveAtAll("refused", 400)).isEqualTo(Map.of(Outcome.ALL_RESERVED, 400L));

        assertThat(nodes.get(1).restock("more", 1_000).effect()).isEqualTo(Effect.APPLIED);
        assertThat(nodes.get(2).restock("more", 1_000).effect()).isEqualTo(Effect.REPEATED);

        await().atMost(PATIENCE)
                .until(() -> nodes.stream()
                        .allMatch(node -> node.levels().orElseThrow().available() > 0));
        Map<Outcome, Long> answers = reserveAtAll("second", 1_500);
        assertThat(answers).isEqualTo(Map.of(Outcome.RESERVED, 1_000L, Outcome.ALL_RESERVED, 500L));
        assertThat(levels().total()).isEqualTo(1_500);
    }

    @Test
    void reductionUnderLoad_takesOnlyWhatIsAvailable_andNothingIsOversold() {
        nodes.get(0).open(Sale.of(saleId, 3_000));
        nodes.forEach(Spike::sync);
        List<CompletionStage<Answer>> reserves = new ArrayList<>();
        long taken = 0;
        for (int i = 0; i < 4_000; i++) {
            reserves.add(nodes.get(i % 4).reserveAsync("buyer" + i, 1));
            if (i % 200 == 0) {
                taken -= nodes.get(i / 200 % 4).restock("op" + i, -100).applied();
            }
        }
        long reserved = outcomes(reserves.stream()).get(Outcome.RESERVED);
        assertThat(taken).isPositive();
        assertThat(reserved + taken).isEqualTo(3_000);
        assertThat(levels().total()).isEqualTo(reserved);
    }

    @Test
    void openingAndClosing_areExact_underLoad_onAllNodes() {
        Instant now = stores.get(0).sale(saleId).levels().asOf();
        Instant opens = now.plusMillis(1_500);
        Instant closes = now.plusMillis(3_000);
        nodes.get(0).open(Sale.of(saleId, 1_000_000).withOpening(opens, closes));
        nodes.forEach(Spike::sync);
        List<Answer> answers = new ArrayList<>();
        int i = 0;
        do {
            answers.add(nodes.get(i % 4).reserve("buyer" + i++, 1));
        } while (answers.get(answers.size() - 1).outcome() != Outcome.CLOSED);

        // In the log, by the store's clock.
        List<Instant> times = new ArrayList<>();
        RedisSpike sale = stores.get(0).sale(saleId);
        for (List<LogEntry> page = sale.log(1);
                !page.isEmpty();
                page = sale.log(page.get(page.size() - 1).sequence())) {
            page.forEach(entry -> times.add(entry.at()));
        }
        assertThat(times)
                .isNotEmpty()
                .allSatisfy(at -> assertThat(at).isBetween(opens, closes.minusMillis(1)));
        // And each node began to sell as soon as the store did.
        assertThat(answers.stream().map(Answer::outcome).distinct())
                .containsExactly(Outcome.NOT_OPEN, Outcome.RESERVED, Outcome.CLOSED);
    }

    @Test
    void closeByHand_andReopen_reachAllNodes() {
        nodes.get(0).open(Sale.of(saleId, 100));
        nodes.forEach(Spike::sync);
        assertThat(reserveAtAll("first", 8)).isEqualTo(Map.of(Outcome.RESERVED, 8L));
        assertThat(nodes.get(3).closeSale().phase()).isEqualTo(Levels.Phase.CLOSED);
        assertThat(reserveAtAll("closed", 8)).isEqualTo(Map.of(Outcome.CLOSED, 8L));
        nodes.forEach(Spike::sync);
        assertThat(nodes.get(1).reopenSale().phase()).isEqualTo(Levels.Phase.OPEN);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(reserveAtAll("again", 4))
                        .isEqualTo(Map.of(Outcome.RESERVED, 4L)));
        nodes.forEach(Spike::close);
        Conservation.drain(stores.get(0).sale(saleId));
    }
}
