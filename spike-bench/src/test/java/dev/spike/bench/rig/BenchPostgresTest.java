package dev.spike.bench.rig;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchPostgresTest {

    @ParameterizedTest
    @CsvSource({"true, on", "false, off"})
    void start_durableOrNot_runsAsAsked(boolean durable, String onOrOff) throws Exception {
        try (BenchPostgres postgres = BenchPostgres.start(durable)) {
            assertThat(BenchPostgres.settings(postgres.url()))
                    .contains(", fsync " + onOrOff + ",")
                    .contains(", synchronous_commit " + onOrOff + ",");
        }
    }
}
