package dev.spike.redis;

import dev.spike.core.Conservation;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.core.SpikeBuilder;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A sale on a real Redis behind a {@link RedisProxy}, and nodes of it that all must get along. */
@Timeout(120)
abstract class ProxyCase {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    /** Longer than a busy machine needs. */
    static final Duration PATIENT = Duration.ofSeconds(30);

    static final boolean EVERY_BYTE = Boolean.getBoolean("spike.slow");

    final RedisProxy proxy = new RedisProxy(URI.create(REDIS.uri()).getPort());

    /** Past the proxy. */
    final RedisSpike real = new RedisSpike(REDIS.client(), TestRedis.newSaleId(), null);

    private final List<AutoCloseable> closeables = new ArrayList<>();

    @BeforeEach
    void open() {
        real.open(Sale.of(real.saleId(), units()));
        // From now on these scripts are known, and cost one request a call.
        ReservationId first = new ReservationId("first", "first");
        real.reserve(List.of(new Request(first, 1)), Long.MAX_VALUE);
        real.settle(List.of(new Settlement(first, Outcome.CONFIRMED)), Long.MAX_VALUE);
    }

    /** The total of the sale; one of them is sold. */
    int units() {
        return 300;
    }

    @AfterEach
    void drainAndClose() throws Exception {
        // First, so that nobody waits for what hangs.
        proxy.close();
        for (AutoCloseable one : closeables) {
            one.close();
        }
        Conservation.drain(real);
    }

    <T extends AutoCloseable> T closing(T one) {
        closeables.add(0, one);
        return one;
    }

    /** With so many connections at most, which wait so long for each reply. */
    RedisClient client(int most, Duration timeout) {
        return closing(proxy.client(most, timeout));
    }

    RedisSpike stock(UnifiedJedis client) {
        return new RedisSpike(client, real.saleId(), null);
    }

    /** A node that has seen the sale. */
    Spike node(UnifiedJedis client, Duration timeout) {
        return start(Spike.builder(stock(client)).timeout(timeout));
    }

    Spike start(SpikeBuilder options) {
        Spike node = closing(options.start());
        OrderRelayCase.await().until(() -> node.sync().isPresent());
        return node;
    }

    /** A node that nothing keeps from an answer, once the proxy is faultless. */
    Spike patientNode() {
        return node(client(4, PATIENT), PATIENT);
    }
}
