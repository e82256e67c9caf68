package dev.spike.redis;

import static dev.spike.redis.Replies.bytes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.util.stream.Collectors.toMap;

import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.OrderBook;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Correction;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.params.XAddParams;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Each script, with each of its keys of the wrong type or lost, and with the memory full: what
 * cannot be done changes nothing at all, and is told.
 */
class EachScriptTest {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private static final List<String> KEYS =
            List.of("stock", "reservations", "log", "dead", "adopted");

    private final String saleId = TestRedis.newSaleId();
    private final RedisSpike stock =
            new RedisSpike(REDIS.client(), saleId, Adoption.of(key("adopted")));
    private final OrderLog log = stock.orderLog("orders", "relay");
    private final ReservationId alice = new ReservationId("alice", "key");
    private final ReservationId further = new ReservationId("alice", "further");

    private String key(String part) {
        return "spike:{" + saleId + "}:" + part;
    }

    /** A call of a script, as something that it would do. */
    private record Call(String script, Runnable run) {}

    private List<Call> calls() {
        return List.of(
                new Call("open", () -> stock.open(Sale.of(saleId, 100))),
                new Call("reserve", () -> reserve("bob", "key")),
                new Call("reserve", () -> reserve("alice", "third")),
                new Call("settle", () -> settle(Outcome.CONFIRMED)),
                new Call("settle", () -> settle(Outcome.CANCELLED)),
                new Call("settle", () -> settle(Outcome.RESERVED)),
                new Call("expire", stock::expire),
                new Call("restock", () -> stock.restock(new Operation("more", 5))),
                new Call("hours", stock::closeSale),
                new Call("correct", () -> stock.correct(new Correction(3, 2, 4, 2, Map.of()))),
                new Call(
                        "correct",
                        () -> stock.correct(new Correction(3, 2, 4, 2, Map.of("alice", 2L)))),
                new Call(
                        "restore",
                        () -> stock.restore(
                                List.of(new OrderBook.Order(further, 1, Outcome.CONFIRMED)))),
                new Call("mark", () -> run("mark.lua", List.of(bytes(key("stock"))), List.of())),
                new Call(
                        "check",
                        () -> run(
                                "check.lua", List.of(), List.of(bytes(key("stock")), bytes("1")))),
                new Call("levels", stock::levels),
                new Call("find", () -> stock.find(alice)),
                new Call("find", () -> stock.find(further)),
                new Call("page", () -> stock.reservations(null)),
                new Call("buyer", () -> stock.reservationsOf("alice", null)),
                new Call("log", () -> stock.log(0)),
                new Call("take", () -> log.takeOwn(0, 10)),
                new Call("take", () -> log.takeIdle(Duration.ZERO, 10)),
                new Call("take", () -> log.takeNew(10)),
                new Call(
                        "bury",
                        () -> log.bury(1, List.of(new OrderLog.Dead(null, "broken")), null)),
                new Call("acknowledge", () -> log.acknowledge(List.of(2L))));
    }

    private static void run(String script, List<byte[]> keys, List<byte[]> args) {
        Script.of(script).run(REDIS.client(), keys, args, reply -> reply);
    }

    private void reserve(String buyer, String key) {
        Request request = new Request(new ReservationId(buyer, key), 1);
        stock.reserve(List.of(request), Long.MAX_VALUE);
    }

    private void settle(Outcome to) {
        stock.settle(List.of(new Settlement(further, to)), Long.MAX_VALUE);
    }

    @BeforeEach
    void open() {
        REDIS.client()
                .hset(key("adopted"), Map.of("ticket_total_nums", "100", "ticket_sold_nums", "4"));
        stock.open(Sale.of(saleId, 100));
        reserve("alice", "key");
        reserve("alice", "further");
        log.takeNew(1);
        REDIS.client().xadd(key("dead"), Map.of("error", "broken"), xAdd());
    }

    private static XAddParams xAdd() {
        return XAddParams.xAddParams();
    }

    /** All keys of the sale, each as Redis would write it to a file. */
    private Map<String, String> dump() {
        return KEYS.stream()
                .filter(part -> REDIS.client().exists(key(part)))
                .collect(toMap(
                        part -> part,
                        part -> HexFormat.of().formatHex(REDIS.client().dump(key(part)))));
    }

