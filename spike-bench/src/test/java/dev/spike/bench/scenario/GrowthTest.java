package dev.spike.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.bench.report.Result;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

class GrowthTest {

    private final Growth growth = new Growth("units", List.of(10, 200, 3_000));
    private final Result round = growth.newRound();

    @ParameterizedTest
    @ValueSource(doubles = {-1, 0, 0.5, 1, 1.02, 2})
    void addOrders_powerOfSize_isItsExponent(double exponent) {
        for (int size : new int[] {10, 200, 3_000}) {
            round.add(growth.row(size), "time, s", 7 * Math.pow(size, exponent));
        }

        growth.addOrders(round);

        assertThat(round.samples(growth.orders(), "time, s")).containsExactly(exponent);
    }

    /** log2 of the figures: 0, 1, 1; of the sizes: 0, 1, 2. */
    @Test
    void addOrders_notOnOneCurve_isTheNearest() {
        Growth ofThree = new Growth("nodes", List.of(1, 2, 4));
        Result three = ofThree.newRound();
        three.add(ofThree.row(1), "calls", 1);
        three.add(ofThree.row(2), "calls", 2);
        three.add(ofThree.row(4), "calls", 2);

        ofThree.addOrders(three);

        assertThat(three.samples(ofThree.orders(), "calls")).containsExactly(0.5);
    }

    @Test
    void addOrders_zero_isRefused() {
        round.add(growth.row(10), "calls", 1);
        round.add(growth.row(200), "calls", 0);
        round.add(growth.row(3_000), "calls", 1);

        assertThatThrownBy(() -> growth.addOrders(round))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("must be one sample > 0: calls=[0.0]");
    }

    @Test
    void new_sizesWithoutGrowth_areRefused() {
        assertThat(List.of(List.of(7), List.of(7, 7), List.of(0, 7)))
                .allSatisfy(sizes -> assertThatThrownBy(() -> new Growth("units", sizes))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining(
                                "must be two or more different numbers >= 1: units=" + sizes));
    }
}
