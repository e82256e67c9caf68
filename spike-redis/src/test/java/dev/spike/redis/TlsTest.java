package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import redis.clients.jedis.Protocol.Command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Over TLS a server is trusted only if its certificate is fit, and a failure says what to do. */
@Timeout(120)
class TlsTest {

    private static final String PASSWORD = "s3cret";

    @TempDir
    static Path directory;

    private static Certificates certificates;

    private final List<AutoCloseable> started = new ArrayList<>();

    @BeforeAll
    static void makeCertificates() throws Exception {
        certificates = new Certificates(directory);
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = started.size() - 1; i >= 0; i--) {
            started.get(i).close();
        }
    }

    private <T extends AutoCloseable> T begun(T part) {
        started.add(part);
        return part;
    }

    private static String[] trusting() throws Exception {
        return new String[] {
            "-Djavax.net.ssl.trustStore=" + certificates.trustStore(),
            "-Djavax.net.ssl.trustStorePassword=" + Certificates.PASSWORD
        };
    }

    /** What a node in a JVM of its own says, a line for each URI; and it never says a secret. */
    private static List<String> sell(String[] properties, String... uris) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(properties));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(TlsClient.class.getName());
        command.addAll(List.of(uris));
        Path err = directory.resolve("err");
        Process process =
                new ProcessBuilder(command).redirectError(err.toFile()).start();
        String said = new String(process.getInputStream().readAllBytes());
        process.onExit().join();
        assertThat(said).doesNotContain(PASSWORD).doesNotContain(Certificates.PASSWORD);
        assertThat(err).content().doesNotContain(PASSWORD, Certificates.PASSWORD);
        List<String> lines = said.lines()
                .filter(line -> line.startsWith(TlsClient.SAYS))
                .map(line -> line.substring(TlsClient.SAYS.length()))
                .toList();
        assertThat(lines).as(said).hasSize(uris.length);
        return lines;
    }

    private static String uri(String scheme, int port) {
        return scheme + "://:" + PASSWORD + "@127.0.0.1:" + port;
    }

    private int tlsPort(String alias, RedisServer server) throws Exception {
        return begun(TlsPort.open(certificates.server(alias), server.port())).port();
    }

    @Test
    void certificate_fitOrNot_decides_andTheFailureSaysWhatToDo() throws Exception {
        RedisServer server = begun(RedisServer.start("--requirepass", PASSWORD));
        int fit = tlsPort("fit", server);
        int plain = server.port();
        List<String> said = sell(
                trusting(),
                uri("rediss", fit),
                "rediss://:" + PASSWORD + "@localhost:" + fit,
                uri("rediss", tlsPort("another-host", server)),
                uri("rediss", tlsPort("expired", server)),
                uri("rediss", plain),
                uri("redis", fit),
                uri("redis", plain));
        assertThat(said.get(0)).isEqualTo("RESERVED");
        assertThat(said.get(1)).isEqualTo("RESERVED");
        assertThat(said.get(2)).contains("is for another name");
        assertThat(said.get(3)).contains("has expired");
        assertThat(said.get(4)).contains("does not speak TLS at this port", "it is redis://");
        assertThat(said.get(5)).contains("speaks TLS at this port", "it is rediss://");
        assertThat(said.get(6)).isEqualTo("RESERVED");
        assertThat(said.subList(2, 6))
                .allSatisfy(line -> assertThat(line).startsWith("RemoteSpikeException: "));
    }

    @Test
    void caThatIsNotTrusted_isRefused() throws Exception {
        RedisServer server = begun(RedisServer.start("--requirepass", PASSWORD));
        assertThat(sell(new String[0], uri("rediss", tlsPort("fit", server))).get(0))
                .contains("nobody whom this JVM trusts", "-Djavax.net.ssl.trustStore");
    }

    @Test
    void clientCertificate_wanted_isTheOneOfTheKeyStore() throws Exception {
        RedisServer server = begun(RedisServer.start("--requirepass", PASSWORD));
        TlsPort port =
                begun(TlsPort.wantingClientCertificates(certificates.server("fit"), server.port()));
        String uri = uri("rediss", port.port());
        assertThat(sell(trusting(), uri).get(0))
                .contains("wants a certificate of the client", "-Djavax.net.ssl.keyStore");
        List<String> properties = new ArrayList<>(List.of(trusting()));
        properties.add("-Djavax.net.ssl.keyStore=" + certificates.keyStore("another-host"));
        properties.add("-Djavax.net.ssl.keyStorePassword=" + Certificates.PASSWORD);
        assertThat(sell(properties.toArray(String[]::new), uri)).containsExactly("RESERVED");
    }

    @Test
    void clusterAndSentinel_overTls_sell() throws Exception {
        int clusterPort = RedisServer.freePort();
        RedisServer node = begun(RedisServer.start(
                "--cluster-enabled",
                "yes",
                "--cluster-announce-ip",
                "127.0.0.1",
                "--cluster-announce-port",
                Integer.toString(clusterPort)));
        node.jedisDo(jedis -> {
            jedis.sendCommand(Command.CLUSTER, "ADDSLOTSRANGE", "0", "16383");
            OrderRelayCase.await().until(() -> jedis.clusterInfo().contains("cluster_state:ok"));
        });
        begun(TlsPort.alsoPlain(certificates.server("fit"), clusterPort, node.port()));
        RedisServer master = begun(RedisServer.start());
        TlsPort masterPort = begun(TlsPort.alsoPlain(certificates.server("fit"), 0, master.port()));
        RedisServer sentinel = begun(RedisServer.startSentinel(masterPort.port()));
        String[] uris = {
            "rediss+cluster://127.0.0.1:" + clusterPort,
            "rediss+sentinel://127.0.0.1:" + tlsPort("fit", sentinel) + "/master"
        };
        assertThat(sell(trusting(), uris)).containsExactly("RESERVED", "RESERVED");
        if (Boolean.getBoolean("spike.slow")) {
            List<String> untrusting = sell(new String[0], uris);
            assertThat(untrusting.get(0)).contains("nobody whom this JVM trusts");
            assertThat(untrusting.get(1)).contains("with a trusted certificate");
        }
    }
}
