package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.RemoteSpike.Request;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What every shared stock must do. Each test has a sale of its own, under the id of {@link #stock}.
 */
public abstract class RemoteSpikeContract {

    /** The stock under test: always the same within one test, not open when the test begins. */
    protected abstract RemoteSpike stock();

    /** Lets time pass on the store's clock. */
    protected abstract void passTime(Duration time);

    @AfterEach
    void conservationHolds() {
        Conservation.check(stock());
    }

    private void run(String table) {
        new Scenario(stock(), this::passTime).run(table);
    }

    @Test
    void reservation_livesItsLife() {
        run("""
            open 3            -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b bob 2   -> SOLD_OUT
            reserve a alice 2 -> =RESERVED    # same id, same answer
            find a alice      -> RESERVED 2
            confirm a alice   -> CONFIRMED
            confirm a alice   -> =CONFIRMED
            cancel a alice    -> =CONFIRMED   # resolved once
            levels            -> available 1, reserved 0, sold 2
            """);
    }

    @Test
    void cancel_bringsUnitsBack() {
        run("""
            open 2            -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b bob 1   -> ALL_RESERVED
            cancel a alice    -> CANCELLED
            cancel a alice    -> =CANCELLED
            confirm a alice   -> =CANCELLED
            reserve a alice 2 -> =CANCELLED   # a key reserves once
            reserve b bob 1   -> RESERVED
            levels            -> available 1, reserved 1, sold 0
            """);
        Conservation.drain(stock());
    }

    @Test
    void reserve_exactlyTotal_neitherOneMoreNorOneLess() {
        run("""
            open 2            -> OPENED
            reserve a alice 1 -> RESERVED
            reserve b bob 1   -> RESERVED
            reserve c carol 1 -> ALL_RESERVED
            confirm a alice   -> CONFIRMED
            confirm b bob     -> CONFIRMED
            reserve c carol 1 -> SOLD_OUT
            levels            -> available 0, reserved 0, sold 2
            """);
    }

    @Test
    void reserve_sameKey_isTheSameReservation_alsoWhenSoldOut() {
        run("""
            open 1            -> OPENED
            reserve a alice 1 -> RESERVED
            reserve a bob 1   -> ALL_RESERVED  # a key belongs to its buyer
            reserve a alice 1 -> =RESERVED
            reserve a alice 2 -> MISMATCH
            confirm a alice   -> CONFIRMED
            reserve a alice 1 -> =CONFIRMED
            reserve b alice 1 -> SOLD_OUT
            """);
    }

    @Test
    void reserve_overTheBuyersLimit_isRefused_andCancelGivesItBack() {
        run("""
            open 10 limit 3   -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b alice 2 -> LIMIT_REACHED
            reserve c alice 1 -> RESERVED
            reserve d alice 1 -> LIMIT_REACHED
            reserve e bob 4   -> LIMIT_REACHED
            reserve f bob 3   -> RESERVED
            confirm a alice   -> CONFIRMED
            reserve g alice 1 -> LIMIT_REACHED # what is bought counts
            cancel c alice    -> CANCELLED
            reserve h alice 1 -> RESERVED
            reserve c alice 1 -> =CANCELLED
            levels            -> available 4, reserved 4, sold 2
            """);
    }

    @Test
    void reserve_aBatch_answersEachInOrder() {
        run("""
            open 5 limit 3 -> OPENED
            batch a:alice:1 a:alice:1 b:alice:2 c:alice:1 d:bob:2 e:carol:1 a:alice:2 \
                -> RESERVED =RESERVED RESERVED LIMIT_REACHED RESERVED ALL_RESERVED MISMATCH
            settle a:alice:confirm a:alice:cancel b:alice:cancel z:zoe:cancel z:alice:cancel b:alice:cancel \
                -> CONFIRMED =CONFIRMED CANCELLED NOT_FOUND NOT_FOUND =CANCELLED
            levels         -> available 2, reserved 2, sold 1
            find a alice   -> CONFIRMED 1
            find b alice   -> CANCELLED 2
            find z alice   -> null
            find a zoe     -> null
            """);
        Conservation.drain(stock());
    }

    @Test
    void hold_passedItsTime_isExpiredForEverybody() {
        run("""
            open 2 hold 60    -> OPENED
            reserve a alice 1 -> RESERVED
            reserve b bob 1   -> RESERVED
            confirm b bob     -> CONFIRMED
            pass 60
            find a alice      -> EXPIRED 1
            find b bob        -> CONFIRMED 1
            reserve a alice 1 -> =EXPIRED
            confirm a alice   -> EXPIRED      # too late, and never a silent resale
            cancel a alice    -> =EXPIRED
            levels            -> available 1, reserved 0, sold 1
            """);
    }

    @Test
    void expire_endsWhatIsOverdue_andNothingElse() {
        run("""
            open 6 hold 400 limit 2 -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b bob 1   -> RESERVED
            reserve c carol 1 -> RESERVED
            reserve d dave 2  -> RESERVED
            confirm b bob     -> CONFIRMED
            cancel c carol    -> CANCELLED
            expire            -> expired 0
            levels            -> available 1, reserved 4, sold 1
            pass 400
            reserve e alice 1 -> LIMIT_REACHED # they count until they are available again
            expire            -> expired 2
            expire            -> expired 0
            levels            -> available 5, reserved 0, sold 1
            find a alice      -> EXPIRED 2
            find b bob        -> CONFIRMED 1
            confirm a alice   -> =EXPIRED
            reserve a alice 2 -> =EXPIRED
            reserve e alice 2 -> RESERVED      # the limit was given back
            """);
        Conservation.drain(stock());
    }

    @Test
    void expire_isBounded_andEndsTheOldestFirst() {
        stock().open(Sale.of(stock().saleId(), 1_000).withHold(Duration.ofMillis(300)));
        Answer first =
                stock().reserve(requests(0, 512), Long.MAX_VALUE).answers().get(0);
        stock().reserve(requests(512, 700), Long.MAX_VALUE);
        passTime(Duration.ofMillis(300));
        int sweeps = 0;
        for (int ended = 0; ended < 700; sweeps++) {
            passTime(Duration.ofMillis(2));
            RemoteSpike.Sweep sweep = stock().expire();
            assertThat(sweep.expired()).isBetween(0, RemoteSpike.MAX_SWEEP);
            ended += sweep.expired();
            assertThat(sweep.levels().reserved()).isEqualTo(700 - ended);
            if (sweep.isMore()) {
                assertThat(sweep.nextDeadline())
                        .isBetween(
                                first.reservation().expiresAt(), sweep.levels().asOf());
            }
            assertThat(sweeps).isLessThan(1_000);
        }
        passTime(Duration.ofMillis(2));
        RemoteSpike.Sweep last = stock().expire();
        assertThat(last.expired()).isZero();
        assertThat(last.isMore()).isFalse();
        assertThat(last.nextDeadline()).isNull();
        Conservation.drain(stock());
    }

    @Test
    void expire_tellsTheNextDeadline() {
        stock().open(Sale.of(stock().saleId(), 10));
        assertThat(stock().expire().nextDeadline()).isNull();
        Answer answer =
                stock().reserve(requests(0, 1), Long.MAX_VALUE).answers().get(0);
        assertThat(stock().expire().nextDeadline())
                .isEqualTo(answer.reservation().expiresAt());
    }

    @Test
    void extend_startsTheHoldTimeAnew_asLongAsTheSaleAllows() {
        run("""
            open 5 hold 1800 longest 3000 -> OPENED
            reserve a alice 1  -> RESERVED
            reserve b alice 1  -> RESERVED
            reserve c carol 1  -> RESERVED
            pass 900
            extend a alice     -> RESERVED
            extend b alice     -> RESERVED
            pass 900
            expire             -> expired 1     # carol's
            find a alice       -> RESERVED 1
            extend a alice     -> LIMIT_REACHED
            extend c carol     -> =EXPIRED
            extend z zoe       -> NOT_FOUND
            confirm b alice    -> CONFIRMED
            extend b alice     -> =CONFIRMED
            pass 930
            extend a alice     -> EXPIRED
            levels             -> available 4, reserved 0, sold 1
            """);
        Conservation.drain(stock());
    }

    @Test
    void extend_expiresAtItsNewDeadline() {
        run("""
            open 1 hold 1500  -> OPENED
            reserve a alice 1 -> RESERVED
            pass 1000
            extend a alice    -> RESERVED
            pass 750
            expire            -> expired 0
            reserve b bob 1   -> ALL_RESERVED
            pass 750
            expire            -> expired 1
            reserve b bob 1   -> RESERVED
            """);
    }

    @Test
    void restock_raisesAndLowers_onceForEachOperation() {
        run("""
            restock one 5     -> ABSENT 0
            open 2            -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b bob 1   -> ALL_RESERVED
            restock one 5     -> APPLIED 5
            restock one 5     -> REPEATED 5
            restock one 4     -> OTHER_DELTA 0
            reserve b bob 1   -> RESERVED
            restock two -10   -> APPLIED -4    # only what is available
            restock two -10   -> REPEATED -4
            restock six -1    -> APPLIED 0
            reserve c carol 1 -> ALL_RESERVED
            levels            -> available 0, reserved 3, sold 0
            restock big 1000000000 -> APPLIED 999999997
            levels            -> available 999999997, reserved 3, sold 0
            open 2            -> ALREADY_OPEN
            """);
        assertThat(stock().sale().total()).isEqualTo(Sale.MAX_TOTAL);
        stock().restock(new RemoteSpike.Operation("small", 20 - Sale.MAX_TOTAL));
        Conservation.drain(stock());
    }

    @Test
    void closeAndReopen_changeOnlyWhetherItSells() {
        run("""
            close             -> ABSENT
            reopen            -> ABSENT
            open 2            -> OPENED
            reserve a alice 1 -> RESERVED
            reopen            -> OPEN
            close             -> CLOSED
            close             -> CLOSED
            reserve b bob 1   -> CLOSED
            reserve a alice 1 -> =RESERVED
            confirm a alice   -> CONFIRMED
            reopen            -> OPEN
            reserve b bob 1   -> RESERVED
            levels            -> available 0, reserved 1, sold 1
            """);
        assertThat(stock().levels().sequence()).isEqualTo(6);
    }

    @Test
    void reopen_afterTheClosingTime_takesItBack() {
        run("""
            open 2 closes 150 -> OPENED
            pass 150
            reserve a alice 1 -> CLOSED
            reopen            -> OPEN
            reserve a alice 1 -> RESERVED
            """);
        assertThat(stock().levels().closesAt()).isNull();
    }

    @Test
    void reopen_beforeTheOpeningTime_keepsIt() {
        run("""
            open 2 opens 60000 -> OPENED
            close             -> CLOSED
            reserve a alice 1 -> CLOSED
            reopen            -> NOT_YET_OPEN
            reserve a alice 1 -> NOT_OPEN
            """);
        assertThat(stock().levels().opensAt()).isEqualTo(stock().sale().opensAt());
    }

    @Test
    void reservationsOfABuyer_theFirst_thenTheNewestFirst() {
        run("""
            open 10 limit 9   -> OPENED
            buyer alice       ->
            reserve a alice 2 -> RESERVED
            reserve b alice 1 -> RESERVED
            reserve alice alice 3 -> RESERVED
            reserve a bob 1   -> RESERVED
            reserve d alice 1 -> RESERVED
            cancel b alice    -> CANCELLED
            confirm a alice   -> CONFIRMED
            extend d alice    -> RESERVED
            buyer alice       -> a CONFIRMED, d RESERVED, alice RESERVED, b CANCELLED; 6 units
            buyer bob         -> a RESERVED; 1 units
            buyer carol       ->
            """);
        assertThat(stock().find(new ReservationId("alice", "a")).sequence()).isEqualTo(8);
    }

    @Test
    void reservationsOfABuyer_manyPages_eachIsThereOnce() {
        stock().open(Sale.of(stock().saleId(), 1_000));
        stock().reserve(
                        IntStream.range(0, 350)
                                .mapToObj(i -> new Request(new ReservationId("alice", "k" + i), 1))
                                .toList(),
                        Long.MAX_VALUE);
        List<String> keys = new ArrayList<>();
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = stock().reservationsOf("alice", cursor);
            page.reservations()
                    .forEach(progress -> keys.add(progress.reservation().id().key()));
            cursor = page.next();
        } while (cursor != null);
        assertThat(keys).hasSize(350).doesNotHaveDuplicates().startsWith("k0", "k349", "k348");
        assertThatThrownBy(() -> stock().reservationsOf("alice", "*"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> stock().reservationsOf("", null))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void everyChange_isInTheLog_inOrder_withItsLevels() {
        run("""
            open 9 hold 400   -> OPENED
            batch a:alice:1 b:bob:2 a:alice:1 c:carol:3 -> RESERVED RESERVED =RESERVED RESERVED
            settle b:bob:confirm a:alice:extend z:zoe:cancel c:carol:cancel \
                -> CONFIRMED RESERVED NOT_FOUND CANCELLED
            reserve a alice 1 -> =RESERVED
            restock one 1     -> APPLIED 1
            close             -> CLOSED
            reopen            -> OPEN
            pass 400
            expire            -> expired 1
            """);
        List<LogEntry> log = stock().log(0);
        assertThat(log).extracting(LogEntry::sequence).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L);
        assertThat(log)
                .extracting(entry -> entry.available() + " " + entry.reserved() + " "
                        + entry.sold() + " "
                        + entry.events().stream()
                                .map(event ->
                                        event.state() + " " + event.id() + " " + event.quantity())
                                .toList())
                .containsExactly(
                        "9 0 0 []",
                        "3 6 0 [RESERVED YWxpY2U.a 1, RESERVED Ym9i.b 2, RESERVED Y2Fyb2w.c 3]",
                        "6 1 2 [CONFIRMED Ym9i.b 2, CANCELLED Y2Fyb2w.c 3]",
                        "7 1 2 []",
                        "7 1 2 []",
                        "7 1 2 []",
                        "8 0 2 [EXPIRED YWxpY2U.a 1]");
        Instant madeAt = log.get(1).at();
        log.stream()
                .flatMap(entry -> entry.events().stream())
                .forEach(event -> assertThat(event.reservedAt()).isEqualTo(madeAt));
        log.forEach(entry ->
                entry.events().forEach(event -> assertThat(event.at()).isEqualTo(entry.at())));
        assertThat(stock().log(5)).extracting(LogEntry::sequence).containsExactly(6L, 7L);
        assertThat(stock().log(7)).isEmpty();
    }

    @Test
    void correct_putsLevelsAndCountsRight_unlessTheSaleMovedOn() {
        run("""
            open 10 limit 3   -> OPENED
            reserve a alice 2 -> RESERVED
            reserve b bob 1   -> RESERVED
            """);
        long sequence = stock().levels().sequence();
        assertThat(stock().correct(new RemoteSpike.Correction(sequence - 1, 0, 0, 2, Map.of())))
                .isFalse();
        assertThatThrownBy(() ->
                        stock().correct(new RemoteSpike.Correction(sequence, 10, 1, 2, Map.of())))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(stock().correct(
                                new RemoteSpike.Correction(sequence, 4, 1, 2, Map.of("alice", 3L))))
                .isTrue();
        run("""
            levels            -> available 5, reserved 4, sold 1
            reserve c alice 1 -> LIMIT_REACHED
            """);
        assertThat(stock().correct(new RemoteSpike.Correction(
                        sequence + 1, 3, 0, 2, Map.of("alice", 2L))))
                .isTrue();
        run("reserve c alice 1 -> RESERVED");
    }

    @Test
    void sale_beforeAndAfterItsTime() {
        run("""
            open 2 opens 60 closes 600000 -> OPENED
            reserve a alice 1             -> NOT_OPEN
            pass 60
            reserve a alice 1             -> RESERVED
            """);
    }

    @Test
    void sale_afterItsTime_isClosed_butKeysAndReservationsLiveOn() {
        run("""
            open 2 closes 150  -> OPENED
            reserve a alice 1  -> RESERVED
            pass 150
            reserve b bob 1    -> CLOSED
            reserve a alice 1  -> =RESERVED
            confirm a alice    -> CONFIRMED
            levels             -> available 1, reserved 0, sold 1
            """);
    }

    @Test
    void sale_absent_isNotOpen_andNothingIsCreated() {
        run("""
            reserve a alice 1 -> NOT_OPEN
            confirm a alice   -> NOT_FOUND
            find a alice      -> null
            """);
        assertThat(stock().levels().phase()).isEqualTo(Levels.Phase.ABSENT);
        assertThat(stock().sale()).isNull();
        assertThat(stock().reservations(null).reservations()).isEmpty();
    }

    @Test
    void open_again_neverResets() {
        run("""
            open 3 limit 2    -> OPENED
            reserve a alice 1 -> RESERVED
            open 3 limit 2    -> ALREADY_OPEN
            open 4 limit 2    -> OTHER_RULES
            open 3 limit 1    -> OTHER_RULES
            open 3 limit 2 hold 5 -> OTHER_RULES
            levels            -> available 2, reserved 1, sold 0
            """);
        assertThat(stock().sale()).isEqualTo(Sale.of(stock().saleId(), 3).withPerBuyer(2));
    }

    @Test
    void call_afterItsLastMoment_changesNothing() {
        run("""
            open 3            -> OPENED
            late
            reserve a alice 1 -> LATE
            reserve a alice 1 -> RESERVED
            late
            confirm a alice   -> LATE
            find a alice      -> RESERVED 1
            levels            -> available 2, reserved 1, sold 0
            """);
    }

    @Test
    void call_oneMillisecondAfterItsLastMoment_changesNothing() {
        run("""
            open 3            -> OPENED
            reserve a alice 1 -> RESERVED
            """);
        Levels before = stock().levels();
        long passed = before.asOf().toEpochMilli() - 1;
        ReservationId alice = new ReservationId("alice", "a");
        assertThat(stock().reserve(requests(0, 1), passed).late()).isTrue();
        assertThat(stock().settle(
                                List.of(new RemoteSpike.Settlement(alice, Outcome.CONFIRMED)),
                                passed)
                        .late())
                .isTrue();
        assertThat(stock().levels().sequence()).isEqualTo(before.sequence());
        run("levels -> available 2, reserved 1, sold 0");
    }

    @Test
    void sequence_growsByOneWithEachChange_andNeverWithout() {
        stock().open(Sale.of(stock().saleId(), 2));
        Levels opened = stock().levels();
        assertThat(opened.sequence()).isEqualTo(1);
        assertThat(opened.ledger()).isNotEmpty();
        run("""
            reserve a alice 2 -> RESERVED
            reserve a alice 2 -> =RESERVED
            reserve b bob 1   -> ALL_RESERVED
            cancel a alice    -> CANCELLED
            cancel a alice    -> =CANCELLED
            """);
        Levels after = stock().levels();
        assertThat(after.sequence()).isEqualTo(3);
        assertThat(after.ledger()).isEqualTo(opened.ledger());
        assertThat(after.reservations()).isEqualTo(1);
    }

    @Test
    void names_ofEveryKind_areKeptApart() {
        run("""
            open 10         -> OPENED
            reserve a a 1   -> RESERVED
            reserve b a 1   -> RESERVED
            reserve a b 1   -> RESERVED
            reserve b b 1   -> RESERVED
            reserve a 李雷 1 -> RESERVED
            reserve a 😀|%d+|^$ 1 -> RESERVED
            reserve a a 1   -> =RESERVED
            cancel b a      -> CANCELLED
            find a a        -> RESERVED 1
            find b b        -> RESERVED 1
            find a 李雷      -> RESERVED 1
            levels          -> available 5, reserved 5, sold 0
            """);
    }

    @Test
    void reservations_manyPages_eachIsThere() {
        stock().open(Sale.of(stock().saleId(), 5_000));
        for (int batch = 0; batch < 5; batch++) {
            int from = batch * 400;
            List<Request> requests = IntStream.range(from, from + 400)
                    .mapToObj(i -> new Request(new ReservationId("buyer" + i / 2, "key" + i), 1))
                    .toList();
            stock().reserve(requests, Long.MAX_VALUE);
        }
        assertThat(Conservation.reservations(stock())).hasSize(2_000);
    }

    private static List<Request> requests(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> new Request(new ReservationId("buyer" + i, "key" + i), 1))
                .toList();
    }

    @Test
    void batch_emptyOrTooLarge_isMisuse() {
        List<Request> tooMany = IntStream.rangeClosed(0, RemoteSpike.MAX_BATCH)
                .mapToObj(i -> new Request(new ReservationId("buyer", "key" + i), 1))
                .toList();
        assertThatThrownBy(() -> stock().reserve(List.of(), Long.MAX_VALUE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("must be 1 to 512: batch.size=0");
        assertThatThrownBy(() -> stock().reserve(tooMany, Long.MAX_VALUE))
                .isInstanceOf(IllegalArgumentException.class);
        stock().open(Sale.of(stock().saleId(), 1_000));
        assertThat(stock().reserve(tooMany.subList(0, RemoteSpike.MAX_BATCH), Long.MAX_VALUE)
                        .answers())
                .allMatch(answer -> answer.outcome() == Outcome.RESERVED);
    }

    @Test
    void open_anotherSale_isMisuse() {
        assertThatThrownBy(() -> stock().open(Sale.of("another", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sale=another");
    }

    @Test
    void restore_ordersOfALostStore_areRecordedAsTheyAre_andNothingIsTakenBack() {
        run("""
            openclosed 10 limit 1 -> OPENED
            reserve z zoe 1       -> CLOSED
            restore a:alice:2:CONFIRMED b:bob:1:RESERVED c:bob:1:CANCELLED d:dan:1:EXPIRED -> ADDED ADDED ADDED ADDED
            levels                -> available 7, reserved 1, sold 2
            restore a:alice:2:CONFIRMED b:bob:1:RESERVED c:bob:1:CANCELLED d:dan:1:EXPIRED -> KNOWN KNOWN KNOWN KNOWN
            confirm a alice       -> =CONFIRMED
            confirm c bob         -> =CANCELLED
            confirm d dan         -> =EXPIRED
            buyer bob             -> b RESERVED, c CANCELLED; 1 units
            restore b:bob:1:CONFIRMED x:xia:1:RESERVED -> SETTLED ADDED
            restore b:bob:1:CANCELLED a:alice:3:CONFIRMED a:alice:2:RESERVED -> DIFFERENT DIFFERENT KNOWN
            cancel x xia          -> CANCELLED
            restore e:eve:8:RESERVED e:eve:7:CONFIRMED f:fay:1:RESERVED -> TOO_MANY ADDED TOO_MANY
            levels                -> available 0, reserved 0, sold 10
            reopen                -> OPEN
            restore f:fay:1:CANCELLED ->                  # only while it is closed
            reserve a alice 2     -> =CONFIRMED
            reserve y bob 1       -> SOLD_OUT
            """);
        assertLogFollowsTheLevels();
    }

    @Test
    void restore_confirmedOrderOfMoreThanIsAvailable_isTooMany_andChangesNothing() {
        run("""
            openclosed 3              -> OPENED
            restore a:alice:5:CONFIRMED -> TOO_MANY
            restore b:bob:1:RESERVED c:carol:3:CONFIRMED -> ADDED TOO_MANY
            levels                    -> available 2, reserved 1, sold 0
            find a alice              -> null
            find c carol              -> null
            """);
        assertLogFollowsTheLevels();
    }

    @Test
    void restore_hold_startsAnew_andExpires() {
        run("""
            openclosed 3 hold 1500    -> OPENED
            restore a:alice:2:RESERVED b:bob:1:RESERVED c:cid:1:EXPIRED -> ADDED ADDED ADDED
            confirm b bob             -> CONFIRMED
            pass 1500
            expire                    -> expired 1
            find a alice              -> EXPIRED 2
            reopen                    -> OPEN
            """);
        assertLogFollowsTheLevels();
        Conservation.drain(stock());
    }

    @Test
    void openClosed_sameRules_isNoOtherSale() {
        run("""
            openclosed 3 -> OPENED
            open 3       -> ALREADY_OPEN
            openclosed 4 -> OTHER_RULES
            levels       -> available 3, reserved 0, sold 0
            """);
    }

    /** Each entry's levels follow from the one before and its events. */
    private void assertLogFollowsTheLevels() {
        Levels levels = stock().levels();
        Tally tally = new Tally();
        for (LogEntry entry : stock().log(0)) {
            entry.events().forEach(tally::advance);
            assertThat(entry.reserved()).isEqualTo(tally.units(Outcome.RESERVED));
            assertThat(entry.sold()).isEqualTo(tally.units(Outcome.CONFIRMED));
            assertThat(entry.available())
                    .isEqualTo(levels.total() - entry.reserved() - entry.sold());
        }
    }

    /** More orders than a page of the book holds; a lost store that kept some of them. */
    @Test
    void rebuild_fromTheOrderBook_hasWhatTheBookHas() {
        MemoryOrders orders = new MemoryOrders();
        List<Outcome> states =
                List.of(Outcome.CONFIRMED, Outcome.RESERVED, Outcome.CANCELLED, Outcome.EXPIRED);
        IntStream.range(0, 1_300)
                .forEach(i -> orders.plant(
                        new ReservationId("buyer" + i % 900, "key" + i),
                        1 + i % 3,
                        states.get(i % 4)));
        Sale rules = Sale.of(stock().saleId(), 1_299);
        stock().open(rules);
        run("""
            reserve key0 buyer0 1   -> RESERVED
            reserve key3 buyer3 1   -> RESERVED
            cancel key3 buyer3      -> CANCELLED
            reserve own own 1       -> RESERVED
            """);
        long levelsBefore = stock().levels().sequence();
        Rebuild told = Rebuild.run(stock(), rules, orders, true);
        assertThat(stock().levels().sequence()).isEqualTo(levelsBefore);
        Rebuild done = Rebuild.run(stock(), rules, orders, false);
        assertThat(done.effects())
                .isEqualTo(told.effects())
                .isEqualTo(Map.of(
                        RemoteSpike.Restored.Effect.ADDED, 1_297L,
                        RemoteSpike.Restored.Effect.SETTLED, 1L,
                        RemoteSpike.Restored.Effect.DIFFERENT, 1L,
                        RemoteSpike.Restored.Effect.TOO_MANY, 1L));
        assertThat(done.complete()).isFalse();
        assertThat(done.refused()).hasSize(2).isEqualTo(told.refused());
        assertThat(done.levels().phase()).isEqualTo(Levels.Phase.CLOSED);
        Rebuild again = Rebuild.run(stock(), rules, orders, false);
        assertThat(again.effects())
                .isEqualTo(Map.of(
                        RemoteSpike.Restored.Effect.KNOWN, 1_298L,
                        RemoteSpike.Restored.Effect.DIFFERENT, 1L,
                        RemoteSpike.Restored.Effect.TOO_MANY, 1L));
    }

    /** An older state holds a unit that was cancelled since, and sold to somebody else. */
    @Test
    void rebuild_unitThatCameBackAndWasSoldAgain_fits() {
        Sale rules = Sale.of(stock().saleId(), 1);
        stock().open(rules);
        run("reserve key-z zoe 1 -> RESERVED");
        MemoryOrders orders = new MemoryOrders();
        orders.plant(new ReservationId("zoe", "key-z"), 1, Outcome.CANCELLED);
        orders.plant(new ReservationId("ann", "key-a"), 1, Outcome.CONFIRMED);
        assertThat(Rebuild.run(stock(), rules, orders, true).complete()).isTrue();
        assertThat(Rebuild.run(stock(), rules, orders, false).complete()).isTrue();
        run("levels -> available 0, reserved 0, sold 1");
    }

    @Test
    void rebuild_otherRules_refused_andNothingChanges() {
        run("open 3 -> OPENED");
        Sale other = Sale.of(stock().saleId(), 4);
        assertThatThrownBy(() -> Rebuild.run(stock(), other, new MemoryOrders(), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("must be the rules that it was opened with: sale=");
        assertThat(stock().levels().phase()).isEqualTo(Levels.Phase.OPEN);
    }
}
