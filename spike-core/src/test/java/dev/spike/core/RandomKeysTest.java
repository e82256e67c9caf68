package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class RandomKeysTest {

    @Test
    void next_isNeverTheSame_whicheverThreadAsks() throws Exception {
        RandomKeys keys = new RandomKeys();
        Callable<List<String>> some =
                () -> Stream.generate(keys::next).limit(20_000).toList();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<String> all =
                    threads
                            .invokeAll(IntStream.range(0, 8)
                                    .mapToObj(thread -> some)
                                    .toList())
                            .stream()
                            .map(RandomKeysTest::get)
                            .flatMap(List::stream)
                            .toList();
            assertThat(all).hasSize(160_000).doesNotHaveDuplicates();
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void next_isAKeyThatEveryReservationMayHave() {
        RandomKeys keys = new RandomKeys();
        for (int i = 0; i < 1_000; i++) {
            String key = keys.next();
            assertThat(key).hasSize(22);
            assertThat(new ReservationId(key, key).key()).isEqualTo(key);
        }
    }

    @Test
    void next_hasEachBitSetAboutHalfOfTheTime() {
        RandomKeys keys = new RandomKeys();
        List<byte[]> drawn = Stream.generate(keys::next)
                .limit(10_000)
                .map(key -> java.util.Base64.getUrlDecoder().decode(key))
                .collect(Collectors.toList());
        for (int bit = 0; bit < 128; bit++) {
            int at = bit;
            long set = drawn.stream()
                    .filter(bytes -> (bytes[at / 8] >> at % 8 & 1) == 1)
                    .count();
            assertThat(set).as("bit %d", bit).isBetween(4_500L, 5_500L);
        }
    }

    private static List<String> get(Future<List<String>> future) {
        try {
            return future.get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
