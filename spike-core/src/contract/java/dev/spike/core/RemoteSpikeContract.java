package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.RemoteSpike.Request;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;
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
}
