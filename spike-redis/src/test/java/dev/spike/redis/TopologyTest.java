package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Four nodes of one sale over a cluster, and over Sentinel, in real processes. */
@Timeout(90)
class TopologyTest {

    private final String saleId = TestRedis.newSaleId();

    private void sellsExactlyTotal(String uri) {
        List<RedisStore> stores =
                IntStream.range(0, 4).mapToObj(i -> RedisStore.connect(uri)).toList();
        List<Spike> nodes = stores.stream()
                .map(store -> Spike.builder(store.sale(saleId))
                        .nodes(4)
                        .timeout(Duration.ofSeconds(10))
                        .start())
                .toList();
        nodes.get(0).open(Sale.of(saleId, 2_000));
        nodes.forEach(Spike::sync);
        List<CompletionStage<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            answers.add(
                    nodes.get(i % 10 < 7 ? 0 : i % 10 - 6).reserveAsync("buyer" + i, "key" + i, 1));
        }
        Map<Outcome, Long> outcomes = answers.stream()
                .map(answer ->
                        answer.toCompletableFuture().orTimeout(20, SECONDS).join())
                .collect(Collectors.groupingBy(Answer::outcome, Collectors.counting()));
        assertThat(outcomes)
                .isEqualTo(Map.of(Outcome.RESERVED, 2_000L, Outcome.ALL_RESERVED, 1_000L));
        Conservation.check(stores.get(0).sale(saleId));
        nodes.forEach(Spike::close);
        assertThat(stores)
                .allSatisfy(
                        store -> assertThat(TestRedis.borrowed(store.client())).isZero());
        stores.forEach(RedisStore::close);
    }

    @Test
    void clusterOfThreeMasters_exactlyTotal() {
        List<RedisServer> masters = IntStream.range(0, 3)
                .mapToObj(i -> RedisServer.start("--cluster-enabled", "yes"))
                .toList();
        try {
            formCluster(masters);
            String hosts = masters.stream()
                    .map(master -> "127.0.0.1:" + master.port())
                    .collect(Collectors.joining(","));
            sellsExactlyTotal("redis+cluster://" + hosts);
            masters.get(2).jedisDo(jedis -> jedis.configSet("maxmemory-policy", "allkeys-lru"));
            assertThatThrownBy(() -> RedisStore.connect("redis+cluster://" + hosts))
                    .hasMessageContaining("maxmemory-policy is allkeys-lru");
        } finally {
            masters.forEach(RedisServer::close);
        }
    }

    private static void formCluster(List<RedisServer> masters) {
        int from = 0;
        for (int i = 0; i < 3; i++) {
            int to = i == 2 ? 16_383 : from + 5_460;
            String[] slots = {"ADDSLOTSRANGE", Integer.toString(from), Integer.toString(to)};
            masters.get(i).jedisDo(jedis -> jedis.sendCommand(Command.CLUSTER, slots));
            from = to + 1;
        }
        String first = Integer.toString(masters.get(0).port());
        for (RedisServer other : masters.subList(1, 3)) {
            other.jedisDo(jedis -> jedis.sendCommand(Command.CLUSTER, "MEET", "127.0.0.1", first));
        }
        await().atMost(30, SECONDS)
                .until(() -> masters.stream().allMatch(TopologyTest::knowsThreeMasters));
    }

    private static boolean knowsThreeMasters(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            String info = jedis.clusterInfo();
            return info.contains("cluster_state:ok")
                    && info.contains("cluster_size:3")
                    && info.contains("cluster_known_nodes:3");
        }
    }

    @Test
    void sentinel_exactlyTotal_andTheSaleGoesOnAfterAFailover() {
        try (RedisServer master = RedisServer.start();
                RedisServer replica =
                        RedisServer.start("--replicaof", "127.0.0.1 " + master.port());
                RedisServer sentinel = RedisServer.startSentinel(master.port())) {
            await().atMost(30, SECONDS).until(() -> knowsAReplica(sentinel));
            String uri = "redis+sentinel://127.0.0.1:" + sentinel.port() + "/master";
            sellsExactlyTotal(uri);
            await().until(() -> sequence(replica).equals(sequence(master)));
            try (RedisStore store = RedisStore.connect(uri);
                    Spike spike = Spike.start(store.sale(saleId))) {
                await().until(() -> spike.levels().isPresent());
                long before = spike.levels().orElseThrow().sequence();
                master.kill();
                await().atMost(40, SECONDS)
                        .until(() ->
                                spike.reserve("buyer0", "key0", 1).outcome() == Outcome.RESERVED);
                assertThat(spike.sync().orElseThrow().sequence()).isEqualTo(before);
                assertThat(spike.haltReason()).isEmpty();
            }
        }
    }

    private String sequence(RedisServer server) {
        try (Jedis jedis = server.jedis()) {
            return String.valueOf(jedis.hget("spike:{" + saleId + "}:stock", "sequence"));
        }
    }

    private static boolean knowsAReplica(RedisServer sentinel) {
        try (Jedis jedis = sentinel.jedis()) {
            return !jedis.sentinelReplicas("master").isEmpty();
        }
    }
}
