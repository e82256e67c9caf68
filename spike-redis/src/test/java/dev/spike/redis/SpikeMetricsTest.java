package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.core.SpikeBuilder;
import dev.spike.core.SpikeListener;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import redis.clients.jedis.RedisClient;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.IntStream;

/** The meters of a library user, over a real Redis. */
class SpikeMetricsTest extends OrderRelayCase {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final SpikeMetrics metrics = new SpikeMetrics(registry, stock.saleId());
    private final AtomicLong nanosOffset = new AtomicLong();
    private final List<Spike> nodes = new ArrayList<>();
    private final TestSink sink = new TestSink();

    @AfterEach
    void closeNodes() {
        nodes.forEach(Spike::close);
    }

    private SpikeBuilder node() {
        return Spike.builder(stock)
                .timeout(Duration.ofSeconds(10))
                .syncEvery(Duration.ofMinutes(30))
                .nanoTime(() -> System.nanoTime() + nanosOffset.get());
    }

    private Spike start(SpikeBuilder builder) {
        Spike spike = builder.start();
        nodes.add(spike);
        await().until(() -> spike.levels().isPresent());
        return spike;
    }

    private Spike watched() {
        Spike spike = start(node().listener(metrics));
        metrics.watch(spike);
        return spike;
    }

    private double counted(String name, String... tags) {
        return registry.get(name)
                .tag("sale", stock.saleId())
                .tags(tags)
                .functionCounter()
                .count();
    }

    private double requests(boolean local, String outcome) {
        return counted("spike.requests", "local", String.valueOf(local), "outcome", outcome);
    }

    private double gauge(String name, String... tags) {
        return registry.get(name).tag("sale", stock.saleId()).tags(tags).gauge().value();
    }

    private long calls(String call, String result) {
        return registry.get("spike.remote")
                .tags("call", call, "result", result)
                .timer()
                .count();
    }

    @Test
    void node_countsWhatItAnswers_andTellsWhatItKnows() {
        stock.open(Sale.of(stock.saleId(), 5).withPerBuyer(3));
        Spike spike = watched();
        spike.reserve("alice", "key-0001", 2);
        spike.reserve("alice", "key-0001", 2);
        spike.reserve("alice", "key-0001", 1);
        spike.reserve("alice", 2);
        ReservationId bobs = spike.reserve("bob", 3).id();
        spike.reserve(1);
        spike.confirm(bobs);
        spike.cancel(bobs);
        spike.extend(new ReservationId("nobody", "key-0002"));
        assertThat(requests(false, "reserved")).isEqualTo(3);
        assertThat(requests(false, "mismatch")).isEqualTo(1);
        assertThat(requests(false, "limit_reached")).isEqualTo(1);
        assertThat(requests(true, "all_reserved")).isEqualTo(1);
        assertThat(requests(false, "all_reserved")).isZero();
        assertThat(counted("spike.settlements", "wish", "confirm", "outcome", "confirmed"))
                .isEqualTo(1);
        assertThat(counted("spike.settlements", "wish", "cancel", "outcome", "confirmed"))
                .isEqualTo(1);
        assertThat(counted("spike.settlements", "wish", "extend", "outcome", "not_found"))
                .isEqualTo(1);
        assertThat(counted("spike.reserved")).isEqualTo(5);
        assertThat(calls("reserve", "answered")).isEqualTo(5);
        assertThat(calls("settle", "answered")).isEqualTo(3);
        assertThat(registry.get("spike.batch").tag("call", "reserve").summary().totalAmount())
                .isEqualTo(5);
        assertThat(gauge("spike.level", "level", "available")).isZero();
        assertThat(gauge("spike.level", "level", "reserved")).isEqualTo(2);
        assertThat(gauge("spike.level", "level", "sold")).isEqualTo(3);
        assertThat(gauge("spike.total")).isEqualTo(5);
        assertThat(gauge("spike.conservation.error")).isZero();
        assertThat(gauge("spike.backlog")).isEqualTo(3);
        assertThat(gauge("spike.halted")).isZero();
        assertThat(gauge("spike.quota")).isEqualTo(spike.quota());
        assertThat(gauge("spike.queue", "queue", "reserve")).isZero();
        assertThat(gauge("spike.queue.limit")).isEqualTo(16_384);
        assertThat(gauge("spike.expiry.lag")).isZero();
    }

    @Test
    void node_staleLevels_andOverdueHolds_inSeconds() {
        stock.open(Sale.of(stock.saleId(), 5).withHold(Duration.ofMinutes(5)));
        Spike spike = watched();
        spike.reserve("alice", 2);
        spike.sync();
        nanosOffset.addAndGet(Duration.ofSeconds(1_000).toNanos());
        assertThat(gauge("spike.levels.age")).isCloseTo(1_000, within(60.0));
        assertThat(gauge("spike.expiry.lag")).isCloseTo(700, within(60.0));
    }

    @Test
    void damage_isAConservationError_andTheHaltIsTold() {
        stock.open(Sale.of(stock.saleId(), 5));
        Spike spike = watched();
        REDIS.client().hincrBy(key("stock"), "available", 2);
        assertThat(gauge("spike.halted")).isZero();
        assertThat(spike.sync()).isEmpty();
        assertThat(gauge("spike.conservation.error")).isEqualTo(-2);
        assertThat(gauge("spike.total")).isEqualTo(5);
        assertThat(gauge("spike.halted")).isEqualTo(1);
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(requests(true, "unavailable")).isEqualTo(1);
        REDIS.client().hset(key("stock"), "available", "5");
    }

