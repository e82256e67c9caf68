package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.spike.core.Conservation;
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
import dev.spike.core.Spike;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.RedisClient;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The documented user may do all that is needed and nothing else, a permission that is missing is
 * told at the start, and one that is taken away while selling costs nothing but time.
 */
@Timeout(120)
class PermissionsTest {

    private static final Path SCRIPTS = Path.of("src/main/resources/dev/spike/redis");
    private static final String HASH = "ticket_hash_key";

    /** UNKNOWN if the time was over before Redis answered. */
    private static final Set<Outcome> NO_ANSWER = Set.of(Outcome.UNAVAILABLE, Outcome.UNKNOWN);

    private static RedisServer server;

    private final String saleId = TestRedis.newSaleId();
    private final ReservationId alice = new ReservationId("alice", "key-1");
    private final ReservationId bob = new ReservationId("bob", "key-1");

    @BeforeAll
    static void startServer() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @BeforeEach
    void makeUser() {
        user("~" + HASH);
        server.jedisDo(jedis ->
                jedis.hset(HASH, Map.of("ticket_total_nums", "10", "ticket_sold_nums", "0")));
    }

    static Stream<String> commands() {
        return DocumentedUser.commands().stream();
    }

    private static void user(String... more) {
        server.jedisDo(jedis -> DocumentedUser.make(jedis, more));
    }

    private static void rule(String rule) {
        server.jedisDo(jedis -> jedis.aclSetUser(DocumentedUser.NAME, rule));
    }

    private static RedisClient client() {
        return (RedisClient) RedisStore.newClient(RedisUri.parse(DocumentedUser.uri(server.uri())));
    }

    /** All that this package does with a sale, call by call. */
    private Map<String, ThrowingCallable> calls(RedisClient client) {
        RedisSpike sale = new RedisSpike(client, saleId, Adoption.of(HASH));
        OrderLog relay = sale.orderLog("orders", "relay");
        OrderLog another = sale.orderLog("orders", "another");
        OrderLog.Dead dead = new OrderLog.Dead(null, "not readable");
        Map<String, ThrowingCallable> calls = new LinkedHashMap<>();
        calls.put("open", () -> sale.open(Sale.of(saleId, 10).withHold(Duration.ofMillis(1))));
        calls.put("sale", sale::sale);
        calls.put("soldBefore", sale::soldBefore);
        calls.put(
                "reserve",
                () -> sale.reserve(
                        List.of(new Request(alice, 1), new Request(bob, 1)), Long.MAX_VALUE));
        calls.put(
                "settle",
                () -> sale.settle(
                        List.of(new Settlement(alice, Outcome.CANCELLED)), Long.MAX_VALUE));
        calls.put("expire", sale::expire);
        calls.put("restock", () -> sale.restock(new Operation("more", 1)));
        calls.put("close", sale::closeSale);
        calls.put("reopen", sale::reopenSale);
        calls.put("levels", sale::levels);
        calls.put("find", () -> sale.find(alice));
        calls.put("reservations", () -> sale.reservations(null));
        calls.put("reservationsOf", () -> sale.reservationsOf("alice", null));
        calls.put("log", () -> sale.log(0));
        calls.put(
                "correct",
                () -> sale.correct(new Correction(
                        sale.levels().sequence(),
                        sale.levels().reserved(),
                        sale.levels().sold(),
                        sale.levels().reservations(),
                        Map.of())));
        calls.put("restore", () -> {
            sale.closeSale();
            sale.restore(List.of(
                    new OrderBook.Order(new ReservationId("carl", "key-1"), 1, Outcome.CONFIRMED)));
        });
        calls.put("takeNew", () -> relay.takeNew(2));
        calls.put("takeOwn", () -> relay.takeOwn(0, 2));
        calls.put("takeIdle", () -> another.takeIdle(Duration.ZERO, 2));
        calls.put("bury", () -> another.bury(1, List.of(dead), null));
        calls.put("acknowledge", () -> another.acknowledge(List.of(2L)));
        return calls;
    }

    private void deleteSale() {
        server.jedisDo(jedis -> {
            for (String part : List.of("stock", "reservations", "log", "dead")) {
                jedis.del("spike:{" + saleId + "}:" + part);
            }
            jedis.hset(HASH, Map.of("ticket_total_nums", "10", "ticket_sold_nums", "0"));
            // Else EVAL would not be needed.
            jedis.scriptFlush();
        });
    }

    @Test
    void documentedUser_mayDoAll() throws Exception {
        RedisStore.connect(DocumentedUser.uri(server.uri())).close();
        try (RedisClient client = client()) {
            deleteSale();
            calls(client)
                    .forEach((name, call) ->
                            assertThat(catchThrowable(call)).as(name).isNull());
        }
    }

