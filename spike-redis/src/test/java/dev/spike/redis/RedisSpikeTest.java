package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Conservation;
import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.RemoteSpikeContract;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

class RedisSpikeTest extends RemoteSpikeContract {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private final RedisSpike stock = new RedisSpike(REDIS.user(), TestRedis.newSaleId(), null);

    @Override
    protected RemoteSpike stock() {
        return stock;
    }

    @Override
    protected void passTime(Duration time) {
        Instant end = stock.levels().asOf().plus(time);
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !stock.levels().asOf().isBefore(end));
    }

    private String key(String part) {
        return "spike:{" + stock.saleId() + "}:" + part;
    }

    private static Request request(String buyer, String key, int quantity) {
        return new Request(new ReservationId(buyer, key), quantity);
    }

    private Outcome reserve(String buyer) {
        return stock.reserve(List.of(request(buyer, buyer, 1)), Long.MAX_VALUE)
                .answers()
                .get(0)
                .outcome();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void randomOperations_againstTheSpecification_sameAnswersAndState(long seed) {
        Random random = new Random(seed);
        RemoteSpike specification = new InMemorySpike(stock.saleId(), Clock.systemUTC());
        Sale sale = Sale.of(stock.saleId(), 40).withPerBuyer((int) seed % 4 * 2);
        stock.open(sale);
        specification.open(sale);
        for (int call = 0; call < 200; call++) {
            String where = "seed " + seed + " call " + call;
            RemoteSpike.Reply expected;
            RemoteSpike.Reply actual;
            if (random.nextInt(3) > 0) {
                List<Request> batch =
                        some(random, () -> new Request(randomId(random), 1 + random.nextInt(3)));
                expected = specification.reserve(batch, Long.MAX_VALUE);
                actual = stock.reserve(batch, Long.MAX_VALUE);
            } else {
                List<Settlement> batch = some(
                        random,
                        () -> new Settlement(
                                randomId(random),
                                random.nextInt(3) == 0 ? Outcome.CONFIRMED : Outcome.CANCELLED));
                expected = specification.settle(batch, Long.MAX_VALUE);
                actual = stock.settle(batch, Long.MAX_VALUE);
            }
            assertThat(plain(actual)).as(where).isEqualTo(plain(expected));
            assertThat(plain(stock.levels())).as(where).isEqualTo(plain(specification.levels()));
        }
        Map<ReservationId, ?> expected = plain(Conservation.reservations(specification));
        assertThat(plain(Conservation.reservations(stock))).as("seed " + seed).isEqualTo(expected);
    }

    private static ReservationId randomId(Random random) {
        return new ReservationId("buyer" + random.nextInt(12), "key" + random.nextInt(4));
    }

    private static <T> List<T> some(Random random, Supplier<T> one) {
        return Stream.generate(one).limit(1 + random.nextInt(8)).toList();
    }

    /** Without what may differ: the clock and the ledger. */
    private static List<String> plain(RemoteSpike.Reply reply) {
        return reply.answers().stream()
                .map(answer -> answer.outcome() + " " + answer.repeated() + " "
                        + (answer.reservation() == null
                                ? ""
                                : answer.reservation().id() + " "
                                        + answer.reservation().quantity()))
                .toList();
    }

    private static List<Object> plain(Levels levels) {
        return List.of(
                levels.phase(),
                levels.sequence(),
                levels.available(),
                levels.reserved(),
                levels.sold(),
                levels.reservations());
    }

    private static Map<ReservationId, String> plain(
            Map<ReservationId, dev.spike.core.Reservation> reservations) {
        return reservations.entrySet().stream()
                .collect(java.util.stream.Collectors.toMap(
                        Map.Entry::getKey,
                        entry -> entry.getValue().state() + " "
                                + entry.getValue().quantity()));
    }

    @Test
    void everyChange_isInTheLog_underItsSequence() {
        stock.open(Sale.of(stock.saleId(), 3));
        stock.reserve(
                List.of(request("alice", "key-1", 2), request("bob", "key-2", 2)), Long.MAX_VALUE);
        stock.settle(
                List.of(new Settlement(new ReservationId("alice", "key-1"), Outcome.CONFIRMED)),
                Long.MAX_VALUE);
        stock.reserve(List.of(request("alice", "key-1", 2)), Long.MAX_VALUE);
        var log = REDIS.client().xrange(key("log"), "-", "+");
        assertThat(log)
                .extracting(entry -> entry.getID().toString())
                .containsExactly("1-0", "2-0", "3-0");
        assertThat(log.get(1).getFields())
                .containsEntry("codes", "RS")
                .containsKeys("t", "reserve", "deadline");
        assertThat(log.get(2).getFields()).containsEntry("codes", "C").containsKeys("t", "settle");
        assertThat(stock.levels().sequence()).isEqualTo(3);
    }

    @Test
    void keys_neverExpire() {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        for (String part : List.of("stock", "reservations", "log")) {
            assertThat(REDIS.client().ttl(key(part))).as(part).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stock", "reservations", "log"})
    void key_ofTheWrongType_breaksTheSale_andNothingElseChanges(String part) {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        REDIS.client().rename(key(part), key("saved"));
        REDIS.client().set(key(part), "planted");
        assertBroken(() -> reserve("bob"));
        assertBroken(() -> stock.settle(
                List.of(new Settlement(new ReservationId("alice", "alice"), Outcome.CANCELLED)),
                Long.MAX_VALUE));
        REDIS.client().del(key(part));
        REDIS.client().rename(key("saved"), key(part));
        assertThat(stock.levels().available()).isEqualTo(2);
        assertThat(stock.levels().sequence()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"reservations", "log"})
    void key_lost_breaksTheSale_insteadOfSellingTwice(String part) {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        REDIS.client().rename(key(part), key("saved"));
        if (part.equals("reservations")) {
            assertBroken(() -> reserve("alice"));
        }
        assertBroken(() -> stock.settle(
                List.of(new Settlement(new ReservationId("alice", "alice"), Outcome.CANCELLED)),
                Long.MAX_VALUE));
        assertBroken(() -> reserve("bob"));
        assertThat(stock.levels().available()).isEqualTo(2);
        REDIS.client().rename(key("saved"), key(part));
    }

    @ParameterizedTest
    @ValueSource(strings = {"reservations", "log"})
    void open_overTheRestOfALostSale_isRefused(String left) {
        stock.open(Sale.of(stock.saleId(), 3));
        List<String> lost = Stream.of("stock", "reservations", "log")
                .filter(part -> !part.equals(left))
                .toList();
        lost.forEach(part -> REDIS.client().rename(key(part), key("saved-" + part)));
        assertBroken(() -> stock.open(Sale.of(stock.saleId(), 3)));
        assertThat(REDIS.client().exists(key("stock"))).isFalse();
        lost.forEach(part -> REDIS.client().rename(key("saved-" + part), key(part)));
    }

    @Test
    void stock_ofAnotherSchema_isRefused() {
        stock.open(Sale.of(stock.saleId(), 3));
        REDIS.client().hset(key("stock"), "schema", "1");
        assertThatThrownBy(() -> reserve("alice"))
                .hasMessageContaining("has schema 1, this version reads 2");
        assertBroken(() -> stock.levels());
        REDIS.client().hset(key("stock"), "schema", "2");
    }

    @Test
    void scriptFlush_isNotNoticed() {
        stock.open(Sale.of(stock.saleId(), 3));
        for (String buyer : List.of("alice", "bob", "carol")) {
            REDIS.client().scriptFlush();
            assertThat(reserve(buyer)).isEqualTo(Outcome.RESERVED);
        }
    }

    @Test
    void noMoreClientsAllowed_isWorthAnotherTry_andNoDamage() {
        stock.open(Sale.of(stock.saleId(), 3));
        String before = REDIS.client().configGet("maxclients").get("maxclients");
        REDIS.client().configSet("maxclients", "1");
        try (RedisClient another = RedisClient.create(REDIS.uri())) {
            RedisSpike refused = new RedisSpike(another, stock.saleId(), null);
            assertThatThrownBy(refused::levels)
                    .isInstanceOfSatisfying(
                            RemoteSpikeException.class,
                            e -> assertThat(e.kind()).isNotEqualTo(Kind.BROKEN));
        } finally {
            REDIS.client().configSet("maxclients", before);
        }
    }

    /** All that there is in the stock of a sale that was just opened. */
    static Set<String> stockFields() {
        String saleId = TestRedis.newSaleId();
        new RedisSpike(REDIS.client(), saleId, null).open(Sale.of(saleId, 3));
        return REDIS.client().hgetAll("spike:{" + saleId + "}:stock").keySet();
    }

    @ParameterizedTest
    @MethodSource("stockFields")
    void stockFieldLost_breaksTheSale_beforeAnythingIsWritten(String field) {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        String value = REDIS.client().hget(key("stock"), field);
        REDIS.client().hdel(key("stock"), field);
        assertBroken(() -> reserve("bob"));
        assertBroken(() -> stock.settle(
                List.of(new Settlement(new ReservationId("alice", "alice"), Outcome.CANCELLED)),
                Long.MAX_VALUE));
        assertBroken(stock::levels);
        assertBroken(stock::expire);
        assertBroken(stock::reopenSale);
        REDIS.client().hset(key("stock"), field, value);
        assertThat(REDIS.client().xlen(key("log"))).isEqualTo(2);
        assertThat(stock.levels().sequence()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"acknowledged", "hold_ms"})
    void fieldOfLookUpsLost_breaksThem_andIsNoAbsentSale(String field) {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        String value = REDIS.client().hget(key("stock"), field);
        REDIS.client().hdel(key("stock"), field);
        assertBroken(() -> stock.find(new ReservationId("alice", "alice")));
        assertBroken(() -> stock.reservations(null));
        assertBroken(() -> stock.reservationsOf("alice", null));
        REDIS.client().hset(key("stock"), field, value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"available", "reserved", "sold", "total"})
    void levelsThatAreNotTheTotal_sellNothing_andSettleOn(String field) {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        for (int by : new int[] {2, -1, -1}) {
            REDIS.client().hincrBy(key("stock"), field, by);
            if (stock.levels().conservationError() == 0) {
                assertThat(reserve("bob")).isEqualTo(Outcome.RESERVED);
            } else {
                assertThat(stock.reserve(List.of(request("bob", "bob", 1)), Long.MAX_VALUE)
                                .late())
                        .isTrue();
                assertThat(REDIS.client().xlen(key("log"))).isEqualTo(2);
            }
        }
        REDIS.client().hincrBy(key("stock"), field, 1);
        stock.settle(
                List.of(new Settlement(new ReservationId("alice", "alice"), Outcome.CONFIRMED)),
                Long.MAX_VALUE);
        REDIS.client().hincrBy(key("stock"), field, -1);
        assertThat(stock.levels().sold()).isOne();
    }

    @Test
    void damagedFurtherRecord_breaksTheSale_insteadOfSellingTwice() {
        stock.open(Sale.of(stock.saleId(), 9));
        stock.reserve(List.of(request("alice", "key-1", 1)), Long.MAX_VALUE);
        stock.reserve(List.of(request("alice", "key-2", 3)), Long.MAX_VALUE);
        String further = "alice\nkey-2";
        String record = REDIS.client().hget(key("reservations"), further);
        REDIS.client().hset(key("reservations"), further, "planted");
        assertBroken(() -> stock.reserve(List.of(request("alice", "key-2", 3)), Long.MAX_VALUE));
        assertBroken(() -> stock.settle(
                List.of(new Settlement(new ReservationId("alice", "key-2"), Outcome.CANCELLED)),
                Long.MAX_VALUE));
        REDIS.client().hset(key("reservations"), further, record);
    }

    @Test
    void poolExhausted_isNotSent() {
        ConnectionPoolConfig one = new ConnectionPoolConfig();
        one.setMaxTotal(1);
        one.setMaxWait(Duration.ofMillis(10));
        String address = REDIS.uri().substring(REDIS.uri().lastIndexOf('/') + 1);
        try (RedisClient narrow = RedisClient.builder()
                        .hostAndPort(HostAndPort.from(address))
                        .poolConfig(one)
                        .build();
                Connection taken = narrow.getPool().getResource()) {
            assertThat(taken.isConnected()).isTrue();
            assertThatThrownBy(() -> new RedisSpike(narrow, stock.saleId(), null).levels())
                    .isInstanceOfSatisfying(
                            RemoteSpikeException.class,
                            e -> assertThat(e.kind()).isEqualTo(Kind.NOT_SENT));
        }
    }

    @Test
    void damagedRecord_breaksTheSale_whoeverReadsIt() {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        String record = REDIS.client().hget(key("reservations"), "alice");
        REDIS.client().hset(key("reservations"), "alice", "planted");
        ReservationId alice = new ReservationId("alice", "alice");
        assertBroken(() -> reserve("alice"));
        assertBroken(() ->
                stock.settle(List.of(new Settlement(alice, Outcome.CANCELLED)), Long.MAX_VALUE));
        assertBroken(() -> stock.find(alice));
        assertBroken(() -> stock.reservations(null));
        REDIS.client().hset(key("reservations"), "alice", record);
    }

    @Test
    void memoryFull_reserveIsRefusedUnchanged_andUnitsCanStillBeGivenBack() {
        stock.open(Sale.of(stock.saleId(), 3));
        reserve("alice");
        REDIS.client().configSet("maxmemory", "1");
        try {
            assertThatThrownBy(() -> reserve("bob"))
                    .isInstanceOfSatisfying(
                            RemoteSpikeException.class,
                            e -> assertThat(e.kind()).isEqualTo(Kind.NOT_EXECUTED));
            assertThat(stock.settle(
                                    List.of(new Settlement(
                                            new ReservationId("alice", "alice"),
                                            Outcome.CANCELLED)),
                                    Long.MAX_VALUE)
                            .answers())
                    .first()
                    .satisfies(answer -> assertThat(answer.outcome()).isEqualTo(Outcome.CANCELLED));
        } finally {
            REDIS.client().configSet("maxmemory", "0");
        }
        assertThat(stock.levels().available()).isEqualTo(3);
    }

    private static void assertBroken(Supplier<?> call) {
        assertThatThrownBy(call::get)
                .isInstanceOfSatisfying(
                        RemoteSpikeException.class,
                        e -> assertThat(e.kind()).isEqualTo(Kind.BROKEN));
    }
}
