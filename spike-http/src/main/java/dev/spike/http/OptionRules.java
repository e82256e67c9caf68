package dev.spike.http;

import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;

/** What the options must be, beyond what their types say; each refusal is a line about one flag. */
final class OptionRules {

    private static final int LEAST_TOKEN_BYTES = 32;
    private static final Duration LONGEST_HOLD = Duration.ofDays(366);

    private final Options options;

    OptionRules(Options options) {
        this.options = options;
    }

    /** Also reads the token. */
    void check() {
        checkListeners();
        checkSale();
        checkStock();
        checkAdmin();
    }

    private void checkListeners() {
        range("--port", options.port, 0, 65_535);
        require(
                options.adminPort != null || options.port <= 65_535 - Options.ADMIN_PORT_DISTANCE,
                "--admin-port",
                "given when --port is above 55535",
                "none");
        range("--admin-port", options.adminPort(), 0, 65_535);
        range("--connections", options.connections, 1, 1_000_000);
        // Each keeps a connection, and buyers need the others.
        require(
                options.watchers() >= 0 && options.watchers() <= options.connections / 2,
                "--watchers",
                "0 to half of --connections=" + options.connections,
                options.watchers());
    }

    private void checkSale() {
        require(
                options.saleId.matches("[A-Za-z0-9_-]{1,64}"),
                "--sale",
                "1 to 64 of A-Z a-z 0-9 _ -",
                options.saleId);
        range("--total", options.total, 0, Sale.MAX_TOTAL);
        range("--per-buyer", options.perBuyer, 0, Integer.MAX_VALUE);
        require(
                options.hold.compareTo(Duration.ofMillis(1)) >= 0
                        && options.hold.compareTo(LONGEST_HOLD) <= 0,
                "--hold",
                "1ms to 366 days",
                options.hold);
        require(
                options.maxHold == null
                        || options.maxHold.compareTo(options.hold) >= 0
                                && options.maxHold.compareTo(LONGEST_HOLD) <= 0,
                "--max-hold",
                "at least --hold and at most 366 days",
                options.maxHold);
        requireInstant("--opens-at", options.opensAt);
        requireInstant("--closes-at", options.closesAt);
        require(
                options.opensAt == null
                        || options.closesAt == null
                        || options.opensAt.toEpochMilli() < options.closesAt.toEpochMilli(),
                "--closes-at",
                "at least a millisecond after --opens-at",
                options.closesAt);
    }

    private void checkStock() {
        range("--order-backlog", options.orderBacklog, 1, Long.MAX_VALUE);
        require(
                options.orders == null
                        || !options.redis.equals("none")
                        || options.orders.equals("none"),
                "--orders",
                "used with a Redis, not with --redis none",
                "***");
        range("--nodes", options.nodes, 1, 100_000);
        require(
                options.buffer >= 0 && options.buffer <= 100,
                "--buffer",
                "0 to 100",
                options.buffer);
        range("--quota", options.quota, 0, Sale.MAX_TOTAL);
        require(
                options.redis.equals("embedded")
                        || options.redis.equals("none")
                        || options.redis.contains("://"),
                "--redis",
                "embedded, none or the URI of a server",
                // It may be one without its start, and with a password.
                "***");
        require(
                options.adopt == null || !options.redis.equals("none"),
                "--adopt",
                "used with a Redis, not with --redis none",
                options.adopt);
        require(
                options.redisReplicas >= 0
                        && options.redisReplicas <= 100
                        && (options.redisReplicas == 0 || options.redis.contains("://")),
                "--redis-replicas",
                "0 to 100, and 0 unless --redis is the URI of a server",
                options.redisReplicas);
    }

    private void checkAdmin() {
        if (options.adminTokenFile == null) {
            require(
                    isLoopback(options.adminHost),
                    "--admin-host",
                    "a loopback address unless --admin-token-file is given",
                    options.adminHost);
            return;
        }
        try {
            options.adminToken = Files.readString(options.adminTokenFile, StandardCharsets.US_ASCII)
                    .strip();
        } catch (IOException unreadable) {
            // Not shown: whoever takes it for the token's flag has given the token.
            throw invalid("--admin-token-file", "a readable file of ASCII text", "***");
        }
        require(
                options.adminToken.length() >= LEAST_TOKEN_BYTES
                        && options.adminToken.chars().allMatch(c -> c > 0x20 && c < 0x7f),
                "--admin-token-file",
                "a token of at least 32 visible ASCII characters",
                options.adminTokenFile);
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    private static void range(String flag, long value, long least, long most) {
        require(value >= least && value <= most, flag, least + " to " + most, value);
    }

    private static void requireInstant(String flag, @Nullable Instant instant) {
        try {
            Sale.of("any", 0).withOpening(instant, null);
        } catch (IllegalArgumentException outOfRange) {
            throw invalid(flag, "from 1970 to 9999", instant);
        }
    }

    private static void require(boolean valid, String flag, String rule, @Nullable Object value) {
        if (!valid) {
            throw invalid(flag, rule, value);
        }
    }

    private static IllegalArgumentException invalid(
            String flag, String rule, @Nullable Object value) {
        return new IllegalArgumentException("must be " + rule + ": " + flag + "=" + value);
    }
}
