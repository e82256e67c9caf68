package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.spike.core.Sale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import picocli.CommandLine;

import redis.clients.jedis.Jedis;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

final class OptionsTest {

    private static Options parse(Map<String, String> environment, String... flags) {
        CommandLine parser = Options.commandLine(environment);
        parser.parseArgs(flags);
        Options options = parser.getCommand();
        options.check();
        return options;
    }

    @Test
    void nothingGiven_defaults() {
        Options options = parse(Map.of());
        assertThat(options.port).isEqualTo(3005);
        assertThat(options.host).isEqualTo("0.0.0.0");
        assertThat(options.adminPort()).isEqualTo(13005);
        assertThat(options.adminHost).isEqualTo("127.0.0.1");
        assertThat(options.watchers()).isEqualTo(1000);
        assertThat(options.redis).isEqualTo("embedded");
        assertThat(options.redisReplicas).isZero();
        assertThat(options.data).isEqualTo(Path.of("./spike-data"));
        assertThat(options.sale().id()).isEqualTo("ticket");
        assertThat(options.sale().total()).isEqualTo(10_000);
        assertThat(options.sale().perBuyer()).isZero();
        assertThat(options.sale().hold()).isEqualTo(Duration.ofMinutes(5));
        assertThat(options.sale().maxHold()).isEqualTo(Duration.ofMinutes(10));
        assertThat(options.sale().opensAt()).isNull();
        assertThat(options.sale().closesAt()).isNull();
        assertThat(options.orders).isNull();
        assertThat(options.orderBacklog).isEqualTo(1_000_000);
        assertThat(options.nodes).isEqualTo(1);
        assertThat(options.buffer).isEqualTo(0.5);
        assertThat(options.quota).isZero();
        assertThat(options.statLog).isNull();
        assertThat(options.accessLog).isNull();
        assertThat(options.adopt).isNull();
    }

    @Test
    void flagAndEnvironment_flagWins() {
        Map<String, String> environment =
                Map.of("SPIKE_PORT", "4000", "SPIKE_TOTAL", "7", "SPIKE_PER_BUYER", "");
        Options options = parse(environment, "--port", "5000");
        assertThat(options.port).isEqualTo(5000);
        assertThat(options.adminPort()).isEqualTo(15000);
        assertThat(options.total).isEqualTo(7);
        assertThat(options.perBuyer).isZero();
    }

