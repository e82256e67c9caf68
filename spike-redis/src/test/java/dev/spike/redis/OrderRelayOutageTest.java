package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.params.ClientKillParams;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Redis that stops, hangs or comes back, under a relay. */
@Timeout(60)
class OrderRelayOutageTest {

    private final String saleId = TestRedis.newSaleId();
    private final TestSink sink = new TestSink();

    private static void reserve(RedisSpike stock, String buyer) {
        stock.reserve(List.of(new Request(new ReservationId(buyer, buyer), 1)), Long.MAX_VALUE);
    }

    private OrderRelay start(RedisSpike stock) {
        return OrderRelay.of(stock, sink).takeOverAfter(Duration.ofDays(1)).start();
    }

    @Test
    void redisPaused_goesOn() {
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.connect(server.uri());
                RedisStore other = RedisStore.connect(server.uri());
                OrderRelay relay = start(store.sale(saleId))) {
            RedisSpike stock = other.sale(saleId);
            stock.open(Sale.of(saleId, 1_000));
            reserve(stock, "before");
            OrderRelayCase.await().until(() -> sink.buyers().equals(List.of("before")));
            for (int round = 0; round < 3; round++) {
                String buyer = "during" + round;
                int calls = sink.calls.get();
                var gate = sink.hang();
                reserve(stock, "held" + round);
                OrderRelayCase.await().until(() -> sink.calls.get() > calls);
                reserve(stock, buyer);
                server.pause();
                gate.countDown();
                OrderRelayCase.await()
                        .pollDelay(RedisStore.TIMEOUT.plusMillis(300))
                        .until(() -> true);
                server.resume();
                OrderRelayCase.await().until(() -> sink.buyers().contains(buyer));
            }
            OrderRelayCase.await().until(() -> relay.lag().events() == 0);
            assertThat(TestRedis.borrowed(other.client())).isZero();
        }
    }

    @Test
    void takeWhoseReplyGotLost_isDelivered() {
        try (RedisServer server = RedisServer.start();
                RedisStore store = RedisStore.connect(server.uri())) {
            RedisSpike stock = store.sale(saleId);
            stock.open(Sale.of(saleId, 1_000));
            try (OrderRelay relay = OrderRelay.of(stock, sink)
                    .consumer("relay")
                    .takeOverAfter(Duration.ofDays(1))
                    .start()) {
                reserve(stock, "before");
                OrderRelayCase.await()
                        .until(() -> relay.lag().events() == 0 && sink.buyers().contains("before"));
                var gate = sink.hang();
                reserve(stock, "held");
                OrderRelayCase.await().until(() -> sink.calls.get() == 2);
                reserve(stock, "lost");
                // What a take does whose reply never comes.
                stock.orderLog("orders", "relay").takeNew(10);
                server.jedisDo(jedis -> jedis.clientKill(ClientKillParams.clientKillParams()
                        .type(ClientType.NORMAL)
                        .skipMe(ClientKillParams.SkipMe.YES)));
                gate.countDown();
                OrderRelayCase.await().until(() -> sink.buyers().contains("lost"));
            }
        }
    }

    @Test
    void redisKilled_andBackWithItsLog_goesOn(@TempDir Path directory) {
        int port = RedisServer.freePort();
        String[] settings = {
            "--appendonly", "yes", "--appendfsync", "always", "--dir", directory.toString()
        };
        RedisServer server = RedisServer.start(port, settings);
        try (RedisStore store = RedisStore.connect(server.uri());
                OrderRelay relay = start(store.sale(saleId))) {
            RedisSpike stock = store.sale(saleId);
            stock.open(Sale.of(saleId, 1_000));
            reserve(stock, "before");
            OrderRelayCase.await().until(() -> sink.buyers().equals(List.of("before")));
            var gate = sink.hang();
            reserve(stock, "held");
            OrderRelayCase.await().until(() -> sink.calls.get() == 2);
            reserve(stock, "behind");
            server.kill();
            gate.countDown();
            OrderRelayCase.await().until(() -> sink.buyers().contains("held"));
            server = RedisServer.start(port, settings);
            OrderRelayCase.await().until(() -> sink.buyers().contains("behind"));
            OrderRelayCase.await().until(() -> relay.lag().events() == 0);
            reserve(stock, "after");
            OrderRelayCase.await().until(() -> sink.buyers().contains("after"));
            assertThat(sink.buyers()).containsExactly("before", "held", "behind", "after");
        } finally {
            server.close();
        }
    }
}
