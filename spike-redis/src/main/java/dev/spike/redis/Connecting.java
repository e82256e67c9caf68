package dev.spike.redis;

import dev.spike.core.RemoteSpikeException;

import redis.clients.jedis.exceptions.JedisException;

import java.util.Locale;

/** Says what to do about a connection that could not be made. */
final class Connecting {

    private static final String CLIENT_CERTIFICATE =
            "perhaps the server wants a certificate of the client that it trusts; give it with "
                    + "-Djavax.net.ssl.keyStore, see docs/redis.md";

    private Connecting() {}

    /** What {@link RedisStore#connect} throws. No password is in it. */
    static RuntimeException explained(RedisUri uri, JedisException failure) {
        RuntimeException refused = Permissions.explained(failure);
        if (refused != failure) {
            return refused;
        }
        RemoteSpikeException translated = Failures.asRemote(failure);
        String all = Failures.everything(failure).toLowerCase(Locale.ROOT);
        String advice = all.contains("sentinels down")
                ? "are they Sentinels that let this in, and do they speak TLS, with a trusted "
                        + "certificate, just if it is rediss+sentinel://? redis.clients.jedis logs why"
                : uri.tls() ? overTls(uri, all) : plain(uri, all);
        return advice.isEmpty()
                ? translated
                : new RemoteSpikeException(
                        translated.kind(), translated.getMessage() + ": " + advice, failure);
    }

    private static String overTls(RedisUri uri, String failure) {
        if (failure.contains("certificateexpired") || failure.contains("notafter")) {
            return "the certificate of the server has expired, renew it";
        } else if (failure.contains("subject alternative")
                || failure.contains("no name matching")) {
            return "the certificate of the server is for another name, name the host as it does";
        } else if (failure.contains("certification path") || failure.contains("trustanchors")) {
            return "nobody whom this JVM trusts has signed the certificate of the server; give the "
                    + "CA's with -Djavax.net.ssl.trustStore, see docs/redis.md";
        } else if (failure.contains("certificate_required")
                || failure.contains("bad_certificate")) {
            return CLIENT_CERTIFICATE;
        } else if (failure.contains("ssl message")
                || failure.contains("handshake")
                || failure.contains("read timed out")) {
            // Redis waits for the end of what it takes for a command.
            return "perhaps it does not speak TLS at this port; without TLS it is "
                    + uri.scheme().replace("rediss", "redis") + "://";
        } else if (failure.contains("reset")
                || failure.contains("broken pipe")
                || failure.contains("end of stream")) {
            // The alert may be overtaken by the end of the connection.
            return CLIENT_CERTIFICATE;
        }
        return "";
    }

    private static String plain(RedisUri uri, String failure) {
        // Redis just hangs up; others send a TLS alert first.
        return failure.contains("end of stream")
                        || failure.contains("connection reset")
                        || failure.contains("unknown reply")
                ? "perhaps it speaks TLS at this port, then it is "
                        + uri.scheme().replace("redis", "rediss") + "://"
                : "";
    }
}
