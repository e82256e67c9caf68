package dev.spike.redis;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import redis.clients.jedis.exceptions.JedisClusterOperationException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Supplier;

/** What is certain about a call that Jedis answers with an error. */
final class Failures {

    /**
     * Error codes that the server answers instead of running a script, so that nothing changed. The
     * same codes from within a script, which the server marks, may come after its first write.
     */
    private static final Set<String> NOT_EXECUTED = Set.of(
            "NOSCRIPT",
            "BUSY",
            "LOADING",
            "READONLY",
            "MASTERDOWN",
            "MISCONF",
            "NOREPLICAS",
            "OOM",
            "TRYAGAIN",
            "CLUSTERDOWN",
            "CROSSSLOT",
            "NOAUTH",
            "WRONGPASS",
            "NOPERM",
            "MOVED",
            "ASK");

    private Failures() {}

    /** Makes the call; an error of Jedis becomes a {@link RemoteSpikeException}. */
    static <T> T translate(Supplier<T> call) {
        try {
            return call.get();
        } catch (JedisException error) {
            throw new RemoteSpikeException(kind(error), message(error), error);
        }
    }

    private static Kind kind(JedisException error) {
        if (error.getCause() instanceof NoSuchElementException) {
            return Kind.NOT_SENT;
        }
        if (error instanceof JedisConnectionException connection) {
            return isConnecting(connection) ? Kind.NOT_EXECUTED : Kind.UNKNOWN;
        }
        // The cluster client hides behind this whether an earlier try of its own was sent.
        if (error instanceof JedisClusterOperationException) {
            return Kind.UNKNOWN;
        }
        if (error instanceof JedisDataException) {
            boolean inScript = String.valueOf(error.getMessage()).contains(", on @user_script:");
            return !inScript && NOT_EXECUTED.contains(code(error))
                    ? Kind.NOT_EXECUTED
                    : Kind.BROKEN;
        }
        return Kind.UNKNOWN;
    }

    /** Whether the connection could not even be made. */
    private static boolean isConnecting(JedisConnectionException error) {
        return String.valueOf(error.getMessage()).startsWith("Failed to connect to")
                || String.valueOf(error.getMessage()).startsWith("Failed to create socket");
    }

    private static String code(JedisException error) {
        String message = String.valueOf(error.getMessage());
        int end = message.indexOf(' ');
        return end < 0 ? message : message.substring(0, end);
    }

    private static String message(JedisException error) {
        Throwable cause = error.getCause();
        return error.getMessage() + (cause == null ? "" : ": " + cause.getMessage());
    }
}
