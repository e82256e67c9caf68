package dev.spike.bench.fault;

import static dev.spike.core.Outcome.ALL_RESERVED;
import static dev.spike.core.Outcome.CLOSED;
import static dev.spike.core.Outcome.CONFIRMED;
import static dev.spike.core.Outcome.EXPIRED;
import static dev.spike.core.Outcome.LIMIT_REACHED;
import static dev.spike.core.Outcome.MISMATCH;
import static dev.spike.core.Outcome.NOT_FOUND;
import static dev.spike.core.Outcome.NOT_OPEN;
import static dev.spike.core.Outcome.RESERVED;
import static dev.spike.core.Outcome.SOLD_OUT;
import static dev.spike.core.Outcome.UNAVAILABLE;
import static dev.spike.core.Outcome.UNKNOWN;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.spike.bench.fault.Judge.Evidence;
import dev.spike.bench.fault.Judge.Standstill;
import dev.spike.bench.fault.Told.Verb;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook.Order;
import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.Reservation;
import dev.spike.core.ReservationId;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A sale of four units, in which all is as it must be, and that sale with one error planted, which
 * the judge must name. Ann confirms two at once; Bob lets two expire; Cleo is refused meanwhile;
 * the sale closes for a while.
 */
class JudgeTest {

    private static final int CLOSED_FROM = 20_000;
    private static final int CLOSED_UNTIL = 21_000;

    private final List<Told> told = new ArrayList<>();
    private final List<Change> log = new ArrayList<>();
    private final List<Reservation> reservations = new ArrayList<>();
    private final List<Order> orders = new ArrayList<>();
    private final List<Standstill> standstills = new ArrayList<>();
    private long total = 4;
    private int perBuyer = 2;

    @BeforeEach
    void aSaleAsItMustBe() {
        change(0, Change.Kind.TOTAL, 4, 0, 0);
        reserve(1_000, "ann", 2, 2, 2, 0);
        end(2_000, "ann", 2, CONFIRMED, 2, 0, 2);
        reserve(3_000, "bob", 2, 0, 2, 2);
        end(6_000, "bob", 2, EXPIRED, 2, 0, 2);
        change(CLOSED_FROM, Change.Kind.CLOSE, 2, 0, 2);
        change(CLOSED_UNTIL, Change.Kind.REOPEN, 2, 0, 2);
        record("ann", 2, CONFIRMED);
        record("bob", 2, EXPIRED);
        tell(900, Verb.RESERVE, "ann", 2, UNKNOWN);
        tell(1_100, Verb.RESERVE, "ann", 2, RESERVED);
        tell(1_990, Verb.CONFIRM, "ann", 2, CONFIRMED);
        tell(2_100, Verb.RESERVE, "ann", 2, CONFIRMED);
        tell(2_200, Verb.RESERVE, "ann", 1, MISMATCH);
        tell(2_990, Verb.RESERVE, "bob", 2, RESERVED);
        tell(3_100, Verb.RESERVE, "cleo", 1, ALL_RESERVED);
        tell(5_990, Verb.FIND, "bob", 2, EXPIRED);
        tell(7_000, Verb.FIND, "cleo", 1, NOT_FOUND);
        tell(20_100, Verb.RESERVE, "cleo", 1, CLOSED);
    }

    private void change(
            long at, Change.Kind kind, long available, long reserved, long sold, OrderEvent... of) {
        log.add(new Change(
                new LogEntry(
                        log.size() + 1,
                        Instant.ofEpochMilli(at),
                        available,
                        reserved,
                        sold,
                        List.of(of)),
                kind));
    }

    private void reserve(
            long at, String buyer, int quantity, long available, long reserved, long sold) {
        end(at, buyer, quantity, RESERVED, available, reserved, sold);
    }

    private void end(
            long at,
            String buyer,
            int quantity,
            Outcome state,
            long available,
            long reserved,
            long sold) {
        Instant when = Instant.ofEpochMilli(at);
        change(
                at,
                Change.Kind.RESERVATIONS,
                available,
                reserved,
                sold,
                new OrderEvent(log.size() + 1, id(buyer), quantity, state, when, when));
    }

    private void record(String buyer, int quantity, Outcome state) {
        reservations.add(new Reservation(id(buyer), quantity, state, Instant.EPOCH));
        orders.add(new Order(id(buyer), quantity, state));
    }

    /** Answered after 20 ms. */
    private void tell(long asked, Verb verb, String buyer, long quantity, Outcome outcome) {
        told.add(new Told(
                asked, asked + 20, 0, verb, buyer, "key-" + buyer, quantity, 200, outcome, ""));
    }

    private static ReservationId id(String buyer) {
        return new ReservationId(buyer, "key-" + buyer);
    }

    private List<String> broken() {
        return Judge.judge(
                        new Evidence(told, log, reservations, orders, standstills, total, perBuyer))
                .broken();
    }

    @Test
    void judge_allAsItMustBe_findsNothing() {
        assertThat(broken()).isEmpty();
    }

    @Test
    void judge_refusalOfThreeSecondsAgo_isTrue() {
        tell(8_990, Verb.RESERVE, "dora", 1, ALL_RESERVED);

        assertThat(broken()).isEmpty();
    }

