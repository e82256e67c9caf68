package dev.spike.redis;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

import java.util.NoSuchElementException;
import java.util.function.Supplier;

/** What is certain about a call that Jedis answers with an error. */
final class Failures {

    /** How the errors begin that the scripts of this package answer themselves. */
    private static final String FROM_SCRIPT = "SPIKE ";

    private Failures() {}

    /** Makes the call; an error of Jedis becomes a {@link RemoteSpikeException}. */
    static <T> T translate(UnifiedJedis jedis, Supplier<T> call) {
        try {
            return call.get();
        } catch (JedisException error) {
            leaveReplica(jedis, error);
            throw new RemoteSpikeException(kind(jedis, error), message(error), error);
        } catch (RemoteSpikeException known) {
            throw known;
        } catch (RuntimeException garbled) {
            throw garbled(garbled);
        }
    }

    /**
     * Drops the idle connections to a server that has become a replica: behind a fixed address they
     * would lead to it for as long as they last, and new ones may lead to the new master.
     */
    private static void leaveReplica(UnifiedJedis jedis, JedisException error) {
        if (jedis instanceof RedisClient client
                && String.valueOf(error.getMessage()).startsWith("READONLY")) {
            client.getPool().clear();
        }
    }

    /** As {@link #translate(UnifiedJedis, Supplier)}, while there is no client yet. */
    static <T> T translate(Supplier<T> connecting) {
        try {
            return connecting.get();
        } catch (JedisException error) {
            throw asRemote(error);
        } catch (IllegalArgumentException garbled) {
            throw garbled(garbled);
        }
    }

    static RemoteSpikeException asRemote(JedisException error) {
        return new RemoteSpikeException(kind(error), message(error), error);
    }

    /**
     * Jedis tripped over bytes that are no reply of Redis: it has dropped the connection, and the
     * store need not be damaged.
     */
    private static RemoteSpikeException garbled(RuntimeException failure) {
        return new RemoteSpikeException(Kind.UNKNOWN, "the reply is garbled: " + failure, failure);
    }

    private static Kind kind(UnifiedJedis jedis, JedisException error) {
        Kind kind = kind(error);
        // The cluster client repeats a call by itself, and tells only of the last try.
        return jedis instanceof RedisClusterClient && kind != Kind.BROKEN ? Kind.UNKNOWN : kind;
    }

    /** Reads a reply; one that makes no sense means that the store's content is damaged. */
    static <T extends @Nullable Object> T read(Supplier<T> reading) {
        try {
            return reading.get();
        } catch (RemoteSpikeException noReply) {
            throw noReply;
        } catch (RuntimeException damaged) {
            throw new RemoteSpikeException(
                    Kind.BROKEN, "the shared stock cannot be read: " + damaged, damaged);
        }
    }

    private static Kind kind(JedisException error) {
        if (error.getCause() instanceof NoSuchElementException) {
            return Kind.NOT_SENT;
        }
        if (error instanceof JedisConnectionException connection) {
            return isConnecting(connection) ? Kind.NOT_EXECUTED : Kind.UNKNOWN;
        }
        if (error instanceof JedisDataException) {
            // What the server answers instead of running a script changed nothing; it marks what
            // comes from within one, and that may have come after its first write.
            String message = String.valueOf(error.getMessage());
            boolean inScript = (message.startsWith(FROM_SCRIPT) || message.contains("@user_script"))
                    && !Permissions.isRefusedInScript(message);
            return inScript ? Kind.BROKEN : Kind.NOT_EXECUTED;
        }
        return Kind.UNKNOWN;
    }

    /** Whether the connection could not even be made. */
    private static boolean isConnecting(JedisConnectionException error) {
        return String.valueOf(error.getMessage()).startsWith("Failed to connect to")
                || String.valueOf(error.getMessage()).startsWith("Failed to create socket");
    }

    private static String message(JedisException error) {
        String message = String.valueOf(error.getMessage());
        String text =
                message.startsWith(FROM_SCRIPT) ? message.substring(FROM_SCRIPT.length()) : message;
        Throwable cause = error.getCause();
        return cause == null || text.contains(String.valueOf(cause.getMessage()))
                ? text
                : text + " (" + cause + ")";
    }

    /** What this and all that led to it say. */
    static String everything(Throwable failure) {
        StringBuilder text = new StringBuilder(failure.toString()).append('\n');
        for (Throwable suppressed : failure.getSuppressed()) {
            text.append(everything(suppressed));
        }
        Throwable cause = failure.getCause();
        return cause == null ? text.toString() : text.append(everything(cause)).toString();
    }
}
