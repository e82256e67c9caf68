package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import redis.clients.jedis.Jedis;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** The process: exit codes, what it prints, signals, and what survives it. */
final class SpikeServerTest {

    private static final Duration START = Duration.ofSeconds(20);
    private static final Duration STOP = Duration.ofSeconds(10);

    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--prot=1|--prot",
                "--redis=redis://:secret@|--redis=redis://***",
                "--redsi=redis://:secret@127.0.0.1:6379|unknown: --redsi;",
                "--admin-host=0.0.0.0|--admin-token-file"
            })
    void wrongUsage_oneLineAndExit2(String flag, String named) {
        Child child = Child.start(dir, Map.of(), flag);
        assertThat(child.exitCode(START)).isEqualTo(2);
        assertThat(child.err().lines()).hasSize(1);
        assertThat(child.err()).startsWith("spike-http: ").contains(named).doesNotContain("secret");
        assertThat(child.out()).isEmpty();
    }

    @Test
    void wrongEnvironment_oneLineAndExit2() {
        Child child = Child.start(dir, Map.of("SPIKE_HOLD", "soon"));
        assertThat(child.exitCode(START)).isEqualTo(2);
        assertThat(child.err().lines()).hasSize(1);
        assertThat(child.err()).contains("--hold", "5m");
    }

    @Test
    void helpAndVersion_exit0() {
        Child help = Child.start(dir, Map.of(), "--help");
        Child version = Child.start(dir, Map.of(), "--version");
        assertThat(help.exitCode(START)).isZero();
        assertThat(help.out()).contains("--port", "--stat-log", "--access-log", "SPIKE_PORT");
        assertThat(version.exitCode(START)).isZero();
        assertThat(version.out()).matches("spike-http \\d+\\.\\d+\\.\\S+\\R");
        assertThat(help.err() + version.err()).isEmpty();
    }

    @Test
    void cannotStart_oneLineAndExit1() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            Child portTaken = Child.start(
                    dir,
                    Map.of(),
                    "--host=127.0.0.1",
                    "--port=" + port,
                    "--admin-port=0",
                    "--redis=embedded");
            assertExit1(portTaken, port);
            assertThat(dir.resolve("spike-data/redis/redis.pid")).doesNotExist();
        }
        assertExit1(
                Child.start(dir, Map.of(), "--port=0", "--redis=redis://:secret@127.0.0.1:1"),
                "127.0.0.1:1");
        assertExit1(
                Child.start(dir, Map.of(), "--port=0", "--redis=none", "--stat-log=/nonexistent/x"),
                "--stat-log");
        assertExit1(
                Child.start(
                        dir, Map.of(), "--port=0", "--redis=none", "--access-log=/nonexistent/x"),
                "--access-log");
    }

    @Test
    void userOfRedis_thatMayNotDoAll_oneLineAndExit1() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(dir.resolve("redis"))) {
            String uri = redis.uri().replace("://", "://spike:secret@");
            Map<String, String> environment = Map.of("SPIKE_REDIS", uri);
            try (Jedis jedis = new Jedis(URI.create(redis.uri()))) {
                jedis.aclSetUser("spike", "on", ">secret", "~spike:*", "+@all", "-xadd");
                assertExit1(Child.start(dir, environment, "--port=0"), "ACL SETUSER user +xadd");
                jedis.aclSetUser("spike", "+xadd");
                assertExit1(
                        Child.start(dir, environment, "--port=0", "--adopt=ticket_hash_key"),
                        "ACL SETUSER user ~ticket_hash_key");
            }
        }
    }

    @Test
    void adoptionThatIsNotTheSales_oneLineAndExit1() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(dir.resolve("redis"))) {
            Map<String, String> environment = Map.of("SPIKE_REDIS", redis.uri());
            String adopting = "--adopt=ticket_hash_key";
            assertExit1(
                    Child.start(dir, environment, "--port=0", adopting),
                    "--adopt ticket_hash_key: must be a hash: ticket_hash_key is missing");
            try (Child first = Child.start(dir, environment, "--port=0")) {
                first.port();
            }
            assertExit1(
                    Child.start(dir, environment, "--port=0", adopting),
                    "--adopt ticket_hash_key: spike:{ticket}:stock was opened without a hash");
        }
    }

    private static void assertExit1(Child child, String named) {
        assertThat(child.exitCode(START)).isEqualTo(1);
        assertThat(child.err().lines().filter(line -> line.startsWith("spike-http: ")))
                .hasSize(1);
        assertThat(child.err()).contains(named).doesNotContain("secret", "\tat ");
        assertThat(child.out()).isEmpty();
    }

    @Test
    void sigterm_whileSelling_drainsAndExits0() throws Exception {
        Path log = dir.resolve("stat.log");
        try (Child child =
                Child.start(dir, Map.of("SPIKE_TOTAL", "77"), "--port=0", "--stat-log=" + log)) {
            child.port();
            assertThat(child.out()).contains("total 77", "redis://127.0.0.1:", "/v1/sales/ticket");
            assertThat(child.get("/buy/ticket")).contains("\"code\":1");
            long redis = Signals.pid(dir.resolve("spike-data"));
            child.terminate();
            assertThat(child.exitCode(STOP)).isZero();
            assertThat(ProcessHandle.of(redis)).isEmpty();
            assertThat(child.err()).isEmpty();
        }
        assertThat(Files.readAllLines(log)).containsExactly("result:1,localSales:1");
        try (Child again = Child.start(dir, Map.of(), "--port=0", "--total=5")) {
            assertThat(again.get("/v1/sales/ticket")).contains("\"total\":77", "\"reserved\":1");
            assertThat(again.out()).contains("yours change nothing");
        }
    }

    @Test
    void killed_startedAgain_sameRedisAndSameLevels() throws Exception {
        String[] flags = {"--port=0", "--total=9"};
        long redis;
        try (Child first = Child.start(dir, Map.of(), flags)) {
            first.get("/buy/ticket");
            first.get("/buy/ticket?rid=request-1");
            redis = Signals.pid(dir.resolve("spike-data"));
            first.kill();
        }
        assertThat(ProcessHandle.of(redis)).isPresent();
        try (Child second = Child.start(dir, Map.of(), flags)) {
            assertThat(second.get("/v1/sales/ticket"))
                    .contains("\"available\":7,\"reserved\":2,\"sold\":0");
            assertThat(Signals.pid(dir.resolve("spike-data"))).isEqualTo(redis);
            assertThat(second.get("/buy/ticket?rid=request-1")).contains("\"code\":1");
            assertThat(second.get("/v1/sales/ticket")).contains("\"reserved\":2");
            second.kill();
        }
        Signals.kill(dir.resolve("spike-data"));
        try (Child third = Child.start(dir, Map.of(), flags)) {
            assertThat(third.get("/v1/sales/ticket"))
                    .contains("\"available\":7,\"reserved\":2,\"sold\":0");
            assertThat(Signals.pid(dir.resolve("spike-data"))).isNotEqualTo(redis);
        }
    }

    @Test
    void sameData_secondServer_refused() {
        try (Child first = Child.start(dir, Map.of(), "--port=0")) {
            first.port();
            Child second = Child.start(dir, Map.of(), "--port=0");
            assertExit1(second, "--data");
            assertThat(first.get("/readyz")).isEqualTo("ok");
        }
    }
}
