package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.time.Instant;

final class GateTest {

    private static Gate gate(long available, long sold) {
        Levels levels = new Levels(
                Levels.Phase.OPEN,
                "ledger",
                1,
                5,
                available,
                0,
                sold,
                0,
                0,
                null,
                null,
                Instant.EPOCH);
        return Gate.unknown(Long.MAX_VALUE, Long.MAX_VALUE).with(levels, 0, 0);
    }

    @Test
    void levelsThatAreNotTheTotal_refuseNobody() {
        assertThat(gate(0, 4).refusal(1, () -> 0)).isNull();
        assertThat(gate(0, 4).answerToAll()).isNull();
        assertThat(gate(0, 5).refusal(1, () -> 0).answer().outcome()).isEqualTo(Outcome.SOLD_OUT);
        assertThat(gate(0, 5).answerToAll().outcome()).isEqualTo(Outcome.SOLD_OUT);
    }
}
