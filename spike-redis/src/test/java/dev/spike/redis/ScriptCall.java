package dev.spike.redis;

import static dev.spike.core.Scenario.answer;

import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook.Order;
import dev.spike.core.OrderEvent;
import dev.spike.core.OrderLog;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Correction;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A call on a sale of five units, which runs a script.
 *
 * @param script that it runs, or the command that it gives
 * @param before what must have happened, on a sale that is open
 * @param call answers what it was told
 * @param first what it is told
 * @param again what a repeat is told
 * @param repeat asks again
 */
record ScriptCall(
        String script,
        Consumer<RedisSpike> before,
        Function<RedisSpike, Object> call,
        String first,
        String again,
        Function<RedisSpike, Object> repeat) {

    private static final String HELD = "reserve k1 alice 2\nreserve k2 bob 1\nreserve k3 bob 1";
    private static final ReservationId ALICE = new ReservationId("alice", "k1");

    ScriptCall(String script, String before, String step, String first, String again) {
        this(script, steps(before), stock -> answer(stock, step), first, again);
    }

    ScriptCall(
            String script,
            Consumer<RedisSpike> before,
            Function<RedisSpike, Object> call,
            String first,
            String again) {
        this(script, before, call, first, again, call);
    }

    ScriptCall(
            String script,
            String before,
            Function<RedisSpike, Object> call,
            String first,
            String again) {
        this(script, steps(before), call, first, again);
    }

    @Override
    public String toString() {
        return script + " -> " + first;
    }

    static Stream<ScriptCall> all() {
        return Stream.of(
                new ScriptCall(
                        "open", ScriptCall::lose, ScriptCall::open, "OPENED", "ALREADY_OPEN"),
                new ScriptCall(
                        "reserve",
                        "reserve k0 bob 1",
                        "batch k0:bob:1 k1:alice:2 k2:bob:1 k3:carol:3 k0:bob:2",
                        "=RESERVED RESERVED RESERVED SOLD_OUT MISMATCH",
                        "=RESERVED =RESERVED =RESERVED SOLD_OUT MISMATCH"),
                new ScriptCall(
                        "settle",
                        HELD,
                        "settle k1:alice:confirm k3:bob:cancel k9:carol:cancel",
                        "CONFIRMED CANCELLED NOT_FOUND",
                        "=CONFIRMED =CANCELLED NOT_FOUND"),
                new ScriptCall("settle", HELD, "extend k1 alice", "RESERVED", "RESERVED"),
                new ScriptCall(
                        "expire",
                        ScriptCall::letHoldsEnd,
                        stock -> answer(stock, "expire"),
                        "expired 3",
                        "expired 0"),
                new ScriptCall("restock", HELD, "restock op 4", "APPLIED 4", "REPEATED 4"),
                new ScriptCall("restock", HELD, "restock op -4", "APPLIED -1", "REPEATED -1"),
                new ScriptCall("hours", HELD, "close", "CLOSED", "CLOSED"),
                new ScriptCall("hours", HELD + "\nclose", "reopen", "OPEN", "OPEN"),
                same("levels", "levels", "available 1, reserved 4, sold 0"),
                same("find", "find k3 bob", "RESERVED 1"),
                same("buyer", "buyer bob", "k2 RESERVED, k3 RESERVED; 2 units"),
                same("page", stock -> stock.reservations(null).unitsOfBuyers().size(), "2"),
                same("log", stock -> stock.log(0).size(), "4"),
                same("HMGET", stock -> stock.sale().total(), "5"),
                same("HMGET", RedisSpike::soldBefore, "0"),
                new ScriptCall(
                        "restore",
                        HELD + "\nclose",
                        ScriptCall::restore,
                        "[SETTLED, ADDED, DIFFERENT]",
                        "[KNOWN, KNOWN, DIFFERENT]"),
                replicated("reserve"),
                replicated("mark"),
                replicated("WAIT"),
                new ScriptCall("correct", held(), ScriptCall::correct, "true", "false"),
                new ScriptCall(
                        "take",
                        held(),
                        stock -> text(relay(stock).takeNew(9)),
                        "[1, 2, 3, 4]",
                        "[1, 2, 3, 4]",
                        stock -> text(relay(stock).takeOwn(0, 9))),
                new ScriptCall(
                        "take",
                        held().andThen(stock -> stock.orderLog("orders", "dead").takeNew(9)),
                        stock -> text(relay(stock).takeIdle(Duration.ZERO, 9)),
                        "[1, 2, 3, 4]",
                        "[1, 2, 3, 4]",
                        stock -> text(relay(stock).takeOwn(0, 9))),
                new ScriptCall(
                        "acknowledge",
                        taken(),
                        stock -> relay(stock).acknowledge(List.of(1L, 2L)).events(),
                        "2",
                        "2"),
                new ScriptCall(
                        "bury",
                        taken().andThen(stock -> relay(stock).acknowledge(List.of(1L))),
                        ScriptCall::bury,
                        "DONE",
                        "NOT_NEEDED"));
    }

    private static ScriptCall same(String script, String step, String told) {
        return new ScriptCall(script, HELD, step, told, told);
    }

    private static ScriptCall same(String script, Function<RedisSpike, Object> call, String told) {
        return new ScriptCall(script, held(), call, told, told);
    }

    /** A call that a replica must have, too. */
    private static ScriptCall replicated(String script) {
        return new ScriptCall(
                script,
                HELD,
                stock -> answer(
                        stock.acknowledgedBy(1, Duration.ofMillis(1)),
                        "batch k1:alice:2 k4:carol:1"),
                "=RESERVED RESERVED",
                "=RESERVED =RESERVED");
    }

    private static Consumer<RedisSpike> steps(String table) {
        return stock -> table.lines().forEach(step -> answer(stock, step));
    }

    private static Consumer<RedisSpike> held() {
        return steps(HELD);
    }

    private static Consumer<RedisSpike> taken() {
        return held().andThen(stock -> relay(stock).takeNew(9));
    }

    private static OrderLog relay(RedisSpike stock) {
        return stock.orderLog("orders", "relay");
    }

    private static String text(OrderLog.Taken taken) {
        return taken.entries().stream().map(LogEntry::sequence).toList().toString();
    }

    private static void lose(RedisSpike stock) {
        Stream.of("stock", "reservations", "log")
                .forEach(part -> stock.client().del(stock.key(part)));
    }

    static Object open(RedisSpike stock) {
        return stock.open(Sale.of(stock.saleId(), 5));
    }

    private static void letHoldsEnd(RedisSpike stock) {
        lose(stock);
        stock.open(Sale.of(stock.saleId(), 5).withHold(Duration.ofMillis(1)));
        held().accept(stock);
        Instant end = stock.levels().asOf().plusMillis(2);
        while (stock.levels().asOf().isBefore(end)) {
            Thread.onSpinWait();
        }
    }

    private static Object restore(RedisSpike stock) {
        ReservationId bob = new ReservationId("bob", "k2");
        ReservationId carol = new ReservationId("carol", "k4");
        return stock.restore(List.of(
                        new Order(ALICE, 2, Outcome.CONFIRMED),
                        new Order(carol, 1, Outcome.RESERVED),
                        new Order(bob, 2, Outcome.RESERVED)))
                .effects();
    }

    private static boolean correct(RedisSpike stock) {
        return stock.correct(new Correction(4, 4, 0, 3, Map.of("alice", 2L, "bob", 2L)));
    }

    private static Object bury(RedisSpike stock) {
        OrderEvent event =
                new OrderEvent(2, ALICE, 2, Outcome.RESERVED, Instant.EPOCH, Instant.EPOCH);
        return relay(stock).bury(2, List.of(new OrderLog.Dead(event, "refused")), null);
    }
}
