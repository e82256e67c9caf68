package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.ReservationId;
import dev.spike.redis.RedisProxy.Fault;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** What is certain about a call, whatever befalls its connection, request or reply. */
class WireTest extends ProxyCase {

    private RedisSpike stock;

    @Override
    int units() {
        return 5;
    }

    @BeforeEach
    void connect() {
        waitAtMost(PATIENT);
    }

    /** Over one new connection, so that one left dirty would be the next call's. */
    private void waitAtMost(Duration timeout) {
        stock = stock(client(1, timeout));
    }

    private static Answer reserve(RedisSpike stock, String buyer) {
        Request request = new Request(new ReservationId(buyer, "key"), 1);
        return stock.reserve(List.of(request), Long.MAX_VALUE).answers().get(0);
    }

    private void assertReserved(String buyer, boolean repeated) {
        Answer answer = reserve(stock, buyer);
        assertThat(answer.outcome()).isEqualTo(Outcome.RESERVED);
        assertThat(answer.repeated()).isEqualTo(repeated);
    }

    /** Kind of the failure of a call; null: it has an answer. */
    private static @Nullable Kind kind(Runnable call) {
        Throwable failure = catchThrowable(call::run);
        if (failure != null) {
            assertThat(failure).isInstanceOf(RemoteSpikeException.class);
        }
        return failure == null ? null : ((RemoteSpikeException) failure).kind();
    }

    /** From now on this fault befalls one call. */
    private AtomicInteger next(Fault fault) {
        AtomicInteger calls = new AtomicInteger();
        proxy.faults(
                request -> request.isCall() && calls.incrementAndGet() == 1 ? fault : Fault.NONE);
        return calls;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "!",
                "\r\n",
                "HTTP/1.1 400 Bad Request\r\n\r\n",
                "$-5\r\n",
                "*-5\r\n",
                "%-7\r\n",
                ",one\r\n",
                "(one\r\n",
                "=1\r\nx\r\n",
                "#maybe\r\n",
                "*2\r\n$4\r\nopen\r\n!"
            })
    void garbage_isUnknown_andTheNextCallIsAnswered(String garbage) {
        AtomicInteger calls = next(Fault.replaceReply(garbage));
        assertThat(kind(() -> reserve(stock, "alice"))).isEqualTo(Kind.UNKNOWN);
        assertThat(calls).hasValue(1);
        assertReserved("alice", true);
    }

    /** It is an answer, only not to this; what holds it together may be damaged. */
    @ParameterizedTest
    @ValueSource(strings = {"+OK\r\n", "*0\r\n", "$-1\r\n", ":1\r\n", "*2\r\n:1\r\n:2\r\n"})
    void replyToSomethingElse_isBroken(String reply) {
        next(Fault.replaceReply(reply));
        assertThat(kind(() -> reserve(stock, "alice"))).isEqualTo(Kind.BROKEN);
        assertReserved("alice", true);
    }

    /** Of a script that is not known, and of one that finds damage. */
    @ParameterizedTest
    @ValueSource(strings = {"NOSCRIPT", "SPIKE"})
    void error_cutAtAnyByte_isUnknown_andNothingRan(String error) {
        AtomicReference<String> whole = new AtomicReference<>("-");
        for (int cut = 0; cut < whole.get().length(); cut += EVERY_BYTE ? 1 : 7) {
            if (error.equals("NOSCRIPT")) {
                REDIS.client().scriptFlush();
            } else {
                setSchema("1");
            }
            int bytes = cut;
            next(exchange -> {
                whole.set(new String(exchange.forward(), ISO_8859_1));
                exchange.reply(whole.get().substring(0, bytes).getBytes(ISO_8859_1));
                exchange.close();
            });
            assertThat(kind(() -> reserve(stock, "alice")))
                    .as("cut at " + cut)
                    .isEqualTo(Kind.UNKNOWN);
            assertThat(whole.get()).startsWith("-").contains(error);
            setSchema("2");
            assertThat(real.levels().available()).isEqualTo(4);
        }
        assertReserved("alice", false);
    }

    private void setSchema(String schema) {
        REDIS.client().hset(Replies.text(real.key("stock")), "schema", schema);
    }

    @ParameterizedTest
    @ValueSource(strings = {"HELLO", "LIB-NAME", "LIB-VER"})
    void greeting_cutAtAnyByte_isUnknown_andNothingRan(String part) {
        AtomicInteger length = new AtomicInteger(1);
        for (int cut = 0; cut < length.get(); cut += EVERY_BYTE ? 1 : 31) {
            int bytes = cut;
            proxy.faults(request -> !request.mentions(part)
                    ? Fault.NONE
                    : exchange -> {
                        byte[] reply = exchange.forward();
                        length.set(reply.length);
                        exchange.reply(Arrays.copyOf(reply, bytes));
                        exchange.close();
                    });
            waitAtMost(PATIENT);
            assertThat(kind(() -> reserve(stock, "alice")))
                    .as("cut at " + cut)
                    .isEqualTo(Kind.UNKNOWN);
            proxy.faultless();
            assertThat(stock.levels().available()).isEqualTo(4);
        }
        assertThat(length.get()).isGreaterThan(4);
        assertReserved("alice", false);
    }

    @Test
    void lateReply_isNotTakenForTheNextOne() {
        assertReserved("alice", false);
        waitAtMost(Duration.ofMillis(200));
        CountDownLatch late = new CountDownLatch(1);
        next(Fault.delayReply(late));
        assertThat(kind(() -> reserve(stock, "bob"))).isEqualTo(Kind.UNKNOWN);
        late.countDown();
        OrderRelayCase.await().until(() -> {
            try {
                return stock.find(new ReservationId("alice", "key"))
                                .reservation()
                                .quantity()
                        == 1;
            } catch (RemoteSpikeException slow) {
                assertThat(slow.kind()).isEqualTo(Kind.UNKNOWN);
                return false;
            }
        });
        assertThat(real.levels().reserved()).isEqualTo(2);
    }

    @Test
    void noReply_isUnknown_whetherItRanOrNot() {
        for (Map.Entry<String, Fault> fault : Map.of(
                        "swallowed reply", Fault.SWALLOW_REPLY,
                        "swallowed request", Fault.SWALLOW_REQUEST,
                        "reset before it", Fault.RESET_REQUEST,
                        "half open", Fault.HALF_OPEN)
                .entrySet()) {
            boolean ran = fault.getValue() == Fault.SWALLOW_REPLY;
            String buyer = fault.getKey().replace(' ', '-');
            waitAtMost(Duration.ofMillis(200));
            proxy.faults(request -> request.isCall() ? fault.getValue() : Fault.NONE);
            assertThat(kind(() -> reserve(stock, buyer))).as(buyer).isEqualTo(Kind.UNKNOWN);
            proxy.faultless();
            waitAtMost(PATIENT);
            assertReserved(buyer, ran);
        }
    }

    @Test
    void refusedConnection_isNotExecuted() {
        assertReserved("alice", false);
        proxy.refuse();
        // This one had been made.
        assertThat(kind(() -> reserve(stock, "bob"))).isEqualTo(Kind.UNKNOWN);
        assertThat(kind(() -> reserve(stock, "bob"))).isEqualTo(Kind.NOT_EXECUTED);
        proxy.accept();
        assertReserved("bob", false);
    }
}
