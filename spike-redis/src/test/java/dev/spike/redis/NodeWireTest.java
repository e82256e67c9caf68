package dev.spike.redis;

import static dev.spike.redis.OrderRelayCase.await;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;
import dev.spike.redis.RedisProxy.Fault;

import org.junit.jupiter.api.Test;

import redis.clients.jedis.Connection;
import redis.clients.jedis.RedisClient;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A node whose connections to Redis fail: what its buyers are told, and what became of it. */
class NodeWireTest extends ProxyCase {

    private static final Duration SHORT = Duration.ofMillis(200);

    /** So many tries of a call fit in it that it is sent for certain. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static void assertReserved(Answer answer, boolean repeated) {
        assertThat(answer.outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(answer.repeated()).isEqualTo(repeated);
    }

    /** This befalls each call that tells of the buyer. */
    private void befall(String buyer, Fault fault) {
        proxy.faults(request -> request.isCall() && request.mentions(buyer) ? fault : Fault.NONE);
    }

    @Test
    void reply_cutAtAnyByte_theNodeRepeats_andTheBuyerHasItOnce() {
        Spike node = patientNode();
        int length = 1;
        int buyers = 0;
        for (int cut = 0; cut < length; cut += EVERY_BYTE ? 1 : 11, buyers++) {
            String buyer = "buyer" + buyers + ".";
            ReservationId id = new ReservationId(buyer, "key");
            length = cut(buyer, cut, () -> assertReserved(node.reserve(buyer, "key", 1), true));
            assertThat(length).isGreaterThan(100);
            cut(buyer, cut, () -> {
                Answer confirmed = node.confirm(id);
                assertThat(confirmed.outcome()).isEqualTo(Outcome.CONFIRMED);
                assertThat(confirmed.repeated()).isTrue();
            });
        }
        assertThat(real.levels().sold()).isEqualTo(1 + buyers);
        assertThat(real.levels().reserved()).isZero();
        assertThat(real.levels().sequence()).isEqualTo(3 + 2 * buyers);
    }

    /** Cuts the reply to the first call that tells of a buyer; answers how long it was. */
    private int cut(String buyer, int bytes, Runnable call) {
        AtomicInteger tries = new AtomicInteger();
        AtomicInteger length = new AtomicInteger();
        befall(buyer, exchange -> {
            byte[] reply = exchange.forward();
            if (tries.getAndIncrement() > 0) {
                exchange.reply(reply);
            } else {
                length.set(reply.length);
                exchange.reply(Arrays.copyOf(reply, bytes));
                exchange.close();
            }
        });
        call.run();
        assertThat(tries).hasValue(2);
        return length.get();
    }

