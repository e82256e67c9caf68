package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Whole nodes, each with connections of its own, over one real Redis. */
@Timeout(60)
class NodesTest extends FourNodes {

    /** 70 % to the first. */
    private Spike unevenNode(int i) {
        return nodes.get(i % 10 < 7 ? 0 : i % 10 - 6);
    }

    @Test
    void fourNodes_unevenLoad_exactlyTotal_andNoNoBeforeThat() {
        nodes.get(0).open(Sale.of(saleId, 4_000));
        nodes.forEach(Spike::sync);
        assertThat(outcomes(IntStream.range(0, 4_000)
                        .mapToObj(i -> unevenNode(i).reserveAsync("buyer" + i, 1))))
                .isEqualTo(Map.of(Outcome.RESERVED, 4_000L));
        assertThat(outcomes(IntStream.range(0, 4_000)
                        .mapToObj(i -> unevenNode(i).reserveAsync("late" + i, 1))))
                .isEqualTo(Map.of(Outcome.ALL_RESERVED, 4_000L));
    }

    @Test
    void everyRequestRepeated_onAnotherNode_oneReservationPerKey() {
        nodes.get(0).open(Sale.of(saleId, 5_000));
        nodes.forEach(Spike::sync);
        Map<String, Set<String>> reservations = new ConcurrentHashMap<>();
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            for (int node = 0; node < 4; node++) {
                answers.add(nodes.get((i + node) % 4).reserveAsync("buyer" + i, "key" + i, 1));
            }
        }
        AtomicInteger first = new AtomicInteger();
        answers.stream().map(FourNodes::join).forEach(answer -> {
            assertThat(answer.outcome()).isEqualTo(Outcome.RESERVED);
            Reservation reservation = answer.reservation();
            reservations
                    .computeIfAbsent(
                            reservation.id().buyer(), buyer -> ConcurrentHashMap.newKeySet())
                    .add(reservation.toString());
            first.addAndGet(answer.repeated() ? 0 : 1);
        });
        assertThat(first).hasValue(2_000);
        assertThat(reservations)
                .hasSize(2_000)
                .allSatisfy((buyer, seen) -> assertThat(seen).hasSize(1));
    }

    @Test
    void perBuyerLimit_isExactOverAllNodes() {
        nodes.get(0).open(Sale.of(saleId, 10_000).withPerBuyer(3));
        nodes.forEach(Spike::sync);
        Map<Outcome, Long> outcomes = outcomes(IntStream.range(0, 2_000)
                .mapToObj(i -> nodes.get(i % 4).reserveAsync("buyer" + i / 4 % 50, "key" + i, 1)));
        assertThat(outcomes)
                .isEqualTo(Map.of(Outcome.RESERVED, 150L, Outcome.LIMIT_REACHED, 1_850L));
    }

    @Test
    void soldOut_holdersRepeatOnAnotherNode_andStrangersCostNoCall() {
        nodes.get(0).open(Sale.of(saleId, 1_000));
        nodes.forEach(Spike::sync);
        Map<Integer, Reservation> held = new HashMap<>();
        for (int i = 0; i < 1_000; i++) {
            held.put(
                    i,
                    join(nodes.get(0).reserveAsync("buyer" + i, "key" + i, 1)).reservation());
        }
        Spike other = nodes.get(3);
        other.sync();
        // The first stranger makes the node load the holders; until they are there, strangers cost
        // a call.
        await().until(() -> {
            long before = reserveCalls();
            assertThat(other.reserve("stranger", "some-key", 1).outcome())
                    .isEqualTo(Outcome.ALL_RESERVED);
            return reserveCalls() == before;
        });
        long before = reserveCalls();
        for (int i = 0; i < 1_000; i++) {
            assertThat(other.reserve("stranger", "key" + i, 1).outcome())
                    .isEqualTo(Outcome.ALL_RESERVED);
        }
        assertThat(reserveCalls()).isEqualTo(before);
        held.forEach((i, reservation) -> {
            Answer repeat = other.reserve("buyer" + i, "key" + i, 1);
            assertThat(repeat.outcome()).isEqualTo(Outcome.RESERVED);
            assertThat(repeat.reservation()).isEqualTo(reservation);
        });
    }

    /**
     * XADD and HSET would not tell refusals: counts the calls of scripts, but for those of the sync
     * and of pages.
     */
    private long reserveCalls() {
        String stats;
        try (var jedis = server.jedis()) {
            stats = jedis.info("commandstats");
        }
        // Each script calls TIME once; reserve calls HMGET twice, levels once, page never but
        // HSCAN.
        return calls(stats, "hmget") - calls(stats, "time") + calls(stats, "hscan");
    }

    private static long calls(String stats, String command) {
        Matcher calls = Pattern.compile("cmdstat_" + command + ":calls=(\\d+)").matcher(stats);
        return calls.find() ? Long.parseLong(calls.group(1)) : 0;
    }

    @Test
    void redisPausedUnderLoad_isNeverSoldOut_andBalancesAfterwards() {
        nodes.forEach(Spike::close);
        nodes.replaceAll(closed -> Spike.start(stores.get(0).sale(saleId)));
        nodes.get(0).open(Sale.of(saleId, 1_000_000));
        nodes.forEach(Spike::sync);
        Rush rush = new Rush(nodes);
        try (rush) {
            rush.awaitReserved(1_000);
            server.pause();
            await().during(Duration.ofSeconds(2)).atMost(5, SECONDS).until(() -> true);
            server.resume();
            rush.awaitReserved(1_000);
        }
        assertThat(rush.outcomes())
                .isSubsetOf(Outcome.RESERVED, Outcome.UNKNOWN, Outcome.UNAVAILABLE)
                .contains(Outcome.UNKNOWN);
        // Who was told RESERVED has it; who was told UNKNOWN may have it; nobody else.
        Set<ReservationId> holders = Conservation.reservations(stock()).keySet();
        assertThat(holders).containsAll(rush.reserved().keySet());
        assertThat(holders.size() - rush.count(Outcome.RESERVED))
                .isLessThanOrEqualTo(rush.count(Outcome.UNKNOWN));
        assertThat(nodes).allSatisfy(node -> assertThat(node.haltReason()).isEmpty());
    }

    @Test
    void scriptsFlushedAgainAndAgain_underLoad_isNotNoticed() {
        open(1_000_000);
        Rush rush = new Rush(nodes);
        try (rush;
                Jedis jedis = server.jedis()) {
            for (int i = 0; i < 100; i++) {
                jedis.scriptFlush();
                rush.awaitReserved(5);
            }
        }
        assertThat(rush.outcomes()).containsExactly(Outcome.RESERVED);
        assertThat(Conservation.reservations(stock()))
                .containsOnlyKeys(rush.reserved().keySet());
        reduceTo(100);
        assertSellsTheRest(nodes.get(2));
    }
}