    @Test
    void everyFlag_hasItsVariable() {
        for (var option : Options.commandLine(Map.of()).getCommandSpec().options()) {
            String flag = option.longestName();
            if (option.usageHelp() || option.versionHelp()) {
                continue;
            }
            String name = "SPIKE_" + flag.substring(2).replace('-', '_').toUpperCase(Locale.ROOT);
            CommandLine parser = Options.commandLine(Map.of(name, "31"));
            parser.setTrimQuotes(false);
            if (option.type() == Duration.class || option.type() == Instant.class) {
                assertThatThrownBy(parser::parseArgs).hasMessageContaining(flag);
            } else {
                parser.parseArgs();
                Object value = parser.getCommandSpec().findOption(flag).getValue();
                assertThat(String.valueOf(value)).as(name).startsWith("31");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"500ms,PT0.5S", "30s,PT30S", "5m,PT5M", "2h,PT2H", "PT90S,PT1M30S", "P1D,PT24H"})
    void hold_everyForm_read(String text, Duration hold) {
        assertThat(parse(Map.of(), "--hold", text).hold).isEqualTo(hold);
    }

    @Test
    void opensAndClosesAt_withTheirOffset_areRulesOfTheSale() {
        Sale sale = parse(
                        Map.of("SPIKE_CLOSES_AT", "2030-02-01T00:00:00.5Z"),
                        "--opens-at=2030-01-31T10:00:00+08:00")
                .sale();
        assertThat(sale.opensAt()).isEqualTo(Instant.parse("2030-01-31T02:00:00Z"));
        assertThat(sale.closesAt()).isEqualTo(Instant.parse("2030-02-01T00:00:00.500Z"));
    }

    @Test
    void closesAt_notAfterOpensAt_refused() {
        assertThatThrownBy(() -> parse(
                        Map.of(),
                        "--opens-at=2030-01-31T10:00:00Z",
                        "--closes-at=2030-01-31T10:00:00.0009Z"))
                .hasMessage("must be at least a millisecond after --opens-at: "
                        + "--closes-at=2030-01-31T10:00:00.000900Z");
    }

    @ParameterizedTest
    @CsvSource({
        "--port,65536",
        "--port,-1",
        "--admin-port,70000",
        "--port,60000",
        "--sale,a.b",
        "--sale,''",
        "--total,-1",
        "--total,1000000001",
        "--per-buyer,-1",
        "--hold,0s",
        "--hold,367h0",
        "--hold,5",
        "--hold,m",
        "--hold,99999999999999999h",
        "--hold,P400D",
        "--max-hold,299s",
        "--max-hold,P400D",
        "--opens-at,tomorrow",
        "--opens-at,2030-01-31",
        "--opens-at,2030-01-31T10:00:00",
        "--opens-at,2030-13-31T10:00:00Z",
        "--opens-at,+1000000000-01-01T00:00:00Z",
        "--closes-at,1893456000",
        "--closes-at,1969-12-31T23:59:59Z",
        "--closes-at,9999-12-31T00:00:00Z",
        "--connections,0",
        "--watchers,-1",
        "--watchers,5001",
        "--order-backlog,0",
        "--nodes,0",
        "--buffer,-1",
        "--buffer,NaN",
        "--quota,-1",
        "--redis,other",
        "--redis-replicas,-1",
        "--redis-replicas,1",
        "--admin-host,0.0.0.0",
        "--admin-token-file,/nonexistent/token",
        "--port,x",
        "--total,1.5"
    })
    void value_wrong_oneLineNamesTheFlag(String flag, String value) {
        assertThatThrownBy(() -> parse(Map.of(), flag, value))
                .satisfies(wrong -> assertThat(wrong.getMessage())
                        .contains(
                                flag.equals("--port") && value.equals("60000")
                                        ? "--admin-port"
                                        : flag)
                        .doesNotContain("\n"));
    }

    @Test
    void watchers_moreThanHalfOfTheConnections_refused_andFewerByDefault() {
        assertThatThrownBy(() -> parse(Map.of(), "--connections=21", "--watchers=11"))
                .hasMessage("must be 0 to half of --connections=21: --watchers=11");
        assertThat(parse(Map.of(), "--connections=21", "--watchers=10").watchers())
                .isEqualTo(10);
        assertThat(parse(Map.of(), "--connections=21").watchers()).isEqualTo(10);
    }

    @Test
    void adopt_withoutRedis_refused() {
        assertThatThrownBy(() -> parse(Map.of(), "--redis=none", "--adopt=ticket_hash_key"))
                .hasMessageContaining("--adopt");
    }

    @Test
    void adminHost_notLoopback_needsALongToken(@TempDir Path dir) throws Exception {
        Path token = Files.writeString(dir.resolve("short"), "0123456789abcdef0123456789abcde");
        String[] flags = {"--admin-host=0.0.0.0", "--admin-token-file=" + token};
        assertThatThrownBy(() -> parse(Map.of(), flags))
                .hasMessageContaining("--admin-token-file")
                .hasMessageNotContaining("0123456789abcdef");
        Files.writeString(token, "0123456789abcdef0123456789abcdef\n");
        assertThat(parse(Map.of(), flags).adminToken).hasSize(32);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0123456789abcdef 0123456789abcdef",
                "0123456789abcdef0123456789abcd\u00e9f",
                "0123456789abcdef\n0123456789abcdef"
            })
    void adminToken_thatNoHeaderCarriesAsItIs_refused(String text, @TempDir Path dir)
            throws Exception {
        Path token = Files.writeString(dir.resolve("token"), text);
        assertThatThrownBy(() -> parse(Map.of(), "--admin-token-file=" + token))
                .hasMessageContaining("--admin-token-file")
                .hasMessageNotContaining("0123456789abcdef");
    }