    @ParameterizedTest
    @MethodSource("commands")
    void command_missing_isToldAtTheStart_andIsNeeded(String command) {
        rule("-" + command.substring(1));
        assertThatThrownBy(() -> RedisStore.connect(DocumentedUser.uri(server.uri())))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ACL SETUSER user " + command + ", on each server");
        if (command.equals("+info")) {
            // Only the start needs it.
            return;
        }
        deleteSale();
        try (RedisClient client = client()) {
            Stream<ThrowingCallable> calls = Stream.concat(
                    calls(client).values().stream(), Stream.of(() -> testIdle(client)));
            assertThat(calls.map(call -> catchThrowable(call)))
                    .as("what fails without " + command)
                    .anyMatch(failure -> failure != null);
        }
    }

    /** As the pool does now and then. */
    private static void testIdle(RedisClient client) throws Exception {
        client.getPool().evict();
        assertThat(client.getPool().getDestroyedByEvictorCount()).isZero();
    }

    @Test
    void severalCommandsMissing_allAreTold_andNothingElse() {
        rule("-xtrim");
        rule("-hset");
        rule("-xgroup|create");
        Throwable failure =
                catchThrowable(() -> RedisStore.connect(DocumentedUser.uri(server.uri())));
        assertThat(failure)
                .hasMessageContaining("user +hset +xgroup|create +xtrim, on each server")
                .hasMessageNotContaining(DocumentedUser.PASSWORD);
    }

