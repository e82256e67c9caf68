package dev.spike.redis;

import static dev.spike.redis.Replies.bytes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;

import java.util.List;

/** A replica takes the place of its master, behind the same address. */
@Timeout(90)
class StaleReplicaTest extends FourNodes {

    private final Forwarder address = new Forwarder(server);
    private final RedisServer replica =
            RedisServer.start("--replicaof", "127.0.0.1 " + server.port());

    StaleReplicaTest() {
        super("--repl-diskless-sync-delay", "0");
    }

    @Override
    String uri() {
        return address.uri();
    }

    @BeforeEach
    void openAndReplicate() {
        open(1_000_000);
        reserveEach("early", 100);
        await().atMost(30, SECONDS).until(() -> sequence(replica).equals(sequence(server)));
    }

    @Override
    void closeOthers() {
        address.close();
        replica.close();
    }

    private String sequence(RedisServer of) {
        try (Jedis jedis = of.jedis()) {
            return String.valueOf(jedis.hget("spike:{" + saleId + "}:stock", "sequence"));
        }
    }

    private void promoteTheReplica() {
        replica.jedisDo(Jedis::replicaofNoOne);
        address.to(replica);
    }

    @Test
    void promotedWithoutTheLastHundredReservations_allNodesHalt_andNothingMoreIsSold() {
        replica.jedisDo(jedis -> jedis.replicaof("127.0.0.1", 1));
        List<ReservationId> lost = reserveEach("late", 100);
        promoteTheReplica();
        address.disconnect();
        assertAllHalt("the shared stock lost writes: sequence");
        assertThat(Conservation.reservations(stock()))
                .hasSize(100)
                .doesNotContainKeys(lost.toArray(ReservationId[]::new));
        reduceTo(200);
        assertNewNodeSellsTheRest();
    }

    @Test
    void promotedWithEverything_nodesGoOn() {
        promoteTheReplica();
        address.disconnect();
        assertNoneHalts();
        reduceTo(200);
        assertSellsTheRest(nodes.get(2));
    }

    /** The connections lead to the old master until somebody lets go of them. */
    @Test
    void masterHandsOverUnderLoad_connectionsThatAnswerReadonlyAreDropped_andNothingIsLost() {
        Rush rush = new Rush(nodes);
        try (rush) {
            rush.awaitReserved(500);
            server.jedisDo(jedis -> jedis.sendCommand(() -> bytes("FAILOVER")));
            await().atMost(30, SECONDS).until(() -> !isMaster(server));
            address.to(replica);
            rush.awaitReserved(500);
        }
        assertNoneHalts();
        // The patience of a request is longer than this takes, and shorter than an idle connection
        // lives.
        assertThat(rush.outcomes()).containsExactly(Outcome.RESERVED);
        assertThat(Conservation.reservations(stock()))
                .containsKeys(rush.reserved().keySet().toArray(ReservationId[]::new));
    }

    private static boolean isMaster(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            return jedis.info("replication").contains("role:master");
        }
    }
}
