package dev.spike.redis;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.HostAndPort;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the shared stock is, and as whom to go there. Its text form keeps the password to itself.
 */
record RedisUri(
        Kind kind,
        boolean tls,
        Set<HostAndPort> hosts,
        @Nullable String user,
        @Nullable String password,
        String master,
        int database) {

    enum Kind {
        STANDALONE,
        SENTINEL,
        CLUSTER
    }

    private static final String FORMS =
            "must be redis://host:port[/database], redis+sentinel://host:port,host:port/master "
                    + "or redis+cluster://host:port,host:port, with rediss instead of redis over TLS, "
                    + "and with [user]:password@ before the first host if needed";

    private static final Pattern FORM = Pattern.compile(
            "(?<scheme>rediss?)(?<kind>\\+sentinel|\\+cluster)?://"
                    + "(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^@/]+)(?:/(?<path>[^/?#@]*))?");

    static RedisUri parse(String uri) {
        Matcher form = FORM.matcher(uri);
        if (!form.matches()) {
            throw new IllegalArgumentException(FORMS);
        }
        Kind kind = form.group("kind") == null
                ? Kind.STANDALONE
                : form.group("kind").equals("+cluster") ? Kind.CLUSTER : Kind.SENTINEL;
        Set<HostAndPort> hosts = new LinkedHashSet<>();
        for (String host : form.group("hosts").split(",", -1)) {
            hosts.add(host(host, kind));
        }
        String path = form.group("path") == null ? "" : form.group("path");
        require(
                kind != Kind.STANDALONE || hosts.size() == 1,
                "one host; for several use redis+cluster");
        require(kind != Kind.CLUSTER || path.isEmpty(), "no path, for a cluster");
        require(kind != Kind.SENTINEL || !path.isEmpty(), "/master at the end, for Sentinel");
        require(kind != Kind.STANDALONE || path.matches("\\d{0,4}"), "a number as database");
        String user = form.group("user");
        String password = form.group("password");
        return new RedisUri(
                kind,
                form.group("scheme").equals("rediss"),
                hosts,
                user == null || user.isEmpty() ? null : decode(user),
                password == null ? null : decode(password),
                kind == Kind.SENTINEL ? path : "",
                kind == Kind.STANDALONE && !path.isEmpty() ? Integer.parseInt(path) : 0);
    }

    private static HostAndPort host(String text, Kind kind) {
        int colon = text.lastIndexOf(':');
        boolean bare = colon < 0 || text.endsWith("]");
        String host = bare ? text : text.substring(0, colon);
        String port = bare ? (kind == Kind.SENTINEL ? "26379" : "6379") : text.substring(colon + 1);
        if (host.isEmpty() || !port.matches("\\d{1,5}") || Integer.parseInt(port) > 65_535) {
            // Not shown: what is wrong may be that a password is where the host should be.
            throw new IllegalArgumentException("must have a host and its port. The whole " + FORMS);
        }
        return new HostAndPort(host.replaceAll("[\\[\\]]", ""), Integer.parseInt(port));
    }

    private static void require(boolean valid, String rule) {
        if (!valid) {
            throw new IllegalArgumentException("must have " + rule + ". The whole " + FORMS);
        }
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException badPercent) {
            throw new IllegalArgumentException(
                    "must be percent-encoded: user and password. " + FORMS);
        }
    }

    /** {@code redis}, {@code rediss+cluster}, and so on. */
    String scheme() {
        return (tls ? "rediss" : "redis")
                + switch (kind) {
                    case STANDALONE -> "";
                    case SENTINEL -> "+sentinel";
                    case CLUSTER -> "+cluster";
                };
    }

    /** Without the password. */
    @Override
    public String toString() {
        return kind + " " + hosts + (master.isEmpty() ? "" : " " + master);
    }
}
