package dev.spike.redis;

import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;

import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * Waits until replicas have what a script wrote. WAIT counts only what its own connection wrote, so
 * script and WAIT are sent together on one; and only what it wrote just now, so a mark is written
 * between them: what a repeat finds was written before, and its replicas are asked for, too.
 *
 * @param count how many must have it
 * @param within how long to wait for them
 */
record Replicas(int count, Duration within) {

    private static final Script MARK = Script.of("mark.lua");

    Replicas {
        if (count < 1) {
            throw new IllegalArgumentException("must be >= 1: replicas=" + count);
        }
        if (within.toMillis() < 1) {
            throw new IllegalArgumentException("must be >= 1 ms: within=" + within);
        }
    }

    /** The reply of the script, once enough replicas have what it wrote. */
    Object evaluate(UnifiedJedis jedis, Script script, List<byte[]> keys, List<byte[]> args) {
        try {
            return together(jedis, keys, calls -> calls.evalsha(script.sha1(), keys, args));
        } catch (JedisNoScriptException nothingRan) {
            return together(jedis, keys, calls -> calls.eval(script.source(), keys, args));
        } catch (JedisRedirectionException moved) {
            // A pipeline goes by what it knew of the cluster, and does not learn.
            jedis.exists(keys.get(0));
            throw moved;
        }
    }

    private Object together(
            UnifiedJedis jedis,
            List<byte[]> keys,
            Function<AbstractPipeline, Response<Object>> call) {
        Response<Object> reply;
        Response<Object> mark;
        Response<Long> replicas;
        List<byte[]> stock = keys.subList(0, 1);
        try (AbstractPipeline calls = jedis.pipelined()) {
            reply = call.apply(calls);
            // By EVAL: after a NOSCRIPT it could not be sent again without the script.
            mark = calls.eval(MARK.source(), stock, List.of());
            replicas = calls.waitReplicas(stock.get(0), count, within.toMillis());
        }
        Object result = get(reply);
        requireEnough(mark, replicas);
        return result;
    }

    /** The script has run, whatever goes wrong here. */
    private void requireEnough(Response<Object> mark, Response<Long> replicas) {
        long have;
        try {
            get(mark);
            have = get(replicas);
        } catch (JedisDataException refused) {
            throw new RemoteSpikeException(
                    Kind.UNKNOWN, "whether replicas have it: " + refused.getMessage(), refused);
        }
        if (have < count) {
            throw new RemoteSpikeException(
                    Kind.UNKNOWN, "only " + have + " of " + count + " replicas have it", null);
        }
    }

    /** The pipeline of a cluster logs that its connection broke, and leaves the reply out. */
    private static <T> T get(Response<T> response) {
        try {
            return response.get();
        } catch (IllegalStateException left) {
            throw new JedisConnectionException("no reply", left);
        }
    }
}
