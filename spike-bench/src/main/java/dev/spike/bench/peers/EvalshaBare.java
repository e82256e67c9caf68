package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;

import java.util.UUID;

/** The least script that does not oversell, called for each request by the thread that asks. */
final class EvalshaBare implements Peer {

    static final String SOURCE = """
            local left = tonumber(redis.call('get', KEYS[1]))
            if left >= tonumber(ARGV[1]) then
              redis.call('decrby', KEYS[1], ARGV[1])
              return 1
            end
            return 0""";

    private final String key = "bench-" + UUID.randomUUID();
    private final PooledScript script;

    EvalshaBare(BenchRedis redis) {
        script = new PooledScript(redis, key, SOURCE);
        script.jedis().set(key, Integer.toString(TOTAL));
    }

    @Override
    public boolean takeOne() {
        return script.run("1");
    }

    @Override
    public long taken() {
        return TOTAL - Long.parseLong(script.jedis().get(key));
    }

    @Override
    public void close() {
        script.close();
    }
}
