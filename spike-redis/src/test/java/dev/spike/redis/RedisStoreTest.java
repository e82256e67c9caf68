package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import redis.clients.jedis.HostAndPort;

import java.util.List;
import java.util.Set;

class RedisStoreTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "localhost",
                "http://localhost:6379",
                "redis://",
                "redis://localhost:port",
                "redis://localhost:70000",
                "redis://localhost:6379/first",
                "redis://a:1,b:2",
                "redis+cluster://a:1,b:2/0",
                "redis+sentinel://a:1,b:2",
                "redis+cluster://a:1,,b:2"
            })
    void connect_malformedUri_isNamed(String uri) {
        assertThatThrownBy(() -> RedisStore.connect(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("must ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis://:s3cret@a:1,b:2",
                "redis://u:s3cret@h:port",
                "redis://u:s3cret@h:1/x",
                "redis://:s3cret",
                "redis://u:s3cret",
                "redis://h:1,s3cret",
                "redis+cluster://u:s3cret@h:1/s3cret",
                "s3cret@h:1",
                "redis://u:s3cret%@h:1"
            })
    void connect_malformedUriWithAPassword_keepsItToItself(String uri) {
        assertThatThrownBy(() -> RedisStore.connect(uri)).message().doesNotContain("s3cret");
    }

    @Test
    void uri_eachForm() {
        RedisUri plain = RedisUri.parse("redis://user:p%40ss+w@example.org:7000/3");
        assertThat(plain.hosts()).containsExactly(new HostAndPort("example.org", 7000));
        assertThat(plain.user()).isEqualTo("user");
        assertThat(plain.password()).isEqualTo("p@ss+w");
        assertThat(plain.database()).isEqualTo(3);
        assertThat(plain.toString()).doesNotContain("p@ss");
        assertThat(RedisUri.parse("rediss://[::1]").hosts())
                .containsExactly(new HostAndPort("::1", 6379));
        for (String scheme : List.of(
                "redis",
                "rediss",
                "redis+sentinel",
                "rediss+sentinel",
                "redis+cluster",
                "rediss+cluster")) {
            RedisUri uri =
                    RedisUri.parse(scheme + "://h" + (scheme.endsWith("sentinel") ? "/main" : ""));
            assertThat(uri.scheme()).isEqualTo(scheme);
            assertThat(uri.tls()).isEqualTo(scheme.startsWith("rediss"));
        }
        RedisUri sentinel = RedisUri.parse("redis+sentinel://:secret@a:1,b/main");
        assertThat(sentinel.hosts())
                .isEqualTo(Set.of(new HostAndPort("a", 1), new HostAndPort("b", 26379)));
        assertThat(sentinel.master()).isEqualTo("main");
        assertThat(sentinel.user()).isNull();
    }

    @Test
    void connect_nobodyThere_saysSo() {
        assertThatThrownBy(() -> RedisStore.connect("redis://127.0.0.1:" + RedisServer.freePort()))
                .isInstanceOfSatisfying(
                        RemoteSpikeException.class,
                        e -> assertThat(e.kind()).isEqualTo(Kind.NOT_EXECUTED))
                .hasMessageContaining("Failed to connect");
    }

    @Test
    void connect_serverThatMayEvict_isRefused_andSaysHowToMendIt() {
        try (RedisServer server = RedisServer.start("--maxmemory-policy", "allkeys-lru")) {
            assertThatThrownBy(() -> RedisStore.connect(server.uri()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("maxmemory-policy is allkeys-lru")
                    .hasMessageContaining("maxmemory-policy noeviction");
        }
    }

    @ParameterizedTest
    @CsvSource({"6.2.14, false", "7.0.0, true", "7.2.4, true", "10.1.0, true", "255.255.255, true"})
    void version_before7_isRefused(String version, boolean fit) {
        String info =
                "# Server\r\nredis_version:" + version + "\r\nmaxmemory_policy:noeviction\r\n";
        if (fit) {
            assertThatCode(() -> RedisStore.requireFit(info)).doesNotThrowAnyException();
        } else {
            assertThatThrownBy(() -> RedisStore.requireFit(info))
                    .hasMessage(
                            "Redis 7.0 or later is needed, this one is 6.2.14: upgrade it, or use Valkey");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "7",
                ".7.0",
                "7.",
                "7.x",
                "unstable",
                "99999999999999999999.0.0",
                "-7.0.0",
                "v7.0.0"
            })
    void version_thatIsNoRelease_isRefused_andNamed(String version) {
        String info =
                "# Server\r\nredis_version:" + version + "\r\nmaxmemory_policy:noeviction\r\n";
        assertThatThrownBy(() -> RedisStore.requireFit(info))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Redis 7.0 or later is needed, this one tells no release: "
                        + "redis_version is '" + version + "'. Use a release, or Valkey");
    }

    @Test
    void connect_withThePassword_andWithoutIt() {
        try (RedisServer server = RedisServer.start("--requirepass", "s3cret")) {
            String address = "127.0.0.1:" + server.port();
            RedisStore.connect("redis://:s3cret@" + address).close();
            for (String wrong : new String[] {"redis://", "redis://:wr0ng@"}) {
                assertThatThrownBy(() -> RedisStore.connect(wrong + address))
                        .isInstanceOf(RemoteSpikeException.class)
                        .message()
                        .doesNotContain("s3cret")
                        .doesNotContain("wr0ng");
            }
        }
    }
}