    @ParameterizedTest
    @CsvSource({
        "--redis,:secret@127.0.0.1:6379",
        "--redis,redis://user:secret",
        "--redis,redis://secret@host",
        "--redis,redis+cluster://user:secret@host/1",
        "--redis,secret://host",
        "--redis,secret@redis://host",
        "--admin-token-file,secret"
    })
    void value_wrongAndPerhapsASecret_isNotShown(String flag, String value) {
        assertThatThrownBy(() -> Store.open(parse(Map.of(), flag, value)).close())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(flag)
                .hasMessageNotContaining("secret");
    }

    @Test
    void redisReplicas_fewerThanAsked_saysHowMany(@TempDir Path dir) {
        try (EmbeddedRedis redis = EmbeddedRedis.start(dir);
                Store store = Store.open(
                        parse(Map.of(), "--redis=" + redis.uri(), "--redis-replicas=2"))) {
            assertThatThrownBy(() -> store.sales().apply("ticket").open(Sale.of("ticket", 1)))
                    .hasMessage("only 0 of 2 replicas have it");
        }
    }

    @Test
    void redisReplicas_userThatMayNotWait_isToldAtTheStart(@TempDir Path dir) {
        try (EmbeddedRedis redis = EmbeddedRedis.start(dir);
                Jedis jedis = new Jedis(URI.create(redis.uri()))) {
            jedis.aclSetUser("limited", "on", ">secret", "~*", "&*", "+@all", "-wait");
            String uri = redis.uri().replace("://", "://limited:secret@");
            String[] flags = {"--redis=" + uri, "--data=" + dir, "--orders=none"};
            TestServer.start(flags).close();
            String[] replicated = Arrays.copyOf(flags, 4);
            replicated[3] = "--redis-replicas=1";
            assertThatThrownBy(() -> TestServer.start(replicated))
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining("--redis-replicas 1: ")
                    .hasMessageContaining("ACL SETUSER user +wait, on each server")
                    .hasMessageNotContaining("secret");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "redis://host,redis://host",
        "redis://host:1/2,redis://host:1/2",
        "rediss://[::1]:1,rediss://[::1]:1",
        "redis://user:p%40ss:word@host:1/2,redis://***@host:1/2",
        "redis://:secret@host:1,redis://***@host:1",
        "'redis+sentinel://:secret@a:1,b/main','redis+sentinel://***@a:1,b/main'",
        "'rediss+cluster://user:secret@a-1.b:1,c:2','rediss+cluster://***@a-1.b:1,c:2'"
    })
    void withoutSecrets_wellFormedUri_withoutUserAndPassword(String uri, String shown) {
        assertThat(Store.withoutSecrets(uri)).isEqualTo(shown);
    }

    @ParameterizedTest
    @CsvSource({
        "'',***",
        "secret,***",
        ":secret@host:1,***",
        "user:secret@host:1,***",
        "secret://host:1,***",
        "secret@redis://host:1,***",
        "redis:/secret@host,***",
        "://secret@host,***",
        "redis://,redis://***",
        "redis://user:secret,redis://***",
        "redis://secret@host,redis://***",
        "redis://user:p@ss/secret@host:1,redis://***",
        "redis://user:x@secret@host:1,redis://***",
        "redis://user:x@host:1/secret,redis://***",
        "redis://host:1?password=secret,redis://***",
        "'redis://host:1,secret',redis://***",
        "redis+sentinel://user:secret,redis+sentinel://***",
        "redis+sentinel://user:secret@host:1,redis+sentinel://***",
        "rediss+cluster://user:x@host:1/secret,rediss+cluster://***",
        "redis+secret://host,***"
    })
    void withoutSecrets_malformedUri_showsNoMoreThanItsScheme(String uri, String shown) {
        assertThat(Store.withoutSecrets(uri)).isEqualTo(shown);
    }

    /** Also where nobody has checked the options before. */
    @ParameterizedTest
    @ValueSource(strings = {"", "secret", "secret@host:1", "secret://host:1", "redis:/secret"})
    void redis_noUriAtAll_isNamedAndNotShown(String value) {
        Options options = new Options();
        options.redis = value;
        assertThatThrownBy(() -> Store.open(options))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("--redis=***");
    }
}
