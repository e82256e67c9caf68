package dev.spike.redis;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What Redis lets the user do. A sale must not find out, one command at a time, that something is
 * missing; so all is asked for at the start, by {@code check.lua}.
 */
final class Permissions {

    private static final Script CHECK = Script.of("check.lua");

    /** Stands for any key of any sale; no sale is opened under it. */
    private static final String ANY_KEY = "spike:{check}:stock";

    private static final Pattern REFUSED = Pattern.compile("NOPERM .*'([\\w|]+)' command");

    private Permissions() {}

    /**
     * Asks a server.
     *
     * @throws IllegalStateException if the user may not do all that is needed with the keys of
     *     sales; the message says what is missing
     */
    static void require(Connection server) {
        require(server, ANY_KEY, "");
    }

    /** As {@link #require(Connection)}, for another key. */
    static void require(Connection server, String key) {
        require(server, key, "");
    }

    /** As {@link #require(Connection)}, and to wait for replicas. */
    static void requireWithReplicas(Connection server) {
        require(server, ANY_KEY, "1");
    }

    private static void require(Connection server, String key, String withReplicas) {
        List<?> missing;
        try {
            missing = (List<?>) server.executeCommand(new CommandArguments(Command.EVAL)
                    .add(CHECK.source())
                    .add("0")
                    .add(key)
                    .add(withReplicas));
        } catch (JedisDataException refused) {
            throw explained(refused);
        }
        if (!missing.isEmpty()) {
            throw missing(
                    missing.stream().map(Replies::text).collect(Collectors.joining(" ")), null);
        }
    }

    /** The same, or, if a command was refused to the user, what to do about it. */
    static RuntimeException explained(RuntimeException failure) {
        Matcher refused = REFUSED.matcher(Failures.everything(failure));
        return refused.find() ? missing("+" + refused.group(1), failure) : failure;
    }

    private static IllegalStateException missing(String rules, @Nullable Throwable cause) {
        return new IllegalStateException(
                "Redis does not let this user do all that is needed: ACL SETUSER user "
                        + rules.replace(ANY_KEY, "spike:*")
                        + ", on each server; docs/redis.md has the whole line",
                cause);
    }

    /**
     * Whether a command of a script was refused to the user. Then the script changed nothing: it
     * asks itself for what comes after its first write.
     */
    static boolean isRefusedInScript(String message) {
        // Redis 7.0; later ones, and Valkey.
        return message.contains("The user executing the script can't")
                || message.contains("ACL failure in script");
    }
}