    @Test
    void noReplyUntilTheDeadline_isUnknown_andARepeatIsToldWhatBecameOfIt() {
        Map<String, Fault> faults = Map.of(
                "swallowed-reply", Fault.SWALLOW_REPLY,
                "swallowed-request", Fault.SWALLOW_REQUEST,
                "reset-before-it", Fault.RESET_REQUEST,
                "reset-in-the-reply", Fault.resetReply(50),
                "half-open", Fault.HALF_OPEN);
        Map<String, Spike> nodes = new HashMap<>();
        faults.keySet().forEach(buyer -> nodes.put(buyer, node(client(2, SHORT), TIMEOUT)));
        proxy.faults(request -> faults.entrySet().stream()
                .filter(fault -> request.isCall() && request.mentions(fault.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(Fault.NONE));
        Map<String, CompletionStage<Answer>> asked = new HashMap<>();
        nodes.forEach((buyer, node) -> asked.put(buyer, node.reserveAsync(buyer, "key", 1)));
        asked.forEach((buyer, stage) -> {
            Answer answer = FourNodes.join(stage);
            assertThat(answer.outcome()).as(buyer).isEqualTo(Outcome.UNKNOWN);
            assertThat(answer.id()).isEqualTo(new ReservationId(buyer, "key"));
        });
        proxy.faultless();
        Spike patient = patientNode();
        for (String buyer : faults.keySet()) {
            assertReserved(patient.reserve(buyer, "key", 1), buyer.contains("reply"));
        }
        assertThat(nodes.values())
                .allSatisfy(node -> assertThat(node.haltReason()).isEmpty());
    }

    @Test
    void refusedConnections_areUnavailable_andThenItGoesOn() {
        Spike node = node(client(1, SHORT), TIMEOUT);
        proxy.refuse();
        // The connection that was there may have brought a call to Redis; another cannot be made.
        assertThat(node.sync()).isEmpty();
        assertThat(node.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(node.confirm(new ReservationId("alice", "key")).outcome())
                .isEqualTo(Outcome.UNAVAILABLE);
        assertThat(Conservation.reservations(real)).hasSize(1);
        proxy.accept();
        await().until(() -> node.reserve("alice", "key", 1).outcome() == Outcome.RESERVED);
    }

    @Test
    void poolExhausted_isUnavailable_longBeforeTheDeadline() {
        RedisClient narrow = client(1, SHORT);
        Spike node = start(Spike.builder(stock(narrow))
                .timeout(Duration.ofSeconds(40))
                .syncEvery(Duration.ofMinutes(10)));
        // Also fills the quota, so that no look comes before the next call.
        assertReserved(FourNodes.join(node.reserveAsync("bob", "key", 1)), false);
        try (Connection taken = narrow.getPool().getResource()) {
            assertThat(taken.isConnected()).isTrue();
            assertThat(FourNodes.join(node.reserveAsync("alice", "key", 1)).outcome())
                    .isEqualTo(Outcome.UNAVAILABLE);
        }
        assertReserved(FourNodes.join(node.reserveAsync("alice", "key", 1)), false);
    }

    @Test
    void requestDelayedPastItsDeadline_changesNothing() {
        Spike node = node(client(8, SHORT), TIMEOUT);
        Levels before = real.levels();
        List<Long> notAfter = Collections.synchronizedList(new ArrayList<>());
        List<String> replies = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch late = new CountDownLatch(1);
        proxy.faults(request -> {
            if (!request.isCall() || !request.mentions("alice")) {
                return Fault.NONE;
            }
            notAfter.add(Long.parseLong(request.scriptArgs().get(0)));
            return exchange -> {
                late.await();
                replies.add(new String(exchange.forward(), ISO_8859_1));
            };
        });
        assertThat(node.reserve("alice", "key", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
        await().until(() -> real.levels().asOf().toEpochMilli() > Collections.max(notAfter));
        late.countDown();
        await().until(() -> replies.size() == notAfter.size());
        assertThat(replies)
                .allSatisfy(reply -> assertThat(reply).startsWith("*" + Replies.LEVELS + "\r\n"));
        assertThat(real.levels().sequence()).isEqualTo(before.sequence());
        assertThat(real.find(new ReservationId("alice", "key"))).isNull();
        proxy.faultless();
        assertReserved(patientNode().reserve("alice", "key", 1), false);
    }

    @Test
    void requestDelayedPastTheClientsTimeout_runsAsARepeatOfItsOwnRepeat() {
        Spike node = node(client(8, SHORT), PATIENT);
        AtomicInteger tries = new AtomicInteger();
        CountDownLatch answered = new CountDownLatch(1);
        CompletableFuture<byte[]> lateReply = new CompletableFuture<>();
        befall("alice", exchange -> {
            if (tries.getAndIncrement() > 0) {
                Fault.NONE.happen(exchange);
            } else {
                answered.await();
                lateReply.complete(exchange.forward());
            }
        });
        assertReserved(node.reserve("alice", "key", 1), false);
        Levels before = real.levels();
        answered.countDown();
        lateReply.orTimeout(20, TimeUnit.SECONDS).join();
        assertThat(real.levels().sequence()).isEqualTo(before.sequence());
        assertThat(Conservation.reservations(real)).hasSize(2);
    }
}
