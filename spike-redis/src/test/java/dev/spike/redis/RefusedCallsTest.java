package dev.spike.redis;

import static dev.spike.redis.Replies.bytes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.JedisClusterCRC16;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What a server answers instead of running a script: it is tried again until the deadline, is never
 * a refusal, changes nothing, and the sale goes on afterwards.
 */
@Timeout(90)
class RefusedCallsTest {

    private final String saleId = TestRedis.newSaleId();
    private final AtomicInteger next = new AtomicInteger();
    private final RedisServer server = RedisServer.start(
            "--enable-debug-command",
            "yes",
            "--busy-reply-threshold",
            "5",
            "--loading-process-events-interval-bytes",
            "1024",
            "--rdbcompression",
            "no");

    @AfterEach
    void close() {
        server.close();
    }

    /** How a server comes to answer so, and how it is healed. */
    enum Cause {
        READONLY {
            @Override
            void induce(RedisServer server) {
                server.jedisDo(jedis -> jedis.replicaof("127.0.0.1", 1));
            }

            @Override
            void heal(RedisServer server) {
                server.jedisDo(Jedis::replicaofNoOne);
            }
        },
        MASTERDOWN {
            @Override
            void induce(RedisServer server) {
                set(server, "replica-serve-stale-data", "no");
                READONLY.induce(server);
            }

            @Override
            void heal(RedisServer server) {
                READONLY.heal(server);
            }
        },
        NOREPLICAS {
            @Override
            void induce(RedisServer server) {
                set(server, "min-replicas-to-write", "1");
            }

            @Override
            void heal(RedisServer server) {
                set(server, "min-replicas-to-write", "0");
            }
        },
        MISCONF {
            @Override
            void induce(RedisServer server) {
                try {
                    // A snapshot cannot take its place.
                    Files.createDirectories(snapshot(server).resolve("in-the-way"));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                set(server, "save", "3600 1");
                server.jedisDo(Jedis::bgsave);
                OrderRelayCase.await()
                        .until(() -> persistence(server).contains("rdb_last_bgsave_status:err"));
            }

            @Override
            void heal(RedisServer server) {
                set(server, "stop-writes-on-bgsave-error", "no");
            }

            private Path snapshot(RedisServer server) {
                return server.directory().resolve("dump.rdb");
            }
        },
        BUSY {
            @Override
            void induce(RedisServer server) {
                Thread foreign = new Thread(() -> {
                    try (Jedis jedis = new Jedis("127.0.0.1", server.port(), 60_000)) {
                        jedis.eval("while true do end");
                    } catch (JedisException killed) {
                        // In the end.
                    }
                });
                foreign.setDaemon(true);
                foreign.start();
                awaitError(server);
            }

            @Override
            void heal(RedisServer server) {
                server.jedisDo(Jedis::scriptKill);
            }
        },
        LOADING {
            @Override
            void induce(RedisServer server) {
                server.jedisDo(jedis -> {
                    jedis.sendCommand(() -> bytes("DEBUG"), "POPULATE", "20000", "other", "100");
                    jedis.save();
                });
                server.crash();
                // 20 s for all keys, unless it is healed before; it answers after each ten.
                server.restartWithoutWaiting("--key-load-delay", "1000");
                awaitError(server);
            }

            @Override
            void heal(RedisServer server) {
                set(server, "key-load-delay", "0");
            }
        };

        abstract void induce(RedisServer server);

        abstract void heal(RedisServer server);

        static void set(RedisServer server, String name, String value) {
            server.jedisDo(jedis -> jedis.configSet(name, value));
        }

        static String persistence(RedisServer server) {
            try (Jedis jedis = server.jedis()) {
                return jedis.info("persistence");
            }
        }

        void awaitError(RedisServer server) {
            OrderRelayCase.await().until(() -> {
                try (Jedis jedis = server.jedis()) {
                    return jedis.get("any") == null && false;
                } catch (JedisException error) {
                    return String.valueOf(error.getMessage()).startsWith(name());
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void call_answeredSo_isTriedAgain_thenUnavailable_andTheSaleGoesOnAfterwards(Cause cause) {
        try (RedisStore store = RedisStore.connect(server.uri());
                Spike node = node(store)) {
            sellSome(node);
            Levels before = FourNodes.look(node);
            cause.induce(server);
            assertNotServed(node, Outcome.UNAVAILABLE);
            cause.heal(server);
            assertGoesOn(node, before);
            Conservation.check(store.sale(saleId));
        }
    }

    /** Healed while requests wait, which nobody notices then. */
    @ParameterizedTest
    @EnumSource
    void call_answeredSo_isServed_whenItEndsBeforeTheDeadline(Cause cause) throws Exception {
        try (RedisStore store = RedisStore.connect(server.uri());
                Spike node = Spike.builder(store.sale(saleId))
                        .timeout(FourNodes.TIMEOUT)
                        .start()) {
            sellSome(node);
            cause.induce(server);
            var waiting = node.reserveAsync("waiting", "key", 1).toCompletableFuture();
            OrderRelayCase.await().pollDelay(Duration.ofMillis(100)).until(() -> true);
            assertThat(waiting).isNotDone();
            cause.heal(server);
            assertThat(FourNodes.join(waiting).outcome()).isEqualTo(Outcome.RESERVED);
        }
    }

    /** The cluster client tells only of its last try, so nothing is certain. */
    @Test
    void clusterDown_isTriedAgain_thenUnknown_andTheSaleGoesOnAfterwards() {
        try (RedisServer alone = RedisServer.start("--cluster-enabled", "yes")) {
            String slot = Integer.toString(JedisClusterCRC16.getSlot(saleId));
            cluster(alone, "ADDSLOTSRANGE", "0", "16383");
            awaitClusterState(alone, "ok");
            try (RedisStore store =
                            RedisStore.connect("redis+cluster://127.0.0.1:" + alone.port());
                    Spike node = node(store)) {
                sellSome(node);
                Levels before = FourNodes.look(node);
                cluster(alone, "DELSLOTS", slot);
                awaitClusterState(alone, "fail");
                assertNotServed(node, Outcome.UNKNOWN);
                cluster(alone, "ADDSLOTS", slot);
                awaitClusterState(alone, "ok");
                assertGoesOn(node, before);
                Conservation.check(store.sale(saleId));
            }
        }
    }

    private static void cluster(RedisServer server, String... command) {
        server.jedisDo(jedis -> jedis.sendCommand(Command.CLUSTER, command));
    }

    private static void awaitClusterState(RedisServer server, String state) {
        OrderRelayCase.await().until(() -> {
            try (Jedis jedis = server.jedis()) {
                return jedis.clusterInfo().contains("cluster_state:" + state);
            }
        });
    }

    private Spike node(RedisStore store) {
        return Spike.builder(store.sale(saleId)).timeout(Duration.ofMillis(300)).start();
    }

    private void sellSome(Spike node) {
        node.open(Sale.of(saleId, 100));
        OrderRelayCase.await()
                .until(() -> node.reserve("alice", "key", 1).outcome() == Outcome.RESERVED);
    }

    /** Demands this answer sooner or later: a call that a busy machine held up is UNKNOWN. */
    private void assertNotServed(Spike node, Outcome expected) {
        Set<Outcome> told = EnumSet.noneOf(Outcome.class);
        OrderRelayCase.await().until(() -> {
            Answer answer = node.reserve("bob" + next.incrementAndGet(), "key", 1);
            told.add(answer.outcome());
            return answer.outcome() == expected;
        });
        OrderRelayCase.await().until(() -> {
            Answer answer = node.confirm(new ReservationId("alice", "key"));
            told.add(answer.outcome());
            return answer.outcome() == expected;
        });
        assertThat(told).isSubsetOf(expected, Outcome.UNKNOWN);
        assertThat(node.haltReason()).isEmpty();
    }

    private void assertGoesOn(Spike node, Levels before) {
        assertThat(FourNodes.look(node).sequence()).isEqualTo(before.sequence());
        OrderRelayCase.await()
                .until(() -> node.confirm(new ReservationId("alice", "key")).outcome()
                        == Outcome.CONFIRMED);
        OrderRelayCase.await()
                .until(() -> node.reserve("bob1", "key", 1).outcome() == Outcome.RESERVED);
        assertThat(node.haltReason()).isEmpty();
    }
}
