package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.params.ClientKillParams;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Whatever fails, no password and no token is in what the server prints, logs, writes or answers.
 */
@Timeout(180)
final class SecretsTest {

    private static final String REDIS = "redis-S3cret";
    private static final String DATABASE = "database-S3cret";
    private static final String TOKEN = "token-S3cret-0123456789abcdef0123456789";
    private static final Duration START = Duration.ofSeconds(60);

    @TempDir
    Path dir;

    private EmbeddedRedis redis;
    private int port;

    @BeforeEach
    void startRedis() {
        redis = EmbeddedRedis.start(dir.resolve("redis"));
        port = URI.create(redis.uri()).getPort();
        try (Jedis jedis = new Jedis("127.0.0.1", port)) {
            jedis.configSet("requirepass", REDIS);
        }
    }

    @AfterEach
    void stopRedis_andNoSecretAnywhere() throws IOException {
        redis.close();
        try (Stream<Path> files = Files.walk(dir)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.endsWith("token") && !file.endsWith("redis-server")) {
                    assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
                            .as(file.toString())
                            .doesNotContain("S3cret");
                }
            }
        }
    }

    /** With all secrets, and a log of all that anybody has to say. */
    private Child start(String uri) throws IOException {
        Path logback = Files.writeString(dir.resolve("logback.xml"), """
                <configuration>
                  <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
                    <target>System.err</target>
                    <encoder><pattern>%level %logger{0} - %msg%n</pattern></encoder>
                  </appender>
                  <root level="DEBUG"><appender-ref ref="STDERR"/></root>
                </configuration>
                """);
        Path token = Files.writeString(dir.resolve("token"), TOKEN);
        return Child.start(
                dir,
                Map.of(
                        "SPIKE_REDIS",
                        uri,
                        "SPIKE_ORDERS",
                        "jdbc:postgresql://127.0.0.1:1/orders?user=spike&password=" + DATABASE,
                        "SPIKE_ADMIN_TOKEN_FILE",
                        token.toString(),
                        "JAVA_TOOL_OPTIONS",
                        "-Dlogback.configurationFile=" + logback),
                "--port=0",
                "--stat-log=" + dir.resolve("stat.log"));
    }

    @Test
    void cannotStart_whateverTheReason() throws IOException {
        List<String> uris = List.of(
                "redis://:wrong-" + REDIS + "@127.0.0.1:" + port,
                "rediss://:" + REDIS + "@127.0.0.1:" + port,
                "redis://spike:" + REDIS + "@127.0.0.1:1",
                "redis+cluster://:" + REDIS + "@127.0.0.1:" + port,
                "redis+sentinel://:" + REDIS + "@127.0.0.1:" + port + "/master");
        for (String uri : Boolean.getBoolean("spike.slow") ? uris : uris.subList(0, 2)) {
            try (Child child = start(uri)) {
                assertThat(child.exitCode(START)).as(uri + child.err()).isEqualTo(1);
                assertThat(child.err()).contains("spike-http: Redis at ");
            }
        }
    }

    @Test
    void serverThatLosesRedisAndDatabase_andIsAskedWithWrongTokens() throws Exception {
        try (Child child = start("redis://:" + REDIS + "@127.0.0.1:" + port)) {
            assertThat(child.get("/buy/ticket?rid=request-1")).contains("\"code\":1");
            String audit = "/v1/sales/ticket/audit";
            assertThat(admin(child, audit, "Bearer " + TOKEN.substring(1)).statusCode())
                    .isEqualTo(401);
            assertThat(admin(child, audit, TOKEN).body()).doesNotContain("S3cret");
            // The order book is out of reach.
            assertThat(admin(child, audit, "Bearer " + TOKEN).statusCode()).isEqualTo(503);
            await().atMost(START).until(() -> child.err().contains("the order sink is away"));

            try (Jedis jedis = new Jedis("127.0.0.1", port)) {
                jedis.auth(REDIS);
                jedis.configSet("requirepass", "another");
                jedis.clientKill(new ClientKillParams()
                        .type(ClientType.NORMAL)
                        .skipMe(ClientKillParams.SkipMe.YES));
                await().atMost(START)
                        .until(() ->
                                child.get("/buy/ticket?rid=request-2").contains("\"code\":-2"));
                assertThat(admin(child, audit, "Bearer " + TOKEN).body()).doesNotContain("S3cret");
                await().atMost(START).until(() -> child.err().contains("WRONGPASS"));
            }
            child.terminate();
            assertThat(child.exitCode(START)).isZero();
            assertThat(child.out()).contains("(with the token)");
        }
    }

    private static HttpResponse<String> admin(Child child, String path, String authorization)
            throws Exception {
        Matcher found = Pattern.compile("Admin: (http://[^/]+)").matcher(child.out());
        assertThat(found.find()).isTrue();
        HttpRequest request = HttpRequest.newBuilder(URI.create(found.group(1) + path))
                .method("GET", BodyPublishers.noBody())
                .header("Authorization", authorization)
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }
}
