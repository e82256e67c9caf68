package dev.spike.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.bench.peers.Peer;
import dev.spike.bench.peers.StockDesign;
import dev.spike.bench.rig.BenchRedis;

import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

import redis.clients.jedis.Jedis;

import java.util.Arrays;
import java.util.Collection;

class SharedStockTest {

    @Test
    void everyDesign_shortest_sellsAsManyAsItAnswers() throws RunnerException {
        Options shortest = new OptionsBuilder()
                .include("SharedStock.Of8Threads")
                .include("SharedStock.Of64ThreadsInFlight")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(2)
                .measurementTime(TimeValue.milliseconds(100))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();

        Collection<RunResult> results = new Runner(shortest).run();

        assertThat(results)
                .extracting(result -> StockDesign.of(result.getParams().getParam("design")))
                .containsExactlyInAnyOrder(StockDesign.values());
        assertThat(results)
                .allSatisfy(result ->
                        assertThat(result.getPrimaryResult().getScore()).isPositive());
    }

    @Test
    void everyDesign_closed_leavesNothingInRedis() {
        try (BenchRedis redis = BenchRedis.child();
                Jedis jedis = redis.jedis()) {
            assertThat(Arrays.stream(StockDesign.values())
                            .filter(design -> design != StockDesign.POSTGRESQL_ROW))
                    .allSatisfy(design -> {
                        try (Peer peer = design.open(redis)) {
                            assertThat(peer.takeOne()).isTrue();
                            assertThat(peer.takeOne()).isTrue();
                            assertThat(peer.taken()).isEqualTo(2);
                            assertThat(jedis.dbSize()).isPositive();
                        }
                        assertThat(jedis.keys("*")).isEmpty();
                    });
        }
    }

    @Test
    void close_moreTakenThanAnswered_fails() {
        SharedStock.Of1Thread stock = new SharedStock.Of1Thread();
        stock.design = "evalsha-bare";
        stock.open();
        stock.takeOne();
        stock.peer().takeOne();

        assertThatThrownBy(stock::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("taken=2 answered=1");
    }
}