    @Test
    void eachOutcome_thatMayBe_isCounted() {
        for (Outcome outcome : Outcome.values()) {
            if (outcome != Outcome.NOT_FOUND) {
                metrics.answered(outcome, false);
                assertThat(requests(false, Meters.lower(outcome))).isEqualTo(1);
            }
        }
        Spike absent = watched();
        absent.reserve(1);
        absent.open(Sale.of(stock.saleId(), 1));
        absent.closeSale();
        absent.reserve(1);
        absent.reopenSale();
        ReservationId id = absent.reserve("alice", 1).id();
        absent.reserve(1);
        absent.confirm(id);
        absent.reserve(1);
        for (String outcome : List.of("not_open", "closed", "all_reserved", "sold_out")) {
            assertThat(requests(true, outcome)).as(outcome).isEqualTo(1);
        }
    }

    @Test
    void beforeTheFirstAnswer_noLevelsAreMadeUp() {
        RedisClient nowhere = RedisClient.create("redis://127.0.0.1:1");
        Spike spike = Spike.start(new RedisSpike(nowhere, stock.saleId(), null));
        nodes.add(spike);
        metrics.watch(spike);
        assertThat(gauge("spike.level", "level", "available")).isNaN();
        assertThat(gauge("spike.total")).isNaN();
        assertThat(gauge("spike.conservation.error")).isNaN();
        assertThat(gauge("spike.levels.age")).isPositive();
        nowhere.close();
    }

    @Test
    void relay_tellsItsLag_withoutACall() {
        stock.open(Sale.of(stock.saleId(), 1_000));
        sink.refuses = event -> event.id().buyer().equals("poison");
        OrderRelay relay = start(relay(sink).tries(2).group("orders"));
        metrics.watch(relay);
        reserve("good", "good", 1);
        reserve("poison", "poison", 1);
        await().until(() -> gauge("spike.relay.dead.letters", "group", "orders") == 1);
        await().until(() -> gauge("spike.relay.backlog") == 0);
        assertThat(gauge("spike.relay.lag")).isZero();
        sink.away = true;
        reserveTogether("held", 10);
        await().until(() -> gauge("spike.relay.backlog") == 10);
        await().until(() -> gauge("spike.relay.lag") > 0.05);
        sink.away = false;
        await().until(() -> gauge("spike.relay.backlog") == 0);
        assertThat(gauge("spike.relay.lag")).isZero();
    }

    @Test
    void relay_whoseSinkHangs_tellsThatItsLagIsOld() {
        stock.open(Sale.of(stock.saleId(), 1_000));
        CountDownLatch gate = sink.hang();
        OrderRelay relay = start(relay(sink).nanoTime(() -> System.nanoTime() + nanosOffset.get()));
        metrics.watch(relay);
        await().until(() -> relay.seen().isPresent());
        reserve("good", "good", 1);
        await().until(() -> sink.calls.get() > 0);
        nanosOffset.addAndGet(Duration.ofSeconds(100).toNanos());
        assertThat(gauge("spike.relay.seen.age")).isBetween(100.0, 160.0);
        gate.countDown();
        await().until(() -> gauge("spike.relay.seen.age") < 60);
    }

    @Test
    void close_takesItsMetersOut_andNoOthers() {
        SpikeMetrics other = new SpikeMetrics(registry, "other");
        Spike spike = watched();
        other.watch(spike);
        metrics.close();
        assertThat(registry.getMeters())
                .isNotEmpty()
                .extracting(Meter::getId)
                .allSatisfy(id -> assertThat(id.getTag("sale")).isEqualTo("other"));
        assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.NOT_OPEN);
        other.close();
        other.called(SpikeListener.Call.RESERVE, 1, false, 1, RemoteSpikeException.Kind.UNKNOWN);
        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void listenerThatThrows_isLoggedOnce() {
        List<LogRecord> logged = Collections.synchronizedList(new ArrayList<>());
        Logger logger = Logger.getLogger(Spike.class.getName());
        Handler handler = new Recording(logged);
        logger.addHandler(handler);
        try {
            stock.open(Sale.of(stock.saleId(), 10));
            Spike spike = start(node().listener(new SpikeListener() {
                @Override
                public void answered(Outcome outcome, boolean local) {
                    throw new IllegalStateException("planted");
                }
            }));
            IntStream.range(0, 10)
                    .forEach(i ->
                            assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.RESERVED));
            IntStream.range(0, 10)
                    .forEach(i ->
                            assertThat(spike.reserve(1).outcome()).isEqualTo(Outcome.ALL_RESERVED));
        } finally {
            logger.removeHandler(handler);
        }
        assertThat(logged)
                .filteredOn(record -> record.getMessage().contains("listener of " + stock.saleId()))
                .hasSize(1)
                .allSatisfy(record -> assertThat(record.getThrown()).hasMessage("planted"));
    }

    private static final class Recording extends Handler {
        private final List<LogRecord> records;

        Recording(List<LogRecord> records) {
            this.records = records;
        }

        @Override
        public void publish(LogRecord record) {
            records.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
