package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.Spike;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Four nodes of a sale, each with connections of its own, over a Redis that a test may mistreat.
 */
abstract class FourNodes {

    /** Longer than a busy machine needs; a paused Redis has a test with the default. */
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    final RedisServer server = RedisServer.start();
    final String saleId = TestRedis.newSaleId();
    final List<RedisStore> stores = new ArrayList<>();
    final List<Spike> nodes = new ArrayList<>();

    @BeforeEach
    void startFourNodes() {
        for (int i = 0; i < 4; i++) {
            RedisStore store = RedisStore.connect(server.uri());
            stores.add(store);
            nodes.add(
                    Spike.builder(store.sale(saleId)).nodes(4).timeout(TIMEOUT).start());
        }
    }

    @AfterEach
    void conserveAndClose() {
        nodes.forEach(Spike::close);
        Conservation.check(stores.get(0).sale(saleId));
        assertThat(stores)
                .allSatisfy(
                        store -> assertThat(TestRedis.borrowed(store.client())).isZero());
        stores.forEach(RedisStore::close);
        server.close();
    }

    static Answer join(CompletionStage<Answer> stage) {
        return stage.toCompletableFuture().orTimeout(20, SECONDS).join();
    }

    static Map<Outcome, Long> outcomes(Stream<CompletionStage<Answer>> stages) {
        return stages.toList().stream()
                .map(FourNodes::join)
                .collect(Collectors.groupingBy(Answer::outcome, Collectors.counting()));
    }
}
