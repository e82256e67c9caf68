package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.spike.core.InMemorySpike;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import io.undertow.Undertow;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;

/** What nobody expects, while one is written to: the others do not notice. */
@Timeout(60)
final class WatchersFailureTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A sale whose levels cannot be had. */
    private static final OpenSale BROKEN =
            new OpenSale(Sale.of("broken", 1), null, new Traffic(0L));

    private final Watchers watchers = new Watchers(10);
    private Spike spike;
    private Undertow server;
    private OpenSale sale;
    private volatile boolean failing;

    /** Throws what no channel should, from the moment on when they are to fail. */
    private final class FailingConduit extends AbstractStreamSinkConduit<StreamSinkConduit> {

        FailingConduit(StreamSinkConduit next) {
            super(next);
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            if (failing) {
                throw new UnsupportedOperationException("no channel should");
            }
            return super.write(bytes);
        }
    }

    @BeforeEach
    void start() {
        InMemorySpike store = new InMemorySpike("ticket", InstantSource.system());
        store.open(Sale.of("ticket", 100));
        spike = Spike.builder(store).start();
        spike.sync();
        sale = new OpenSale(store.sale(), spike, new Traffic(0L));
        server = Undertow.builder().addHttpListener(0, "127.0.0.1", this::watch).build();
        server.start();
    }

    private void watch(HttpServerExchange exchange) {
        assertThat(watchers.takePlace()).isTrue();
        exchange.addExchangeCompleteListener((same, next) -> {
            watchers.giveBack();
            next.proceed();
        });
        exchange.setPersistent(false);
        if (exchange.getRequestPath().contains("failing")) {
            exchange.addResponseWrapper((next, same) -> new FailingConduit(next.create()));
        }
        OpenSale watched = exchange.getRequestPath().contains("broken") ? BROKEN : sale;
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> assertThat(watchers.add(watched, watcher(exchange))).isTrue());
    }

    private static Watcher watcher(HttpServerExchange exchange) {
        try {
            return new Watcher(exchange);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @AfterEach
    void stop() {
        watchers.close();
        server.stop();
        spike.close();
    }

    private int port() {
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    private EventStream open(String path) throws IOException {
        EventStream stream = new EventStream(port(), path);
        await().atMost(PATIENCE).until(() -> stream.messages().size() == 1);
        return stream;
    }

    @Test
    void writingToOneFails_thatOneIsCut_andItsPlaceFree() throws IOException {
        try (EventStream failed = open("failing");
                EventStream other = open("ticket")) {
            failing = true;
            spike.reserve("alice", 1);
            await().atMost(PATIENCE).until(() -> other.last("/reserved").equals("1"));
            await().atMost(PATIENCE).until(failed::isEnded);
            await().atMost(PATIENCE).until(() -> watchers.count() == 1);
            assertThat(other.isEnded()).isFalse();
        }
    }

    @Test
    void lookingAtOneSaleFails_whoWatchesItIsCut_andTheOthersGoOn() throws IOException {
        try (EventStream other = open("ticket");
                Wire broken = Wire.open(port()).send(Wire.get("/broken"))) {
            assertThat(broken.readToEnd()).isEmpty();
            await().atMost(PATIENCE).until(() -> watchers.count() == 1);
            spike.reserve("alice", 1);
            await().atMost(PATIENCE).until(() -> other.last("/reserved").equals("1"));
        }
    }

    @Test
    void endingOneFails_theOthersAreToldToComeAgain() throws IOException {
        try (EventStream failed = open("failing");
                EventStream other = open("ticket")) {
            failing = true;
            watchers.close();
            await().atMost(PATIENCE).until(failed::isEnded);
            await().atMost(PATIENCE).until(other::isEnded);
            assertThat(other.lines()).last().isEqualTo("retry: 1000");
            await().atMost(PATIENCE).until(() -> watchers.count() == 0);
        }
    }
}
