package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.params.MigrateParams;
import redis.clients.jedis.util.JedisClusterCRC16;

import java.time.Duration;
import java.util.List;

/**
 * The sale's slot moves from one master of a cluster to another, and back, while four nodes sell.
 */
@Timeout(120)
class ReshardingTest extends FourNodes {

    private final RedisServer other = RedisServer.start("--cluster-enabled", "yes");
    private final int slot = JedisClusterCRC16.getSlot(saleId);

    ReshardingTest() {
        super("--cluster-enabled", "yes");
        cluster(server, "ADDSLOTSRANGE", "0", "8191");
        cluster(other, "ADDSLOTSRANGE", "8192", "16383");
        cluster(other, "MEET", "127.0.0.1", Integer.toString(server.port()));
        await().atMost(30, SECONDS).until(() -> isFormed(server) && isFormed(other));
    }

    @Override
    String uri() {
        return "redis+cluster://127.0.0.1:" + server.port() + ",127.0.0.1:" + other.port();
    }

    @Override
    void closeOthers() {
        other.close();
    }

    private static void cluster(RedisServer server, String... command) {
        server.jedisDo(jedis -> jedis.sendCommand(Command.CLUSTER, command));
    }

    private static boolean isFormed(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            String info = jedis.clusterInfo();
            return info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:2");
        }
    }

    private static String id(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            return jedis.clusterMyId();
        }
    }

    /** What redis-cli does, with sales between its steps. */
    private void moveTheSlot(RedisServer from, RedisServer to, Rush rush) {
        String number = Integer.toString(slot);
        cluster(to, "SETSLOT", number, "IMPORTING", id(from));
        cluster(from, "SETSLOT", number, "MIGRATING", id(to));
        rush.awaitReserved(200);
        try (Jedis jedis = from.jedis()) {
            List<String> keys = jedis.clusterGetKeysInSlot(slot, 100);
            assertThat(keys).hasSize(3);
            for (String key : keys) {
                jedis.migrate("127.0.0.1", to.port(), 5_000, MigrateParams.migrateParams(), key);
                // The nodes find the keys in two places for a while.
                await().pollDelay(Duration.ofMillis(100)).until(() -> true);
            }
        }
        rush.awaitReserved(200);
        cluster(to, "SETSLOT", number, "NODE", id(to));
        cluster(from, "SETSLOT", number, "NODE", id(to));
        rush.awaitReserved(200);
    }

    @Test
    void slotMovesThereAndBack_underLoad_nobodyIsToldSoldOut_andExactlyTotalIsSold() {
        open(1_000_000);
        Rush rush = new Rush(nodes);
        try (rush) {
            rush.awaitReserved(200);
            RedisServer first = slot <= 8_191 ? server : other;
            RedisServer second = slot <= 8_191 ? other : server;
            moveTheSlot(first, second, rush);
            moveTheSlot(second, first, rush);
        }
        assertNoneHalts();
        assertThat(rush.outcomes())
                .isSubsetOf(Outcome.RESERVED, Outcome.UNKNOWN, Outcome.UNAVAILABLE);
        assertThat(Conservation.reservations(stock()))
                .containsKeys(rush.reserved().keySet().toArray(ReservationId[]::new));
        reduceTo(300);
        assertSellsTheRest(nodes.get(1));
    }
}
