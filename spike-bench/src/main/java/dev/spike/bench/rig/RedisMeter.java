package dev.spike.bench.rig;

import redis.clients.jedis.Jedis;

import java.util.Arrays;
import java.util.stream.Stream;

/** What a Redis says of its own cost between two moments. */
public final class RedisMeter {

    /**
     * What was used since {@link #restart}.
     *
     * @param calls of scripts
     * @param scriptMicros elapsed within them; more than the CPU, if others needed the core too
     * @param cpuMicros of the main thread, in scripts and between them: reading, parsing, writing
     * @param bytes by which its memory grew
     */
    public record Used(long calls, long scriptMicros, long cpuMicros, long bytes) {}

    private final Jedis jedis;
    private long cpuBefore;
    private long bytesBefore;

    public RedisMeter(Jedis jedis) {
        this.jedis = jedis;
    }

    /** Version, allocator and persistence, in a line. */
    public String server() {
        String info = jedis.info("all");
        return "Redis " + field(info, "redis_version") + ", allocator "
                + field(info, "mem_allocator") + ", AOF "
                + (field(info, "aof_enabled").equals("0")
                        ? "off"
                        : jedis.configGet("appendfsync").get("appendfsync"));
    }

    /** Counts from now on. */
    public void restart() {
        bytesBefore = Long.parseLong(field(jedis.info("memory"), "used_memory"));
        cpuBefore = cpuMicros();
        jedis.configResetStat();
    }

    public Used read() {
        long cpu = cpuMicros() - cpuBefore;
        long bytes = Long.parseLong(field(jedis.info("memory"), "used_memory")) - bytesBefore;
        String stats = jedis.info("commandstats");
        return new Used(
                stat(stats, "evalsha", "calls") + stat(stats, "eval", "calls"),
                stat(stats, "evalsha", "usec") + stat(stats, "eval", "usec"),
                cpu,
                bytes);
    }

    /** What its main thread has used of the processors since it started, in seconds. */
    public double cpuSeconds() {
        return cpuMicros() / 1e6;
    }

    private long cpuMicros() {
        String info = jedis.info("cpu");
        double seconds = Stream.of("used_cpu_user_main_thread", "used_cpu_sys_main_thread")
                .mapToDouble(name -> Double.parseDouble(field(info, name)))
                .sum();
        return Math.round(seconds * 1e6);
    }

    /** One number of a line such as {@code cmdstat_evalsha:calls=2,usec=31,usec_per_call=15.50}. */
    private static long stat(String stats, String command, String name) {
        String line = fieldOr(stats, "cmdstat_" + command, name + "=0");
        return Arrays.stream(line.split(","))
                .filter(pair -> pair.startsWith(name + "="))
                .mapToLong(pair -> Long.parseLong(pair.substring(name.length() + 1)))
                .sum();
    }

    private static String field(String info, String name) {
        String value = fieldOr(info, name, "");
        if (value.isEmpty()) {
            throw new IllegalStateException("Redis does not tell its " + name
                    + ", as versions before 7 and systems other than Linux do not");
        }
        return value;
    }

    private static String fieldOr(String info, String name, String absent) {
        return info.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse(absent);
    }
}