    @Test
    void keys_notAllowed_areToldAtTheStart() {
        user("resetkeys", "~" + HASH);
        assertThatThrownBy(() -> RedisStore.connect(DocumentedUser.uri(server.uri())))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ACL SETUSER user ~spike:*, on each server");
        user();
        try (RedisStore store = RedisStore.connect(DocumentedUser.uri(server.uri()))) {
            assertThatThrownBy(() -> store.sale(saleId, Adoption.of(HASH)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ACL SETUSER user ~" + HASH + ", on each server");
            rule("~" + HASH);
            assertThat(store.sale(saleId, Adoption.of(HASH)).saleId()).isEqualTo(saleId);
        }
    }

    @Test
    void anotherDatabase_needsTheDocumentedRule() {
        String uri = DocumentedUser.uri(server.uri()) + "/1";
        String rule = DocumentedUser.ruleFor("another database");
        assertThatThrownBy(() -> RedisStore.connect(uri))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(rule);
        rule(rule);
        RedisStore.connect(uri).close();
    }

    /** At the start, since only then are the replicas asked for. */
    @Test
    void replicas_needTheDocumentedRule() {
        String rule = DocumentedUser.ruleFor("[replicas]");
        try (RedisStore store = RedisStore.connect(DocumentedUser.uri(server.uri()))) {
            RedisSpike sale = store.sale(saleId);
            assertThatThrownBy(() -> sale.acknowledgedBy(1, RedisStore.TIMEOUT))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ACL SETUSER user " + rule + ", on each server");
            rule(rule);
            assertThat(sale.acknowledgedBy(1, RedisStore.TIMEOUT).saleId()).isEqualTo(saleId);
            rule("-" + rule.substring(1));
            assertThat(store.sale("other").acknowledgedBy(1, RedisStore.TIMEOUT))
                    .as("asked once")
                    .isNotNull();
        }
    }

    /** The list in the page, the one in {@code check.lua}, and what the scripts call, are one. */
    @Test
    void documentedCommands_areThoseThatAreUsed_andCheckedAtTheStart() throws IOException {
        Set<String> used = new TreeSet<>(Set.of("+eval", "+evalsha", "+info", "+ping"));
        try (Stream<Path> scripts = Files.list(SCRIPTS)) {
            for (Path script : scripts.toList()) {
                String text = Files.readString(script, UTF_8);
                used.addAll(commands("redis\\.p?call\\((\\s*'.*)", text));
                assertThat(Pattern.compile("redis\\.p?call(?!\\('[A-Z]+')")
                                .matcher(text)
                                .find())
                        .as(script + " calls what this test cannot read")
                        .isFalse();
            }
        }
        Set<String> checked =
                commands("need\\((.*)", Files.readString(SCRIPTS.resolve("check.lua"), UTF_8));
        checked.add("+eval");
        assertThat(checked.remove(DocumentedUser.ruleFor("[replicas]"))).isTrue();
        assertThat(used).containsExactlyElementsOf(new TreeSet<>(DocumentedUser.commands()));
        assertThat(checked).isEqualTo(used);
    }

    private static Set<String> commands(String call, String text) {
        Set<String> commands = new TreeSet<>();
        Pattern.compile(call).matcher(text).results().forEach(found -> {
            String[] words = found.group(1).split("[(',) ]+");
            if (words.length > 1) {
                boolean isContainer = words[1].equals("XGROUP") || words[1].equals("XINFO");
                commands.add(("+" + words[1] + (isContainer ? "|" + words[2] : "")).toLowerCase());
            }
        });
        return commands;
    }

    /** Each call, with each permission taken away just before it and given back afterwards. */
    @ParameterizedTest
    @MethodSource("commands")
    void command_takenAwayWhileSelling_nothingIsDamaged_andAllGoesOn(String command) {
        deleteSale();
        try (RedisClient client = client()) {
            calls(client).forEach((name, call) -> {
                rule("-" + command.substring(1));
                RemoteSpikeException refused =
                        catchThrowableOfType(RemoteSpikeException.class, call);
                rule(command);
                if (refused != null) {
                    assertThat(refused.kind())
                            .as(name + ": " + refused)
                            .isEqualTo(Kind.NOT_EXECUTED);
                    assertThat(catchThrowable(call)).as(name + ", given back").isNull();
                }
                Conservation.check(new RedisSpike(client, saleId, Adoption.of(HASH)));
            });
            assertThat(length("dead")).isLessThanOrEqualTo(1);
        }
    }

    /** Each call, while {@code HSET} is refused for one of the sale's keys alone. */
    @ParameterizedTest
    @ValueSource(strings = {"stock", "reservations", "adopted"})
    void hsetOfOneKey_takenAwayWhileSelling_nothingIsHalfWritten(String refusedPart) {
        deleteSale();
        String others = Stream.of("stock", "reservations", "adopted")
                .filter(part -> !part.equals(refusedPart))
                .map(part ->
                        " ~" + (part.equals("adopted") ? HASH : "spike:{" + saleId + "}:" + part))
                .collect(Collectors.joining());
        Set<String> refusals = new TreeSet<>();
        try (RedisClient client = client()) {
            calls(client).forEach((name, call) -> {
                rule("-hset");
                rule("(+hset" + others + ")");
                List<String> before = dump();
                RemoteSpikeException refused =
                        catchThrowableOfType(RemoteSpikeException.class, call);
                rule("clearselectors");
                rule("+hset");
                if (refused != null) {
                    refusals.add(name);
                    assertThat(dump()).as(name).isEqualTo(before);
                    assertThat(refused.kind())
                            .as(name + ": " + refused)
                            .isEqualTo(Kind.NOT_EXECUTED);
                    assertThat(catchThrowable(call)).as(name + ", given back").isNull();
                }
                Conservation.check(new RedisSpike(client, saleId, Adoption.of(HASH)));
            });
        }
        assertThat(refusals).contains("reserve", "settle", "restock", "restore");
    }

    /** All keys of the sale, each as Redis would write it to a file. */
    private List<String> dump() {
        List<String> dump = new ArrayList<>();
        server.jedisDo(jedis -> Stream.concat(
                        Stream.of("stock", "reservations", "log", "dead")
                                .map(part -> "spike:{" + saleId + "}:" + part),
                        Stream.of(HASH))
                .map(jedis::dump)
                .map(Arrays::toString)
                .forEach(dump::add));
        return dump;
    }

    private long length(String part) {
        long[] length = {0};
        server.jedisDo(jedis -> length[0] = jedis.xlen("spike:{" + saleId + "}:" + part));
        return length[0];
    }

    @ParameterizedTest
    @ValueSource(strings = {"+hset", "+xadd", "+hmget", "+evalsha", "~spike:*"})
    void permission_takenAwayWhileSelling_isNeverSoldOut_andTheNodeSellsOn(String rule) {
        try (RedisStore store = RedisStore.connect(DocumentedUser.uri(server.uri()));
                Spike spike = Spike.builder(store.sale(saleId))
                        .timeout(Duration.ofMillis(200))
                        .start()) {
            spike.open(Sale.of(saleId, 10));
            OrderRelayCase.await()
                    .until(() -> spike.reserve("alice", "key-1", 1).outcome() == Outcome.RESERVED);
            rule(rule.startsWith("+") ? "-" + rule.substring(1) : "resetkeys");
            for (int i = 0; i < 3; i++) {
                assertThat(spike.reserve("bob" + i, "key-1", 1).outcome()).isIn(NO_ANSWER);
            }
            assertThat(spike.confirm(alice).outcome()).isIn(NO_ANSWER);
            assertThat(length("log")).isEqualTo(2);
            rule(rule);
            OrderRelayCase.await().until(() -> spike.confirm(alice).outcome() == Outcome.CONFIRMED);
            OrderRelayCase.await()
                    .until(() -> spike.reserve("carol", "key-1", 2).outcome() == Outcome.RESERVED);
            assertThat(spike.haltReason()).isEmpty();
            Conservation.check(store.sale(saleId));
        }
    }
}
