package dev.spike.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

class RateSearchTest {

    private final List<Integer> tried = new ArrayList<>();

    @Test
    void from_serverHoldsMore_comesWithin5PercentFromBelow() {
        assertThat(search(rate -> rate <= 30_000, 100)).isBetween(28_500, 30_000);
        assertThat(tried).startsWith(4000, 8000, 16_000, 32_000, 32_000);
    }

    @Test
    void from_serverHoldsLess_halvesFirst() {
        assertThat(search(rate -> rate <= 700, 100)).isBetween(665, 700);
        assertThat(tried).startsWith(4000, 4000, 2000, 2000, 1000, 1000, 500);
    }

    @Test
    void from_oneTrySpoilt_triesAgain() {
        List<Integer> spoilt = new ArrayList<>(List.of(8000));

        assertThat(search(rate -> !spoilt.remove((Integer) rate) && rate <= 30_000, 100))
                .isBetween(28_500, 30_000);
    }

    @Test
    void from_timeIsOver_tellsWhatHeld() {
        assertThat(search(rate -> rate <= 30_000, 6)).isEqualTo(22_627);
        assertThat(tried).containsExactly(4000, 8000, 16_000, 32_000, 32_000, 22_627);
    }

    @Test
    void from_serverBecomesWarmAsTheTimeIsOver_goesOnUntilAHigherRateFails() {
        assertThat(search(rate -> rate <= (tried.size() < 3 ? 3000 : 30_000), 8))
                .isEqualTo(15_320);
        assertThat(tried).startsWith(4000, 4000, 2000).endsWith(3830, 7660, 15_320, 30_640, 30_640);
    }

    @Test
    void from_timeIsOverBeforeARateFails_goesOnUntilOneDoes() {
        assertThat(search(rate -> rate <= 30_000, 2)).isEqualTo(16_000);
        assertThat(tried).containsExactly(4000, 8000, 16_000, 32_000, 32_000);
    }

    @Test
    void from_serverBecomesWarm_findsWhatItHoldsThen() {
        assertThat(search(rate -> rate <= (tried.size() < 30 ? 3000 : 30_000), 100))
                .isBetween(28_500, 30_000);
    }

    @Test
    void from_highestOfAllHolds_endsThere() {
        assertThat(search(rate -> true, 100)).isEqualTo(1_000_000);
        assertThat(tried).startsWith(4000, 8000).endsWith(512_000, 1_000_000).hasSize(9);
    }

    @Test
    void from_nothingHolds_none() {
        assertThat(search(rate -> false, 100)).isZero();
        assertThat(tried).contains(1).doesNotContain(0);
    }

    private int search(IntPredicate holds, int tries) {
        return new RateSearch(
                        rate -> {
                            tried.add(rate);
                            return holds.test(rate);
                        },
                        () -> tried.size() < tries)
                .from(4000, 1_000_000);
    }
}
