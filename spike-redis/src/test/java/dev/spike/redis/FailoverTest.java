package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;
import dev.spike.core.Spike;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Sentinel makes a replica the master while four nodes sell. */
@Timeout(120)
class FailoverTest extends FourNodes {

    private final RedisServer replica =
            RedisServer.start("--replicaof", "127.0.0.1 " + server.port());
    private final RedisServer sentinel = RedisServer.startSentinel(server.port());

    FailoverTest() {
        super("--repl-diskless-sync-delay", "0");
        await().atMost(30, SECONDS).until(() -> knowsAReplica());
    }

    private boolean knowsAReplica() {
        try (Jedis jedis = sentinel.jedis()) {
            return !jedis.sentinelReplicas("master").isEmpty();
        }
    }

    @Override
    String uri() {
        return "redis+sentinel://127.0.0.1:" + sentinel.port() + "/master";
    }

    /** Shorter than Sentinel needs, so that nobody still asks when there is a new master. */
    @Override
    Duration timeout() {
        return Duration.ofSeconds(1);
    }

    @BeforeEach
    void open() {
        open(100_000);
        await().atMost(30, SECONDS).until(() -> sequenceOf(replica).equals(sequenceOf(server)));
    }

    @Override
    void closeOthers() {
        sentinel.close();
        replica.close();
    }

    private String sequenceOf(RedisServer of) {
        try (Jedis jedis = of.jedis()) {
            return String.valueOf(jedis.hget("spike:{" + saleId + "}:stock", "sequence"));
        }
    }

    private boolean isMaster(RedisServer of) {
        try (Jedis jedis = of.jedis()) {
            return jedis.info("replication").contains("role:master");
        }
    }

    private void failOverAfter(Duration silence) {
        String[] set = {"SET", "master", "down-after-milliseconds", "" + silence.toMillis()};
        sentinel.jedisDo(jedis -> jedis.sendCommand(Command.SENTINEL, set));
    }

    /**
     * Whatever the replica still got, which is a race: who knows more than it is stopped, and so is
     * everybody who was told of a reservation that it lacks; the others go on.
     */
    @Test
    void masterKilledUnderLoad_whatIsLostIsNoticedByWhoWasTold_theOthersGoOn() {
        Rush rush = new Rush(nodes);
        try (rush) {
            rush.awaitReserved(2_000);
            // So that all are answered before there is another master: by the order in which
            // nodes come to it, one could make up for what another lost.
            failOverAfter(Duration.ofMinutes(10));
            server.crash();
            rush.awaitAnswers(Outcome.UNKNOWN, Outcome.UNAVAILABLE);
        }
        Map<Spike, Long> known = new HashMap<>();
        nodes.forEach(node -> known.put(node, node.levels().orElseThrow().sequence()));
        failOverAfter(Duration.ofMillis(500));
        await().atMost(60, SECONDS).until(() -> isMaster(replica));
        long sequence = Long.parseLong(sequenceOf(replica));
        nodes.forEach(node -> await().atMost(30, SECONDS)
                .until(() -> node.haltReason().isPresent() || node.sync().isPresent()));

        known.forEach((node, before) -> assertThat(node.haltReason().isPresent())
                .as("knew %d of %d: %s", before, sequence, node.haltReason())
                .isEqualTo(before > sequence));
        Map<ReservationId, Reservation> kept = Conservation.reservations(stock());
        rush.reserved().forEach((id, node) -> {
            if (!kept.containsKey(id)) {
                assertThat(node.haltReason().orElse("")).contains("lost writes");
            }
        });
        assertThat(rush.outcomes())
                .isSubsetOf(Outcome.RESERVED, Outcome.UNKNOWN, Outcome.UNAVAILABLE);
        long asked = rush.count(Outcome.RESERVED) + rush.count(Outcome.UNKNOWN);
        assertThat(kept.size()).isLessThanOrEqualTo((int) asked);
        assertGoOnOrSellNothing(sequence);
        reduceTo(200);
        assertNewNodeSellsTheRest();
    }

    private void assertGoOnOrSellNothing(long sequence) {
        for (Spike node : nodes) {
            Outcome expected = node.haltReason().isEmpty() ? Outcome.RESERVED : Outcome.UNAVAILABLE;
            OrderRelayCase.await()
                    .until(() -> node.reserve("after", "key", 1).outcome() == expected);
        }
        Levels levels = stock().levels();
        boolean anyGoesOn = nodes.stream().anyMatch(node -> node.haltReason().isEmpty());
        assertThat(levels.sequence()).isEqualTo(anyGoesOn ? sequence + 1 : sequence);
    }
}
