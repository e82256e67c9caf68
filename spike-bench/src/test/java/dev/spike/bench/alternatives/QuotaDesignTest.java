package dev.spike.bench.alternatives;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.bench.LocalQuotaBenchmark;
import dev.spike.core.LocalSpike;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

class QuotaDesignTest {

    private static final int THREADS = 8;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "GET_AND_ADD")
    void tryTake_manyThreadsUntilRefused_takeExactlyTheQuota(QuotaDesign design) {
        LocalSpike quota = design.create();
        for (int units : new int[] {0, 1, 7, 100, 100_001}) {
            quota.refill(units);

            assertThat(takenByAll(quota)).as("of " + units).isEqualTo(units);
            assertThat(quota.quota()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "GET_AND_ADD")
    void tryTake_moreThanIsLeft_isRefusedAndTakesNothing(QuotaDesign design) {
        LocalSpike quota = design.create();
        quota.refill(5);

        assertThat(quota.tryTake(6)).isFalse();
        assertThat(quota.tryTake(3)).isTrue();
        assertThat(quota.tryTake(3)).isFalse();
        quota.giveBack(1);
        assertThat(quota.quota()).isEqualTo(3);
        assertThat(quota.tryTake(3)).isTrue();
        assertThat(quota.tryTake(1)).isFalse();
    }

    @Test
    void getAndAdd_nothingLeft_takesNevertheless() {
        LocalSpike floor = QuotaDesign.GET_AND_ADD.create();

        assertThat(floor.tryTake(1)).isTrue();
        assertThat(floor.quota()).isEqualTo(-1);
    }

    @ParameterizedTest
    @EnumSource
    void benchmark_eachDesign_answersAsExpected(QuotaDesign design) {
        LocalQuotaBenchmark benchmark = new LocalQuotaBenchmark.Of1Thread();
        benchmark.design = design;
        benchmark.create();
        benchmark.refill();

        for (int i = 0; i < 100; i++) {
            benchmark.selling();
            benchmark.soldOut();
            benchmark.mixed();
        }
    }

    private static long takenByAll(LocalSpike quota) {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        CyclicBarrier start = new CyclicBarrier(THREADS);
        try {
            return IntStream.range(0, THREADS)
                    .mapToObj(
                            i -> CompletableFuture.supplyAsync(() -> taken(quota, start), threads))
                    .toList()
                    .stream()
                    .mapToLong(CompletableFuture::join)
                    .sum();
        } finally {
            threads.shutdownNow();
        }
    }

    private static long taken(LocalSpike quota, CyclicBarrier start) {
        try {
            start.await();
        } catch (Exception broken) {
            throw new IllegalStateException(broken);
        }
        long taken = 0;
        while (quota.tryTake(1)) {
            taken++;
        }
        return taken;
    }
}
