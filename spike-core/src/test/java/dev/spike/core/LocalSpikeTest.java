package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

class LocalSpikeTest {

    /** The operations that Lincheck runs in all orders. */
    public static class Operations {
        private final LocalSpike local = LocalSpike.create();

        public Operations() {
            local.refill(4);
        }

        @Operation
        public boolean tryTake(@Param(gen = IntGen.class, conf = "1:3") int quantity) {
            return local.tryTake(quantity);
        }

        @Operation
        public void giveBack(@Param(gen = IntGen.class, conf = "1:2") int quantity) {
            local.giveBack(quantity);
        }

        @Operation
        public long quota() {
            return local.quota();
        }
    }

    @Test
    void operations_byManyThreads_areLinearizable() {
        ModelCheckingOptions options = new ModelCheckingOptions()
                .iterations(20)
                .invocationsPerIteration(500)
                .threads(2)
                .actorsPerThread(3);
        options.check(Operations.class);
    }

    private final LocalSpike local = LocalSpike.create();

    @Test
    void tryTake_allOrNone_exactlyTheQuota() {
        local.refill(3);
        assertThat(local.tryTake(4)).isFalse();
        assertThat(local.tryTake(2)).isTrue();
        assertThat(local.tryTake(2)).isFalse();
        assertThat(local.tryTake(1)).isTrue();
        assertThat(local.tryTake(1)).isFalse();
        local.giveBack(1);
        assertThat(local.tryTake(1)).isTrue();
        assertThat(local.quota()).isZero();
    }

    @Test
    void malformedArguments_areNamed() {
        assertThatThrownBy(() -> local.tryTake(0)).hasMessage("must be > 0: quantity=0");
        assertThatThrownBy(() -> local.giveBack(-1)).hasMessage("must be > 0: quantity=-1");
        assertThatThrownBy(() -> local.refill(-1)).hasMessage("must be >= 0: quota=-1");
    }
}
