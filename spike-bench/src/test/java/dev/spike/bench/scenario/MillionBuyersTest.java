package dev.spike.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.core.Outcome;
import dev.spike.core.Progress;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import redis.clients.jedis.Jedis;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class MillionBuyersTest {

    private static final String SMALL = "--buyers 2000 --units 100 --nodes 5 --hold-millis 1000";

    /** What a run came to. */
    private record Run(int exit, JsonNode json, String err) {}

    @Test
    void run_smallSale_keepsEveryPromise(@TempDir Path directory) throws Exception {
        Path json = directory.resolve("result.json");
        Path svg = directory.resolve("levels.svg");

        Run run = run(new MillionBuyers(), SMALL + " --json " + json + " --svg " + svg);

        assertThat(run.err).isEmpty();
        assertThat(run.exit).isZero();
        assertThat(run.json.get("sold").asLong()).isEqualTo(110);
        assertThat(run.json.get("total").asLong()).isEqualTo(110);
        assertThat(run.json.get("oversold").asLong()).isZero();
        assertThat(run.json.get("falseSoldOut").asLong()).isZero();
        assertThat(run.json.get("refusals").asLong()).isPositive();
        assertThat(run.json.get("reservations").asLong()).isGreaterThan(110);
        assertThat(run.json.get("lostAnswers").asLong()).isPositive();
        assertThat(run.json.get("repeats").asLong()).isPositive();
        assertThat(run.json.get("redisCallsPerUnit").asDouble()).isPositive();
        assertThat(run.json.get("bytesPerReservation").asDouble()).isPositive();
        assertThat(run.json.get("seconds").asDouble()).isPositive();
        List<String> row = List.of("2,000", "100", "5");
        assertThat(Result.read(json).samples(row, "sold, units")).containsExactly(110.0);
        assertThat(Files.readString(svg)).startsWith("<svg").contains("killed");
    }

    @Test
    void run_reservationLostInTheStore_tellsAndExitsOne() throws Exception {
        try (BenchRedis redis = BenchRedis.child("--appendonly", "no");
                Jedis jedis = redis.jedis()) {
            MillionBuyers losing = new MillionBuyers(sale -> {
                Progress sold = sale.reservations(null).reservations().stream()
                        .filter(found -> found.reservation().state() == Outcome.CONFIRMED)
                        .findFirst()
                        .orElseThrow();
                jedis.hdel(
                        "spike:{" + sale.saleId() + "}:reservations",
                        sold.reservation().id().buyer());
            });

            Run run = run(losing, SMALL + " --redis " + redis.uri());

            assertThat(run.exit).isEqualTo(1);
            assertThat(run.err)
                    .contains("broken: answered RESERVED, and not in the store")
                    .contains("broken: the store has other confirmations than buyers were told of")
                    .contains("broken: the audit does not balance");
            assertThat(run.json.get("brokenPromises").asInt()).isEqualTo(3);
        }
    }

    @Test
    void run_wrongFlag_exitsTwo() {
        for (String wrong : List.of(
                "--nodes 3", "--units 0", "--units 2000000", "--buyers x", "--redis nowhere")) {
            StringWriter err = new StringWriter();

            int exit = new CommandLine(new MillionBuyers())
                    .setErr(new PrintWriter(err, true))
                    .execute(wrong.split(" "));

            assertThat(exit).as(wrong).isEqualTo(2);
            assertThat(err.toString()).contains(wrong.split(" ")[0]);
        }
    }

    private static Run run(MillionBuyers command, String args) throws Exception {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        ByteArrayOutputStream wrong = new ByteArrayOutputStream();
        System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(wrong, true, StandardCharsets.UTF_8));
        int exit;
        try {
            exit = new CommandLine(command).execute(args.split(" "));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        List<String> lines = told.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).as(() -> wrong.toString(StandardCharsets.UTF_8)).isNotEmpty();
        return new Run(
                exit,
                new ObjectMapper().readTree(lines.get(lines.size() - 1)),
                wrong.toString(StandardCharsets.UTF_8));
    }
}
