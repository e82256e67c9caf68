package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.util.JedisURIHelper;

import java.io.File;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Runs a child for each of many points, two at a time, and tells which of them never came. */
final class CrashRun {

    /** What a child of a point does, and what must hold after it. */
    interface Case {
        /** Whether the child died at the point; else it never came there. */
        boolean diesAt(String point) throws Exception;
    }

    private static final int AT_ONCE = 2;
    private static final int TRIES = 2;

    private final Path woven;

    CrashRun(Path woven) {
        this.woven = woven;
    }

    /** Starts a child of woven classes. */
    Child start(Path dir, Map<String, String> properties, Class<?> main, String... args) {
        String classPath = woven + File.pathSeparator + System.getProperty("java.class.path");
        return Child.start(dir, Map.of(), classPath, properties, main, args);
    }

    /** A client that waits as long as a busy machine needs. */
    static RedisClient client(String uri) {
        int millis = (int) Duration.ofSeconds(30).toMillis();
        return RedisClient.builder()
                .hostAndPort(JedisURIHelper.getHostAndPort(URI.create(uri)))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .connectionTimeoutMillis(millis)
                        .socketTimeoutMillis(millis)
                        .build())
                .build();
    }

    /** The points that a child named, in the order in which it first passed them. */
    static Set<String> points(Child child) {
        Set<String> points = new LinkedHashSet<>();
        child.out()
                .lines()
                .filter(line -> line.startsWith(CrashPoint.POINT))
                .forEach(line -> points.add(line.substring(CrashPoint.POINT.length())));
        return points;
    }

    /** What a kill may hit in each call to Redis; all of it must be among the points. */
    static void assertNamed(Collection<String> points, String verb, String call) {
        for (String when : List.of("before send", "after send", "after execution", "after reply")) {
            assertThat(points)
                    .as(verb + ": " + call + " " + when)
                    .anyMatch(point -> point.startsWith(verb + ": " + call)
                            && point.endsWith(": EVALSHA " + when));
        }
    }

    /** These points and so many others, evenly spaced, with the first and the last; or all. */
    static Set<String> sample(Collection<String> points, int others, Collection<String> always) {
        assertThat(points).containsAll(always);
        if (Boolean.getBoolean("spike.slow")) {
            return new LinkedHashSet<>(points);
        }
        List<String> all = new ArrayList<>(points);
        Set<String> sample = new LinkedHashSet<>(always);
        for (int i = 0; i < others; i++) {
            sample.add(all.get((int) ((long) i * (all.size() - 1) / (others - 1))));
        }
        return sample;
    }

    /**
     * Runs them all. One that is not reached, since a thread of the background came elsewhere, is
     * tried again; a few may never be.
     *
     * @param surely those that must be reached
     * @param of how many points there are
     */
    static void all(Collection<String> points, Collection<String> surely, int of, Case one)
            throws InterruptedException {
        Set<String> missed = new ConcurrentSkipListSet<>();
        Queue<AssertionError> failures = new ConcurrentLinkedQueue<>();
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        for (String point : points) {
            threads.execute(() -> {
                try {
                    int tries = 1;
                    while (!one.diesAt(point) && tries++ < TRIES) {}
                    if (tries > TRIES) {
                        missed.add(point);
                    }
                } catch (Throwable failure) {
                    failures.add(new AssertionError("dead at \"" + point + "\"", failure));
                }
            });
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(3, TimeUnit.HOURS)).isTrue();
        if (!failures.isEmpty()) {
            AssertionError first = failures.remove();
            failures.forEach(first::addSuppressed);
            throw first;
        }
        assertThat(missed).doesNotContainAnyElementsOf(surely);
        assertThat(missed)
                .as("not reached, of " + points.size())
                .hasSizeLessThanOrEqualTo(Math.max(2, points.size() / 20));
        System.getLogger(CrashRun.class.getName())
                .log(
                        System.Logger.Level.INFO,
                        "died at " + (points.size() - missed.size()) + " points of " + of
                                + ", did not reach " + missed);
    }
}
