package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.spike.core.Answer;
import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Four nodes of a sale, each with connections of its own, over a Redis that a test may mistreat.
 */
abstract class FourNodes {

    /** Longer than a busy machine needs; a paused Redis has a test with the default. */
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    final RedisServer server;
    final String saleId = TestRedis.newSaleId();
    final List<RedisStore> stores = new ArrayList<>();
    final List<Spike> nodes = new ArrayList<>();

    FourNodes(String... settings) {
        server = RedisServer.start(settings);
    }

    /** Where the nodes find the server; of what is behind it, a test says more. */
    String uri() {
        return server.uri();
    }

    /** How long a request of the nodes is tried. */
    Duration timeout() {
        return TIMEOUT;
    }

    @BeforeEach
    void startFourNodes() {
        for (int i = 0; i < 4; i++) {
            RedisStore store = RedisStore.connect(uri());
            stores.add(store);
            nodes.add(Spike.builder(store.sale(saleId))
                    .nodes(4)
                    .timeout(timeout())
                    .start());
        }
    }

    /** The stock, also after its server died and came back. */
    RedisSpike stock() {
        TestRedis.dropIdle(stores.get(0).client());
        return stores.get(0).sale(saleId);
    }

    /** Opens the sale, and lets all nodes know. */
    void open(long total) {
        nodes.get(0).open(Sale.of(saleId, total));
        nodes.forEach(FourNodes::look);
    }

    /**
     * A unit for each of the buyers prefix0, prefix1, …, through all nodes, which all look then.
     */
    List<ReservationId> reserveEach(String prefix, int count) {
        List<Answer> answers = IntStream.range(0, count)
                .mapToObj(i -> nodes.get(i % 4).reserveAsync(prefix + i, "key", 1))
                .toList()
                .stream()
                .map(FourNodes::join)
                .toList();
        assertThat(answers).allMatch(answer -> answer.outcome() == Outcome.RESERVED);
        nodes.forEach(FourNodes::look);
        return answers.stream().map(answer -> answer.reservation().id()).toList();
    }

    /** Demands that every node stops selling for this reason, and sells nothing any more. */
    void assertAllHalt(String reason) {
        for (Spike node : nodes) {
            OrderRelayCase.await().untilAsserted(() -> {
                node.sync();
                assertThat(node.haltReason().orElse("")).contains(reason);
            });
        }
        long sequence = stock().levels().sequence();
        assertThat(nodes).allSatisfy(node -> {
            Answer answer = node.reserve("after-the-loss", "key", 1);
            assertThat(answer.outcome()).isEqualTo(Outcome.UNAVAILABLE);
        });
        assertThat(stock().levels().sequence()).isEqualTo(sequence);
    }

    /** Leaves so much of the stock. */
    void reduceTo(long available) {
        RedisSpike stock = stock();
        stock.restock(new Operation("less", available - stock.levels().available()));
    }

    void assertNoneHalts() {
        nodes.forEach(FourNodes::look);
        assertThat(nodes).allSatisfy(node -> assertThat(node.haltReason()).isEmpty());
    }

    /** Demands that a node which starts now sells exactly what the stock has left. */
    void assertNewNodeSellsTheRest() {
        try (Spike fresh = Spike.builder(stock()).timeout(TIMEOUT).start()) {
            assertSellsTheRest(fresh);
        }
    }

    static void assertSellsTheRest(Spike node) {
        long left = look(node).available();
        for (long sold = 0; sold < left; sold++) {
            assertThat(node.reserve("rest" + sold, "rest", 1).outcome())
                    .isEqualTo(Outcome.RESERVED);
        }
        assertThat(node.reserve("too-late", "rest", 1).outcome())
                .isIn(Outcome.ALL_RESERVED, Outcome.SOLD_OUT);
        Levels levels = look(node);
        assertThat(levels.reserved() + levels.sold()).isEqualTo(levels.total());
    }

    @AfterEach
    void conserveAndClose() {
        nodes.forEach(Spike::close);
        Conservation.check(stock());
        assertThat(stores)
                .allSatisfy(
                        store -> assertThat(TestRedis.borrowed(store.client())).isZero());
        stores.forEach(RedisStore::close);
        closeOthers();
        server.close();
    }

    /** Closes what a test has besides the server. */
    void closeOthers() {}

    /** Looks until there is an answer, which a busy machine may hold up. */
    static Levels look(Spike node) {
        return OrderRelayCase.await().until(node::sync, Optional::isPresent).orElseThrow();
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
