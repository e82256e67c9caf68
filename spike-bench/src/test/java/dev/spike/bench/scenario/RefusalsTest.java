package dev.spike.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.scenario.Timeline.Point;
import dev.spike.core.Outcome;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;

class RefusalsTest {

    private static final Duration ALLOWED = Duration.ofMillis(3_000);

    /** Reserved from 1,000 ms on, available again from 6,000, sold from 20,000. */
    private static final Timeline HISTORY = new Timeline(List.of(
            new Point(1, 0, 1, 0, 0),
            new Point(2, 1_000, 0, 1, 0),
            new Point(3, 6_000, 1, 0, 0),
            new Point(4, 19_000, 0, 1, 0),
            new Point(5, 20_000, 0, 0, 1)));

    private final Refusals refusals = new Refusals();

    @Test
    void check_trueWhenAsked_isTrue() {
        refusals.add(Outcome.ALL_RESERVED, 1_500, 1_501);
        refusals.add(Outcome.SOLD_OUT, 30_000, 30_000);

        assertThat(check()).isEqualTo(new Refusals.Check(2, 0, 0));
    }

    @Test
    void check_becameTrueBeforeTheAnswer_isTrue() {
        refusals.add(Outcome.ALL_RESERVED, 900, 1_000);

        assertThat(check()).isEqualTo(new Refusals.Check(1, 0, 0));
    }

    @Test
    void check_asOldAsAllowed_isTrue_andTellsItsAge() {
        refusals.add(Outcome.ALL_RESERVED, 9_000, 9_000);

        assertThat(check()).isEqualTo(new Refusals.Check(1, 0, 3_000));
    }

    @Test
    void check_olderThanAllowed_isFalse_eachCounted() {
        refusals.add(Outcome.ALL_RESERVED, 9_006, 9_006);
        refusals.add(Outcome.ALL_RESERVED, 9_006, 9_006);

        assertThat(check()).isEqualTo(new Refusals.Check(2, 2, 0));
    }

    @Test
    void check_beforeItWasEverTrue_isFalse() {
        refusals.add(Outcome.ALL_RESERVED, 500, 900);

        assertThat(check().wrong()).isEqualTo(1);
    }

    @Test
    void check_soldOutWhileOnlyReserved_isFalse() {
        refusals.add(Outcome.SOLD_OUT, 2_000, 2_001);

        assertThat(check().wrong()).isEqualTo(1);
    }

    private Refusals.Check check() {
        return refusals.check(HISTORY, ALLOWED);
    }
}