    @Test
    void table_hasACallOfEachScript() throws Exception {
        try (Stream<Path> files = Files.list(ScriptTest.SCRIPTS)) {
            Set<String> scripts = files.filter(file -> !ScriptTest.isIncluded(file))
                    .map(file -> file.getFileName().toString().replace(".lua", ""))
                    .collect(Collectors.toSet());
            assertThat(calls().stream().map(Call::script).collect(Collectors.toSet()))
                    .isEqualTo(scripts);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stock", "reservations", "log", "dead", "adopted"})
    void keyOfTheWrongType_changesNothing_andBreaksTheSale(String part) {
        for (String type : List.of("string", "list", "stream", "hash")) {
            REDIS.client().rename(key(part), key("saved"));
            plant(type, key(part));
            boolean isWrong =
                    !REDIS.client().type(key(part)).equals(REDIS.client().type(key("saved")));
            if (isWrong) {
                proveAll(part, type);
            }
            REDIS.client().del(key(part));
            REDIS.client().rename(key("saved"), key(part));
        }
    }

    private static void plant(String type, String key) {
        switch (type) {
            case "string" -> REDIS.client().set(key, "planted");
            case "list" -> REDIS.client().rpush(key, "planted");
            case "hash" -> REDIS.client().hset(key, "planted", "1");
            default -> REDIS.client().xadd(key, Map.of("planted", "1"), xAdd());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reservations", "log", "adopted"})
    void keyLost_changesNothing_andBreaksTheSale(String part) {
        REDIS.client().rename(key(part), key("saved"));
        proveAll(part, "lost");
        REDIS.client().rename(key("saved"), key(part));
    }

    /** A lost stock is no damage for those who ask about it: such a sale does not exist. */
    @Test
    void stockLost_changesNothing_andIsTold() {
        REDIS.client().rename(key("stock"), key("saved"));
        Map<String, String> before = dump();
        for (Call call : calls()) {
            // The relay goes by the log alone when it puts something aside.
            if (!call.script.equals("bury")) {
                try {
                    call.run.run();
                } catch (RemoteSpikeException told) {
                    assertThat(told.kind()).as(call.script).isEqualTo(Kind.BROKEN);
                }
                assertThat(dump()).as(call.script).isEqualTo(before);
            }
        }
        assertThat(stock.levels().phase()).isEqualTo(Levels.Phase.ABSENT);
        REDIS.client().rename(key("saved"), key("stock"));
    }

    private void proveAll(String part, String how) {
        Map<String, String> before = dump();
        List<Call> acting = calls().stream()
                .filter(call -> uses(call.script).contains(part) && !isHarmless(call, part, how))
                .toList();
        assertThat(acting).isNotEmpty();
        for (Call call : acting) {
            String where = call.script + ", " + part + " " + how;
            assertThatThrownBy(call.run::run)
                    .as(where)
                    .isInstanceOfSatisfying(
                            RemoteSpikeException.class,
                            e -> assertThat(e.kind()).as(where).isEqualTo(Kind.BROKEN));
            assertThat(dump()).as(where).isEqualTo(before);
        }
    }

    /**
     * Opening a sale that exists reads its stock only; nothing is left of a log to be read, and a
     * sale that is not closed has nothing restored.
     */
    private static boolean isHarmless(Call call, String part, String how) {
        return call.script.equals("open") && !part.equals("stock")
                || call.script.equals("restore") && part.equals("log") && !how.equals("lost")
                || call.script.equals("log") && how.equals("lost");
    }

    @Test
    void memoryFull_openAndReserveAreRefusedUnchanged_allElseGoesOn() {
        REDIS.client().configSet("maxmemory", "1");
        try {
            for (Call call : calls()) {
                Map<String, String> before = dump();
                if (Set.of("open", "reserve", "restore").contains(call.script)) {
                    assertThatThrownBy(call.run::run)
                            .isInstanceOfSatisfying(
                                    RemoteSpikeException.class,
                                    e -> assertThat(e.kind()).isEqualTo(Kind.NOT_EXECUTED))
                            .hasMessageStartingWith("OOM");
                    assertThat(dump()).as(call.script).isEqualTo(before);
                } else {
                    call.run.run();
                }
            }
        } finally {
            REDIS.client().configSet("maxmemory", "0");
        }
        Levels levels = stock.levels();
        assertThat(levels.phase()).isEqualTo(Levels.Phase.CLOSED);
        assertThat(levels.total()).isEqualTo(105);
        assertThat(levels.sold()).isEqualTo(5);
        assertThat(REDIS.client().xlen(key("dead"))).isEqualTo(2);
        Conservation.check(stock);
    }

    /** The parts that a script's header lists among its KEYS. */
    private static Set<String> uses(String script) {
        String header = header(script);
        return KEYS.stream()
                .filter(part -> Pattern.compile("KEYS\\[\\d\\]  "
                                + (part.equals("adopted")
                                        ? "only for a sale over a stock hash"
                                        : part + "\n"))
                        .matcher(header)
                        .find())
                .collect(Collectors.toSet());
    }

    private static String header(String script) {
        try {
            return ScriptTest.header(ScriptTest.SCRIPTS.resolve(script + ".lua"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