    @Test
    void judge_refusalOverAStandstill_isTrue() {
        standstills.add(new Standstill(6_100, 9_100));
        tell(11_990, Verb.RESERVE, "dora", 1, ALL_RESERVED);

        assertThat(broken()).isEmpty();
    }

    static Stream<Arguments> plantedErrors() {
        return Stream.of(
                planted(
                        "who is told of a reservation has it",
                        sale -> sale.tell(9_000, Verb.RESERVE, "dora", 1, RESERVED)),
                planted(
                        "who is told of a reservation has it",
                        sale -> sale.tell(9_000, Verb.RESERVE, "ann", 1, CONFIRMED)),
                planted("each reservation of the log is kept", sale -> sale.reservations.remove(0)),
                planted(
                        "one key has one reservation",
                        sale -> sale.reservations.add(sale.reservations.get(0))),
                planted("reserved twice under one key", sale -> {
                    sale.reserve(9_000, "bob", 2, 0, 2, 2);
                    sale.end(9_000, "bob", 2, EXPIRED, 2, 0, 2);
                }),
                planted("each reservation has an order", sale -> sale.orders.remove(1)),
                planted(
                        "one reservation has one order",
                        sale -> sale.orders.add(sale.orders.get(0))),
                planted(
                        "each order has a reservation",
                        sale -> sale.orders.add(new Order(id("dora"), 1, CONFIRMED))),
                planted(
                        "each order is as its reservation",
                        sale -> sale.orders.set(1, new Order(id("bob"), 2, RESERVED))),
                planted(
                        "a refusal is true",
                        sale -> sale.tell(9_100, Verb.RESERVE, "dora", 1, ALL_RESERVED)),
                planted(
                        "a refusal is true",
                        sale -> sale.tell(3_100, Verb.RESERVE, "dora", 1, SOLD_OUT)),
                planted(
                        "a refusal is true",
                        sale -> sale.tell(19_000, Verb.RESERVE, "dora", 1, CLOSED)),
                planted(
                        "a refusal is true",
                        sale -> sale.tell(3_100, Verb.RESERVE, "dora", 1, NOT_OPEN)),
                planted(
                        "a refusal is true",
                        sale -> sale.tell(15_000, Verb.RESERVE, "dora", 2, SOLD_OUT)),
                planted(
                        "nobody is refused who has a reservation",
                        sale -> sale.tell(20_100, Verb.RESERVE, "ann", 2, CLOSED)),
                planted(
                        "a final state never changes",
                        sale -> sale.tell(2_500, Verb.CANCEL, "ann", 2, EXPIRED)),
                planted(
                        "a final state that is told is the one",
                        sale -> sale.tell(3_500, Verb.FIND, "bob", 2, CONFIRMED)),
                planted(
                        "a final state that is told is the one",
                        sale -> sale.tell(1_200, Verb.FIND, "ann", 2, CONFIRMED)),
                planted(
                        "a reservation that is told is there",
                        sale -> sale.tell(2_500, Verb.FIND, "ann", 2, RESERVED)),
                planted("unavailable means that nothing was done", sale -> {
                    sale.told.removeIf(each -> each.buyer().equals("bob"));
                    sale.tell(2_990, Verb.RESERVE, "bob", 2, UNAVAILABLE);
                }),
                planted(
                        "each reservation was asked for",
                        sale -> sale.told.removeIf(each -> each.buyer().equals("bob"))),
                planted("ann holds 2 of at most 1", sale -> sale.perBuyer = 1),
                planted(
                        "a limit that is told is reached",
                        sale -> sale.tell(9_000, Verb.RESERVE, "bob", 1, LIMIT_REACHED)),
                planted(
                        "a mismatch is one",
                        sale -> sale.tell(9_000, Verb.RESERVE, "bob", 2, MISMATCH)),
                planted(
                        "not found is true",
                        sale -> sale.tell(4_000, Verb.FIND, "bob", 2, NOT_FOUND)),
                planted(
                        "each answer makes sense",
                        sale -> sale.told.add(new Told(
                                1,
                                2,
                                0,
                                Verb.RESERVE,
                                "dora",
                                "key-dora",
                                1,
                                500,
                                null,
                                "failed"))),
                planted("the total is what it was made", sale -> sale.total = 5),
                planted("the log lacks", sale -> sale.log.remove(5)),
                planted(
                        "the levels do not follow",
                        sale -> sale.change(30_000, Change.Kind.RESERVATIONS, 1, 0, 2)),
                planted("reserved while closed", sale -> {
                    sale.change(30_000, Change.Kind.CLOSE, 2, 0, 2);
                    sale.reserve(30_001, "dora", 1, 1, 1, 2);
                }),
                planted(
                        "ended, but was CONFIRMED",
                        sale -> sale.end(30_000, "ann", 2, EXPIRED, 4, -2, 2)));
    }

    private static Arguments planted(String expected, Consumer<JudgeTest> error) {
        return arguments(expected, error);
    }

    @ParameterizedTest(name = "{index} {0}")
    @MethodSource("plantedErrors")
    void judge_plantedError_isNamed(String expected, Consumer<JudgeTest> error) {
        error.accept(this);

        assertThat(broken()).anyMatch(each -> each.startsWith(expected));
    }
}
