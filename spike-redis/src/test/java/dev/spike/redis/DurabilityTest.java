package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Opening;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.Jedis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is left of what was answered when Redis is killed and started again, by the way in which it
 * writes to the disk, and what its nodes do then.
 */
@Timeout(90)
class DurabilityTest extends FourNodes {

    private static String[] appendOnly(String fsync) {
        return new String[] {"--appendonly", "yes", "--appendfsync", fsync};
    }

    private void writeAppendOnlyFile(String fsync) {
        server.jedisDo(jedis -> {
            jedis.configSet("appendonly", "yes");
            jedis.configSet("appendfsync", fsync);
            OrderRelayCase.await().until(() -> {
                String state = jedis.info("persistence");
                return state.contains("aof_rewrite_in_progress:0")
                        && state.contains("aof_rewrite_scheduled:0");
            });
        });
    }

    private boolean hasWrittenAll() {
        try (Jedis jedis = server.jedis()) {
            return jedis.info("persistence").contains("aof_buffer_length:0");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"always", "everysec", "no"})
    void killed_withWhatItAnsweredInTheAppendOnlyFile_losesNothing_andNodesGoOn(String fsync) {
        writeAppendOnlyFile(fsync);
        open(500);
        List<ReservationId> answered = reserveEach("buyer", 200);
        // With everysec, while an fsync is under way what is answered waits in the server itself.
        OrderRelayCase.await().until(this::hasWrittenAll);
        server.crash();
        server.restart(appendOnly(fsync));
        assertNoneHalts();
        assertThat(Conservation.reservations(stock())).containsOnlyKeys(answered);
        assertSellsTheRest(nodes.get(3));
    }

    @Test
    void killedUnderLoad_withFsyncAlways_losesNoAnswer_andNodesGoOn() {
        writeAppendOnlyFile("always");
        open(1_000_000);
        Rush rush = new Rush(nodes);
        try (rush) {
            rush.awaitReserved(500);
            server.crash();
            server.restart(appendOnly("always"));
            rush.awaitReserved(500);
        }
        assertNoneHalts();
        assertThat(rush.outcomes())
                .isSubsetOf(Outcome.RESERVED, Outcome.UNKNOWN, Outcome.UNAVAILABLE);
        assertThat(Conservation.reservations(stock()))
                .containsKeys(rush.reserved().keySet().toArray(ReservationId[]::new));
    }

    @Test
    void reserve_withFsyncAlways_isInTheFileBeforeItIsAnswered() throws IOException {
        writeAppendOnlyFile("always");
        open(500);
        for (int i = 0; i < 50; i++) {
            String buyer = "buyer-" + i + "-";
            Answer answer = nodes.get(i % 4).reserve(buyer, "key", 1);
            assertThat(answer.outcome()).isEqualTo(Outcome.RESERVED);
            assertThat(appendOnlyFile()).contains(buyer);
        }
    }

    private String appendOnlyFile() throws IOException {
        try (Stream<Path> files = Files.list(server.directory().resolve("appendonlydir"))) {
            Path last = files.filter(file -> file.toString().endsWith(".incr.aof"))
                    .max(Path::compareTo)
                    .orElseThrow();
            return Files.readString(last, ISO_8859_1);
        }
    }

    @Test
    void killed_withoutAnyFile_nodesHalt_alsoWhenTheSaleIsOpenedAgain() {
        open(500);
        reserveEach("buyer", 200);
        server.crash();
        server.restart();
        assertAllHalt("the shared stock was lost");
        try (Spike fresh = Spike.start(stock())) {
            assertThat(look(fresh).phase()).isEqualTo(Levels.Phase.ABSENT);
            assertThat(fresh.reserve("buyer0", "key", 1).outcome()).isEqualTo(Outcome.NOT_OPEN);
        }
        assertThat(stock().open(Sale.of(saleId, 300))).isEqualTo(Opening.OPENED);
        assertAllHalt("the shared stock was lost");
        assertNewNodeSellsTheRest();
    }

    @Test
    void killed_backWithASnapshot_nodesHalt_andANewOneSellsExactlyWhatIsLeft() {
        open(500);
        List<ReservationId> kept = reserveEach("buyer", 120);
        server.jedisDo(Jedis::save);
        reserveEach("lost", 80);
        server.crash();
        server.restart();
        assertThat(Conservation.reservations(stock())).containsOnlyKeys(kept);
        assertAllHalt("the shared stock lost writes");
        assertNewNodeSellsTheRest();
    }

    @Test
    void oneSaleIsLost_theOthersGoOn() {
        open(500);
        reserveEach("buyer", 8);
        RedisSpike otherSale = stores.get(0).sale(TestRedis.newSaleId());
        try (Spike other = Spike.builder(otherSale).timeout(TIMEOUT).start()) {
            other.open(Sale.of(otherSale.saleId(), 10));
            server.jedisDo(jedis -> jedis.del("spike:{" + saleId + "}:stock"));
            assertAllHalt("the shared stock was lost");
            assertSellsTheRest(other);
            Conservation.check(otherSale);
        }
    }

    @Test
    void evictionAllowedAfterTheStart_anEvictedSaleIsNotSoldAgain() {
        open(500);
        reserveEach("buyer", 200);
        server.jedisDo(jedis -> {
            jedis.configSet("maxmemory-policy", "allkeys-random");
            jedis.configSet("maxmemory", "1");
        });
        for (Spike node : nodes) {
            OrderRelayCase.await()
                    .until(() -> node.sync().isEmpty() && node.haltReason().isPresent());
        }
        server.jedisDo(jedis -> jedis.configSet("maxmemory", "0"));
        assertAllHalt("lost");
    }
}
