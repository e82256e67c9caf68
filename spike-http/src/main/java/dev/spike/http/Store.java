package dev.spike.http;

import dev.spike.core.InMemorySpike;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpikeException;
import dev.spike.redis.Adoption;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The shared stock that the options name.
 *
 * @param sales the stock of each sale id
 * @param description what to tell the operator, without secrets
 * @param closing stops what was started for it
 */
record Store(Function<String, RemoteSpike> sales, String description, Runnable closing)
        implements AutoCloseable {

    /** How long to wait for replicas; half of the time that a reply may take. */
    private static final Duration REPLICAS_WITHIN = RedisStore.TIMEOUT.dividedBy(2);

    private static final String USER = "(?<=://)[^:@/]*:[^@/]*@";
    private static final String HOST = "(\\[[0-9A-Fa-f:.]+]|[\\w.-]+)(:\\d{1,5})?";
    private static final String HOSTS = "(" + USER + ")?" + HOST + "(," + HOST + ")*";
    private static final Pattern WELL_FORMED = Pattern.compile("rediss?://(" + USER + ")?" + HOST
            + "(/\\d{0,4})?"
            + "|rediss?\\+sentinel://" + HOSTS + "/[^/?#@]+"
            + "|rediss?\\+cluster://" + HOSTS + "/?");
    private static final Pattern SCHEME = Pattern.compile("rediss?(\\+sentinel|\\+cluster)?://");

    /**
     * Opens it. Blocks.
     *
     * @throws StartException if it is out of reach or unsuitable
     */
    static Store open(Options options) {
        if (options.redis.equals("none")) {
            return new Store(
                    saleId -> new InMemorySpike(saleId, InstantSource.system()),
                    "none: in memory, lost at exit",
                    () -> {});
        }
        if (!options.redis.equals("embedded")) {
            RedisStore redis = connect(options.redis);
            return of(redis, options, withoutSecrets(options.redis), redis::close);
        }
        EmbeddedRedis server = EmbeddedRedis.start(options.data);
        try {
            RedisStore redis = connect(server.uri());
            return of(redis, options, server.uri() + " (embedded, in " + options.data + ")", () -> {
                try (server) {
                    redis.close();
                }
            });
        } catch (Throwable failure) {
            server.close();
            throw failure;
        }
    }

    private static Store of(
            RedisStore redis, Options options, String description, Runnable closing) {
        return new Store(
                saleId -> replicated(sale(redis, options, saleId), options.redisReplicas),
                description,
                closing);
    }

    private static RedisSpike replicated(RedisSpike sale, int replicas) {
        try {
            return replicas == 0 ? sale : sale.acknowledgedBy(replicas, REPLICAS_WITHIN);
        } catch (IllegalStateException notAllowed) {
            throw new StartException(
                    "--redis-replicas " + replicas + ": " + notAllowed.getMessage(), notAllowed);
        }
    }

    private static RedisSpike sale(RedisStore redis, Options options, String saleId) {
        String hash = options.adopt;
        if (hash == null || !saleId.equals(options.saleId)) {
            return redis.sale(saleId);
        }
        try {
            return redis.sale(saleId, Adoption.of(hash));
        } catch (IllegalStateException notAllowed) {
            throw new StartException(
                    "--adopt " + hash + ": " + notAllowed.getMessage(), notAllowed);
        }
    }

    private static RedisStore connect(String uri) {
        try {
            return RedisStore.connect(uri);
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException(
                    "must be embedded, none, redis://host:port[/database], "
                            + "redis+sentinel://host:port,host:port/master or "
                            + "redis+cluster://host:port,host:port, with rediss instead of redis over TLS, "
                            + "and with [user]:password@ before the first host if needed: --redis="
                            + schemeOf(uri) + "***");
        } catch (RemoteSpikeException | IllegalStateException failure) {
            throw new StartException(
                    "Redis at " + withoutSecrets(uri) + ": " + failure.getMessage(), failure);
        }
    }

    /**
     * The URI without user and password; of one that is malformed only its scheme, since a password
     * may be anywhere in it.
     */
    static String withoutSecrets(String uri) {
        return WELL_FORMED.matcher(uri).matches()
                ? uri.replaceFirst(USER, "***@")
                : schemeOf(uri) + "***";
    }

    private static String schemeOf(String uri) {
        Matcher scheme = SCHEME.matcher(uri);
        return scheme.lookingAt() ? scheme.group() : "";
    }

    @Override
    public void close() {
        closing.run();
    }
}
