package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A CA of our own and certificates that it signed, made with the JDK's {@code keytool}. */
final class Certificates {

    static final String PASSWORD = "keys-secret";

    private final Path directory;
    private final KeyStore keys;

    /** Each alias: a certificate of that kind. */
    Certificates(Path directory) throws IOException, GeneralSecurityException {
        this.directory = directory;
        Path store = directory.resolve("keys.p12");
        make(store, "ca", "-ext", "bc:c");
        sign(store, "fit", "san=ip:127.0.0.1,dns:localhost");
        sign(store, "another-host", "san=dns:redis.example.org");
        sign(store, "expired", "san=ip:127.0.0.1", "-startdate", "-3d", "-validity", "1");
        this.keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
    }

    private static void sign(Path store, String alias, String names, String... more)
            throws IOException {
        List<String> args = new ArrayList<>(List.of("-signer", "ca", "-ext", names));
        args.addAll(List.of(more));
        make(store, alias, args.toArray(String[]::new));
    }

    private static void make(Path store, String alias, String... more) throws IOException {
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        List<String> command = new ArrayList<>(List.of(keytool, "-J-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
        command.addAll(List.of("-alias", alias, "-dname", "CN=" + alias));
        command.addAll(List.of(more));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.onExit().join().exitValue()).as(said).isZero();
    }

    /** A file with the CA's certificate, as operators would make it. */
    Path trustStore() throws IOException, GeneralSecurityException {
        KeyStore trust = empty();
        trust.setCertificateEntry("ca", keys.getCertificate("ca"));
        return write(trust, "trust.p12");
    }

    /** A file with the key and certificate of this alias. */
    Path keyStore(String alias) throws IOException, GeneralSecurityException {
        return write(only(alias), alias + ".p12");
    }

    private Path write(KeyStore store, String name) throws IOException, GeneralSecurityException {
        Path file = directory.resolve(name);
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, PASSWORD.toCharArray());
        }
        return file;
    }

    private static KeyStore empty() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private KeyStore only(String alias) throws IOException, GeneralSecurityException {
        char[] password = PASSWORD.toCharArray();
        Certificate[] chain = keys.getCertificateChain(alias);
        KeyStore store = empty();
        store.setKeyEntry(alias, keys.getKey(alias, password), password, chain);
        return store;
    }

    /** What a server needs that has this certificate, and trusts clients of the CA. */
    SSLContext server(String alias) throws IOException, GeneralSecurityException {
        KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
        own.init(only(alias), PASSWORD.toCharArray());
        KeyStore trust = empty();
        trust.setCertificateEntry("ca", keys.getCertificate("ca"));
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        trusted.init(trust);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }
}
