package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.spike.core.Sale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.Jedis;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** The embedded Redis when it is dead, deaf, in another's place, or cannot have its files. */
@Timeout(120)
final class EmbeddedRedisTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path dir;

    private Path data() {
        return dir.resolve("spike-data");
    }

    private Path redis() throws Exception {
        return Files.createDirectories(data().resolve("redis"));
    }

    private EmbeddedRedis start() {
        return EmbeddedRedis.start(data(), PATIENCE);
    }

    private static String ping(EmbeddedRedis redis) {
        try (Jedis jedis = new Jedis(URI.create(redis.uri()))) {
            return jedis.ping();
        }
    }

    @Test
    void recordedPort_isTakenBySomethingDeaf_anotherIsUsed() throws Exception {
        try (ServerSocket deaf = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(deaf.getLocalPort());
            Files.writeString(redis().resolve("redis.port"), port);
            try (EmbeddedRedis started = start()) {
                assertThat(started.uri()).doesNotEndWith(":" + port);
                assertThat(ping(started)).isEqualTo("PONG");
            }
        }
    }

    @Test
    void recordedPort_isOfAnotherRedis_thatIsLeftAlone(@TempDir Path other) throws Exception {
        try (EmbeddedRedis theirs = EmbeddedRedis.start(other)) {
            String port = theirs.uri().replaceFirst(".*:", "");
            Files.writeString(redis().resolve("redis.port"), port);
            try (EmbeddedRedis ours = start()) {
                assertThat(ours.uri()).isNotEqualTo(theirs.uri());
            }
            assertThat(ping(theirs)).isEqualTo("PONG");
        }
    }

    /** Also as one that was not yet so far that it recorded its process id. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leftBehindAndPaused_startRefusedUntilItAnswers(boolean recorded) throws Exception {
        try (Child child = Child.start(dir, Map.of(), "--port=0", "--orders=none")) {
            assertThat(child.get("/buy/ticket")).contains("\"code\":1");
            child.kill();
        }
        long pid = Signals.pid(data());
        Signals.stop(pid);
        if (!recorded) {
            Files.delete(data().resolve("redis/redis.pid"));
        }
        try {
            assertThatThrownBy(() -> EmbeddedRedis.start(data(), Duration.ofSeconds(2)))
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining("process " + pid)
                    .hasMessageContaining("does not answer");
        } finally {
            Signals.resume(pid);
        }
        try (EmbeddedRedis found = start()) {
            assertThat(ping(found)).isEqualTo("PONG");
            assertThat(ProcessHandle.of(pid)).isPresent();
        }
        assertThat(ProcessHandle.of(pid)).isEmpty();
    }

    /** It tells so at once, and not after a minute of waiting. */
    @Test
    @Timeout(60)
    void filesUnusable_endsAtItsStart_andStartsOnceTheyAreUsable() throws Exception {
        Path inTheWay = Files.writeString(redis().resolve("appendonlydir"), "a file");
        assertThatThrownBy(() -> EmbeddedRedis.start(data(), Duration.ofMinutes(10)))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("ended at its start")
                .hasMessageContaining("redis.log");
        Files.delete(inTheWay);
        try (EmbeddedRedis started = start()) {
            assertThat(ping(started)).isEqualTo("PONG");
        }
    }

    @Test
    void interruptedDuringItsStart_leavesNone() throws Exception {
        Thread starting = new Thread(() -> {
            try (EmbeddedRedis unlikely = start()) {
                assertThat(ping(unlikely)).isEqualTo("PONG");
            } catch (StartException interrupted) {
                assertThat(interrupted).hasMessageContaining("interrupted");
            }
        });
        starting.start();
        await().pollInterval(Duration.ofMillis(1))
                .atMost(PATIENCE)
                .until(() -> Files.exists(data().resolve("redis/redis.port")));
        starting.interrupt();
        starting.join();
        // On its clean end it takes this away.
        assertThat(data().resolve("redis/redis.pid")).doesNotExist();
    }

    @Test
    void close_byAThreadThatIsInterrupted_leavesNone() throws Exception {
        EmbeddedRedis redis = start();
        long pid = Signals.pid(data());
        Thread.currentThread().interrupt();
        redis.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(ProcessHandle.of(pid)).isEmpty();
        assertThat(data().resolve("redis/redis.port")).doesNotExist();
    }

    @Test
    void serverWhoseStartEndsWithAnError_leavesNone() {
        Error broken = new LinkageError("broken");
        Options options = new Options() {
            @Override
            Sale sale() {
                assertThat(data().resolve("redis/redis.pid")).exists();
                throw broken;
            }
        };
        options.port = 0;
        options.data = data();
        assertThatThrownBy(() -> RunningServer.start(options)).isSameAs(broken);
        assertThat(data().resolve("redis/redis.pid")).doesNotExist();
        assertThat(data().resolve("redis/redis.port")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spike-data",
                "spike-data/redis",
                "spike-data/lock/x",
                "spike-data/redis/redis.port/x"
            })
    void directory_cannotBeWritten_oneLineAndNoneLeft(String inTheWay) throws Exception {
        Path path = dir.resolve(inTheWay);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "");
        Child child = Child.start(dir, Map.of(), "--port=0", "--orders=none");
        assertThat(child.exitCode(PATIENCE)).isEqualTo(1);
        assertThat(child.err().lines()).hasSize(1);
        assertThat(child.err()).startsWith("spike-http: ").doesNotContain("\tat ");
        assertThat(child.err()).containsAnyOf("--data", "embedded Redis cannot start");
        assertThat(Files.exists(data().resolve("redis/redis.pid"))).isFalse();
    }

    @Test
    void killedWhileSelling_busyAndNotReady_backWithItsUnitsAfterARestart() throws Exception {
        String[] flags = {"--redis=embedded", "--data=" + data(), "--orders=none", "--total=9"};
        String key = "request-1";
        try (TestServer server = TestServer.start(flags)) {
            assertThat(server.buy("?rid=" + key).body()).contains("\"code\":1");
            // A write is held back while an fsync runs, as one does when the files are new.
            await().atMost(PATIENCE).until(() -> hasWrittenAll(server));
            Signals.kill(data());
            assertThat(server.buy("?rid=request-2").statusCode()).isEqualTo(503);
            await().atMost(PATIENCE).until(() -> server.get("/readyz").statusCode() == 503);
            assertThat(server.get("/healthz").statusCode()).isEqualTo(200);
        }
        try (TestServer server = TestServer.start(flags)) {
            assertThat(server.levels("ticket")).isEqualTo("8 1 0");
            assertThat(server.buy("?rid=" + key).body()).contains("\"code\":1");
            assertThat(server.buy("?rid=request-2").body()).contains("\"code\":1");
            assertThat(server.levels("ticket")).isEqualTo("7 2 0");
            server.assertConserved();
        }
    }

    private static boolean hasWrittenAll(TestServer server) {
        try (Jedis jedis = new Jedis(URI.create(server.redis()))) {
            return jedis.info("persistence").contains("aof_buffer_length:0");
        }
    }
}
