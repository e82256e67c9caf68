package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.Outcome;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;

/** The documented users are enough over a cluster and over Sentinel, and not more than needed. */
@Timeout(90)
class PermissionsTopologyTest {

    private final String saleId = TestRedis.newSaleId();

    private void sells(String uri) {
        try (RedisStore store = RedisStore.connect(uri);
                Spike spike = Spike.start(store.sale(saleId))) {
            spike.open(Sale.of(saleId, 1));
            OrderRelayCase.await()
                    .until(() -> spike.reserve("alice", "key-1", 1).outcome() == Outcome.RESERVED);
        }
    }

    private void replicasNeedTheDocumentedRule(String uri, RedisServer server) {
        String rule = DocumentedUser.ruleFor("[replicas]");
        try (RedisStore store = RedisStore.connect(uri)) {
            RedisSpike sale = store.sale(saleId);
            assertThatThrownBy(() -> sale.acknowledgedBy(1, RedisStore.TIMEOUT))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ACL SETUSER user " + rule + ", on each server");
            server.jedisDo(jedis -> jedis.aclSetUser(DocumentedUser.NAME, rule));
            assertThat(sale.acknowledgedBy(1, RedisStore.TIMEOUT).saleId()).isEqualTo(saleId);
        }
    }

    @Test
    void cluster_needsTheDocumentedRuleAsWell() {
        try (RedisServer server = RedisServer.start("--cluster-enabled", "yes")) {
            server.jedisDo(jedis -> {
                jedis.sendCommand(Command.CLUSTER, "ADDSLOTSRANGE", "0", "16383");
                OrderRelayCase.await()
                        .until(() -> jedis.clusterInfo().contains("cluster_state:ok"));
                DocumentedUser.make(jedis);
            });
            String uri = DocumentedUser.uri("redis+cluster://127.0.0.1:" + server.port());
            String rule = DocumentedUser.ruleFor("a cluster");
            assertThatThrownBy(() -> RedisStore.connect(uri))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ACL SETUSER user " + rule + ", on each server");
            server.jedisDo(jedis -> jedis.aclSetUser(DocumentedUser.NAME, rule));
            sells(uri);
            replicasNeedTheDocumentedRule(uri, server);
        }
    }

    @Test
    void sentinel_usersOfBoth_areEnough_andEachRuleOfTheSentinelIsNeeded() {
        try (RedisServer server = RedisServer.start();
                RedisServer sentinel = RedisServer.startSentinel(server.port());
                Jedis admin = sentinel.jedis()) {
            server.jedisDo(DocumentedUser::make);
            admin.aclSetUser("admin", "on", ">admin", "allcommands", "allchannels");
            admin.auth("admin", "admin");
            String[] rules = DocumentedUser.rulesOfSentinel().toArray(String[]::new);
            String uri =
                    DocumentedUser.uri("redis+sentinel://127.0.0.1:" + sentinel.port() + "/master");
            admin.aclSetUser("default", rules);
            admin.aclLogReset();
            try (RedisStore store = RedisStore.connect(uri)) {
                assertThat(store.client()).isNotNull();
                OrderRelayCase.await().until(() -> admin.clientList().contains(" sub=1 "));
                sells(uri);
            }
            assertThat(admin.aclLog()).isEmpty();
            replicasNeedTheDocumentedRule(uri, server);
            for (String rule : rules) {
                if (rule.startsWith("+") || rule.startsWith("&")) {
                    admin.aclSetUser("default", rules);
                    admin.aclSetUser(
                            "default",
                            rule.startsWith("&") ? "resetchannels" : "-" + rule.substring(1));
                    admin.aclLogReset();
                    refusedBySentinel(uri, admin);
                }
            }
        }
    }

    /** At the start, or when it asks to be told of another master, which it does by and by. */
    private static void refusedBySentinel(String uri, Jedis admin) {
        try (RedisStore store = RedisStore.connect(uri)) {
            assertThat(store.client()).isNotNull();
            OrderRelayCase.await().until(() -> !admin.aclLog().isEmpty());
        } catch (RuntimeException refused) {
            assertThat(admin.aclLog()).as(refused.toString()).isNotEmpty();
        }
    }
}
