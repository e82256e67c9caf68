package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisNoScriptException;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/** A Lua script of this package: EVALSHA, and EVAL once when the server does not know it yet. */
final class Script {

    private static final String INCLUDE = "--:include ";

    private final byte[] source;
    private final byte[] sha1;

    private Script(String source) {
        this.source = source.getBytes(UTF_8);
        this.sha1 = sha1Hex(this.source).getBytes(UTF_8);
    }

    /** The script in this file beside the class, with the files that it includes in place. */
    static Script of(String file) {
        return new Script(whole(file));
    }

    private static String whole(String file) {
        StringBuilder source = new StringBuilder();
        read(file)
                .lines()
                .forEach(line -> source.append(
                                line.startsWith(INCLUDE)
                                        ? whole(line.substring(INCLUDE.length()))
                                        : line)
                        .append('\n'));
        return source.toString();
    }

    /**
     * Runs the script, blocking, and reads its reply; a single value as a list of one, nil as an
     * empty list.
     *
     * @throws dev.spike.core.RemoteSpikeException if there is no reply, or an error
     */
    <T extends @Nullable Object> T run(
            UnifiedJedis jedis, List<byte[]> keys, List<byte[]> args, Function<List<?>, T> reader) {
        return run(jedis, null, keys, args, reader);
    }

    /** As {@link #run}, and waits until these replicas have what it wrote; null: for none. */
    <T extends @Nullable Object> T run(
            UnifiedJedis jedis,
            @Nullable Replicas replicas,
            List<byte[]> keys,
            List<byte[]> args,
            Function<List<?>, T> reader) {
        Object reply = Failures.translate(
                jedis,
                () -> replicas == null
                        ? evaluate(jedis, keys, args)
                        : replicas.evaluate(jedis, this, keys, args));
        return Failures.read(() -> reader.apply(
                reply instanceof List<?> list ? list : reply == null ? List.of() : List.of(reply)));
    }

    private Object evaluate(UnifiedJedis jedis, List<byte[]> keys, List<byte[]> args) {
        try {
            return jedis.evalsha(sha1, keys, args);
        } catch (JedisNoScriptException nothingRan) {
            return jedis.eval(source, keys, args);
        }
    }

    byte[] source() {
        return source;
    }

    byte[] sha1() {
        return sha1;
    }

    private static String read(String file) {
        try (InputStream in = Script.class.getResourceAsStream(file)) {
            return new String(Objects.requireNonNull(in, file).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha1Hex(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
