package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.spike.core.Conservation;
import dev.spike.core.Levels;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.redis.RedisProxy.Fault;
import dev.spike.redis.RedisProxy.Request;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import redis.clients.jedis.RedisClient;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The reply of each script cut off after each of its bytes: the call is unknown, it happened once,
 * and a repeat tells what became of it.
 */
@Timeout(600)
class CutReplyTest {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private static final boolean EVERY_BYTE = Boolean.getBoolean("spike.slow");

    /** A prime, so that cuts fall on all kinds of bytes. */
    private static final int STEP = 41;

    private static RedisProxy proxy;

    /** With one connection, so that one left dirty would be the next call's. */
    private static RedisClient client;

    @BeforeAll
    static void connect() {
        proxy = new RedisProxy(URI.create(REDIS.uri()).getPort());
        client = proxy.client(1, Duration.ofSeconds(30));
    }

    @AfterAll
    static void disconnect() {
        client.close();
        proxy.close();
    }

    private static final String ONE_REPLICA = ":1\r\n";

    static Stream<ScriptCall> calls() {
        return ScriptCall.all();
    }

    @Test
    void everyScript_isCovered() throws IOException {
        Set<String> scripts = ScriptTest.scripts()
                .map(path -> path.getFileName().toString().replace(".lua", ""))
                // Asked once, at the start, which then fails.
                .filter(script -> !script.equals("check"))
                .collect(Collectors.toSet());
        Set<String> covered = calls().map(ScriptCall::script).collect(Collectors.toSet());
        assertThat(covered).containsAll(scripts);
    }

    @ParameterizedTest
    @MethodSource("calls")
    void reply_cutAtAnyByte_isUnknown_andARepeatTellsTheOutcome(ScriptCall call) {
        byte[] reply = wholeReply(call);
        for (int cut : cuts(reply.length)) {
            for (IntFunction<Fault> kind :
                    List.<IntFunction<Fault>>of(Fault::cutReply, Fault::resetReply)) {
                try {
                    check(call, kind.apply(cut));
                } catch (AssertionError | RuntimeException failed) {
                    throw new AssertionError(
                            call + " cut after " + cut + " bytes of " + Replies.text(reply),
                            failed);
                }
            }
        }
    }

    private static List<Integer> cuts(int length) {
        return IntStream.range(0, length)
                .filter(cut -> EVERY_BYTE || cut % STEP == 0 || cut == length - 1)
                .boxed()
                .toList();
    }

    private static RedisSpike direct() {
        return new RedisSpike(REDIS.client(), TestRedis.newSaleId(), null);
    }

    private static RedisSpike overProxy(RedisSpike stock) {
        return new RedisSpike(client, stock.saleId(), null);
    }

    /** The reply to a call that nothing befalls. */
    private static byte[] wholeReply(ScriptCall call) {
        RedisSpike stock = direct();
        ScriptCall.open(stock);
        call.before().accept(stock);
        AtomicReference<byte[]> reply = new AtomicReference<>();
        Predicate<Request> isCut = runs(call.script());
        proxy.faults(request -> !isCut.test(request) || isWait(request)
                ? usual(request)
                : exchange -> {
                    reply.set(exchange.forward());
                    exchange.reply(reply.get());
                });
        if (call.script().equals("WAIT")) {
            reply.set(ONE_REPLICA.getBytes(ISO_8859_1));
        }
        assertThat(call.call().apply(overProxy(stock))).hasToString(call.first());
        proxy.faults(CutReplyTest::usual);
        return reply.get();
    }

    /** Whether a request is that command or, by its name or source, that script. */
    private static Predicate<Request> runs(String script) {
        if (script.equals(script.toUpperCase(Locale.ROOT))) {
            return request -> request.args().get(0).equals(script);
        }
        Script known = Script.of(script + ".lua");
        Set<String> names = Set.of(
                new String(known.sha1(), ISO_8859_1), new String(known.source(), ISO_8859_1));
        return request -> request.isCall() && names.contains(request.args().get(1));
    }

    /** As if there were a replica. */
    private static Fault usual(Request request) {
        return isWait(request) ? Fault.replaceReply(ONE_REPLICA) : Fault.NONE;
    }

    private static boolean isWait(Request request) {
        return request.args().get(0).equals("WAIT");
    }

    private static void check(ScriptCall call, Fault fault) {
        RedisSpike real = direct();
        RedisSpike stock = overProxy(real);
        ScriptCall.open(real);
        call.before().accept(real);
        // Also makes the connection that is to be cut.
        assertThat(plain(stock.levels())).isEqualTo(plain(real.levels()));
        int connections = proxy.connections();
        AtomicBoolean first = new AtomicBoolean(true);
        Predicate<Request> isCut = runs(call.script());
        proxy.faults(
                request -> isCut.test(request) && first.getAndSet(false) ? fault : usual(request));
        assertUnknown(() -> call.call().apply(stock));
        assertThat(first).isFalse();
        assertThat(plain(stock.levels())).isEqualTo(plain(real.levels()));
        assertThat(proxy.connections()).isEqualTo(connections + 1);
        List<Object> after = state(real);
        assertThat(call.repeat().apply(stock)).hasToString(call.again());
        if (!call.first().equals("RESERVED")) {
            // All but an extension, which starts the hold anew each time.
            assertThat(state(real)).isEqualTo(after);
        }
        Conservation.check(real);
        real.reopenSale();
        Conservation.drain(real);
    }

    static void assertUnknown(Runnable call) {
        RemoteSpikeException failure = catchThrowableOfType(RemoteSpikeException.class, call::run);
        assertThat(failure).as("an answer to a cut reply").isNotNull();
        assertThat(failure.kind()).as(failure.toString()).isEqualTo(Kind.UNKNOWN);
    }

    /** All that a sale holds, but for the time of the store, how far it was swept, and marks. */
    private static List<Object> state(RedisSpike stock) {
        Map<String, String> fields = REDIS.client().hgetAll(Replies.text(stock.key("stock")));
        fields.keySet().removeIf(field -> field.startsWith("swe") || field.equals("marked"));
        return List.of(
                plain(stock.levels()),
                Conservation.reservations(stock),
                stock.log(0),
                fields,
                REDIS.client().xlen(Replies.text(stock.key("dead"))));
    }

    private static Levels plain(Levels levels) {
        return new Levels(
                levels.phase(),
                levels.ledger(),
                levels.sequence(),
                levels.total(),
                levels.available(),
                levels.reserved(),
                levels.sold(),
                levels.reservations(),
                levels.backlog(),
                levels.opensAt(),
                levels.closesAt(),
                Instant.EPOCH);
    }
}
