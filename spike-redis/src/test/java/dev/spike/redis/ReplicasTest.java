package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** A master with one replica, which must have each change before it counts as done. */
@Timeout(90)
class ReplicasTest {

    /** For a replica that is away. */
    private static final Duration WITHIN = Duration.ofMillis(150);

    /** For one that is there, on a busy machine. */
    private static final Duration LONG = Duration.ofSeconds(10);

    private final String saleId = TestRedis.newSaleId();
    private static final RedisServer MASTER = RedisServer.start("--repl-diskless-sync-delay", "0");
    private static final RedisServer REPLICA =
            RedisServer.start("--replicaof", "127.0.0.1 " + MASTER.port());
    private final UnifiedJedis jedis = RedisClient.builder()
            .hostAndPort("127.0.0.1", MASTER.port())
            .clientConfig(DefaultJedisClientConfig.builder()
                    .timeoutMillis((int) LONG.toMillis() * 2)
                    .build())
            .build();
    private final RedisSpike alone = new RedisSpike(jedis, saleId, null);
    private final RedisSpike sale = alone.acknowledgedBy(1, LONG);

    @AfterAll
    static void stop() {
        REPLICA.close();
        MASTER.close();
    }

    @AfterEach
    void close() {
        jedis.close();
    }

    private static void awaitReplica(RedisServer server) {
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            try (Jedis jedis = new Jedis("127.0.0.1", server.port(), 5_000)) {
                jedis.set("written", "now");
                return jedis.waitReplicas(1, 1_000) == 1;
            }
        });
    }

    private static List<Request> request(String buyer) {
        return List.of(new Request(new ReservationId(buyer, "key"), 1));
    }

    private static Outcome outcome(RemoteSpike.Reply reply) {
        return reply.answers().get(0).outcome();
    }

    @Test
    void changesThatTheReplicaHas_areDone() {
        awaitReplica(MASTER);
        assertThat(sale.open(Sale.of(saleId, 5))).isEqualTo(RemoteSpike.Opening.OPENED);
        assertThat(outcome(sale.reserve(request("ann"), Long.MAX_VALUE)))
                .isEqualTo(Outcome.RESERVED);
        MASTER.jedisDo(Jedis::scriptFlush);
        assertThat(outcome(sale.reserve(request("ben"), Long.MAX_VALUE)))
                .isEqualTo(Outcome.RESERVED);
        try (RedisStore other = RedisStore.connect(REPLICA.uri())) {
            assertThat(other.sale(saleId).levels().reserved()).isEqualTo(2);
        }
        Conservation.check(sale);
    }

    @Test
    void saleThatIsAbsent_isNotMade() {
        awaitReplica(MASTER);
        assertThat(sale.reserve(request("ann"), Long.MAX_VALUE).levels().phase())
                .isEqualTo(Levels.Phase.ABSENT);
        MASTER.jedisDo(
                client -> assertThat(client.keys("spike:{" + saleId + "}*")).isEmpty());
    }

    /** By another connection, too, which has written nothing that WAIT would wait for. */
    @Test
    void replicaAway_reservationIsUnknown_andSoIsItsRepeat_untilItIsBack() {
        awaitReplica(MASTER);
        sale.open(Sale.of(saleId, 5));
        REPLICA.pause();
        try {
            assertUnknown(() -> sale.reserve(request("ann"), Long.MAX_VALUE));
            try (RedisStore other = RedisStore.connect(MASTER.uri())) {
                RedisSpike same = other.sale(saleId).acknowledgedBy(1, WITHIN);
                assertUnknown(() -> same.reserve(request("ann"), Long.MAX_VALUE));
            }
            try (Spike node =
                    Spike.builder(sale).timeout(Duration.ofMillis(600)).start()) {
                assertThat(node.reserve("ben", "key", 1).outcome()).isEqualTo(Outcome.UNKNOWN);
            }
        } finally {
            REPLICA.resume();
        }
        try (Spike node = Spike.builder(sale).timeout(Duration.ofSeconds(20)).start()) {
            assertThat(node.reserve("ann", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
            assertThat(node.reserve("ben", "key", 1).outcome()).isEqualTo(Outcome.RESERVED);
        }
        assertThat(sale.levels().reserved()).isEqualTo(2);
    }

    /**
     * WAIT is documented to wait for what its own connection wrote, and a repeat writes nothing.
     */
    @Test
    void repeat_isFollowedByAWrite() {
        awaitReplica(MASTER);
        sale.open(Sale.of(saleId, 5));
        sale.reserve(request("ann"), Long.MAX_VALUE);
        String stock = "spike:{" + saleId + "}:stock";
        jedis.hdel(stock, "marked");
        sale.reserve(request("ann"), Long.MAX_VALUE);
        assertThat(jedis.hexists(stock, "marked")).isTrue();
    }

    @Test
    void waitNotAllowed_isUnknown_sinceTheScriptHasRun() {
        alone.open(Sale.of(saleId, 5));
        MASTER.jedisDo(
                client -> client.aclSetUser("nowait", "on", "nopass", "~*", "+@all", "-wait"));
        try (UnifiedJedis other = RedisClient.create(MASTER.uri().replace("//", "//nowait:any@"))) {
            RedisSpike same = new RedisSpike(other, saleId, null).acknowledgedBy(1, LONG);
            assertThatThrownBy(() -> same.reserve(request("ann"), Long.MAX_VALUE))
                    .hasMessageStartingWith("whether replicas have it: NOPERM")
                    .extracting(failure -> ((RemoteSpikeException) failure).kind())
                    .isEqualTo(Kind.UNKNOWN);
        }
        assertThat(alone.levels().reserved()).isEqualTo(1);
    }

    private static void assertUnknown(Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOf(RemoteSpikeException.class)
                .hasMessage("only 0 of 1 replicas have it")
                .extracting(failure -> ((RemoteSpikeException) failure).kind())
                .isEqualTo(Kind.UNKNOWN);
    }

    /** The replica is cut off in the midst, and promoted: what it lacks was never answered. */
    @Test
    void failOver_keepsWhatWasAnswered() {
        awaitReplica(MASTER);
        sale.open(Sale.of(saleId, 100));
        int answered = 0;
        try (Spike node = Spike.builder(sale).timeout(LONG).start()) {
            while (answered < 40) {
                assertThat(node.reserve("buyer" + answered++, "key", 1).outcome())
                        .isEqualTo(Outcome.RESERVED);
            }
        }
        REPLICA.jedisDo(client -> client.replicaof("127.0.0.1", 1));
        try (Spike node = Spike.builder(alone.acknowledgedBy(1, WITHIN))
                .timeout(Duration.ofMillis(300))
                .start()) {
            for (int i = 40; i < 45; i++) {
                assertThat(node.reserve("buyer" + i, "key", 1).outcome())
                        .isEqualTo(Outcome.UNKNOWN);
            }
        }
        assertThat(sale.levels().reserved()).isEqualTo(45);
        REPLICA.jedisDo(Jedis::replicaofNoOne);
        try (RedisStore promoted = RedisStore.connect(REPLICA.uri())) {
            RedisSpike rest = promoted.sale(saleId);
            assertThat(rest.levels().reserved()).isEqualTo(answered);
            Conservation.check(rest);
        } finally {
            REPLICA.jedisDo(client -> client.replicaof("127.0.0.1", MASTER.port()));
        }
    }

    @Test
    void cluster_asksTheReplicasOfTheMasterThatWrote() {
        List<RedisServer> masters = Stream.generate(() -> RedisServer.start(
                        "--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0"))
                .limit(2)
                .toList();
        RedisServer first = masters.get(0);
        RedisServer copy = masters.get(1);
        try {
            cluster(first, "ADDSLOTSRANGE", "0", "16383");
            cluster(copy, "MEET", "127.0.0.1", Integer.toString(first.port()));
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> masters.stream().allMatch(ReplicasTest::knowsAll));
            try (RedisStore cluster =
                    RedisStore.connect("redis+cluster://127.0.0.1:" + first.port())) {
                RedisSpike copied = cluster.sale(saleId).acknowledgedBy(1, WITHIN);
                cluster.sale(saleId).open(Sale.of(saleId, 5));
                assertThatThrownBy(() -> copied.reserve(request("ann"), Long.MAX_VALUE))
                        .hasMessage("only 0 of 1 replicas have it");
                cluster(copy, "REPLICATE", id(first));
                awaitReplica(first);
                await().atMost(LONG)
                        .ignoreExceptions()
                        .until(() -> outcome(copied.reserve(request("ann"), Long.MAX_VALUE))
                                == Outcome.RESERVED);
            }
        } finally {
            masters.forEach(RedisServer::close);
        }
    }

    private static void cluster(RedisServer server, String... command) {
        server.jedisDo(jedis -> jedis.sendCommand(Command.CLUSTER, command));
    }

    private static String id(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            return jedis.clusterMyId();
        }
    }

    private static boolean knowsAll(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            String nodes = jedis.clusterInfo();
            return nodes.contains("cluster_state:ok") && nodes.contains("cluster_known_nodes:2");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void acknowledgedBy_fewerThanOne_namesIt(int count) {
        assertThatThrownBy(() -> sale.acknowledgedBy(count, WITHIN))
                .hasMessage("must be >= 1: replicas=" + count);
        assertThatThrownBy(() -> sale.acknowledgedBy(1, Duration.ZERO))
                .hasMessage("must be >= 1 ms: within=PT0S");
    }
}
