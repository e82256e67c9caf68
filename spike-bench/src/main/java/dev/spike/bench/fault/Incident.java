package dev.spike.bench.fault;

import redis.clients.jedis.Jedis;
import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.ClientKillParams;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** The faults that are done to the processes of an installation, each until it is healed. */
enum Incident {
    NODE_KILLED(Where.NODE, 500) {
        @Override
        Runnable begin(Installation site, int node) {
            site.node(node).kill();
            return () -> site.startNode(node);
        }
    },
    NODE_TERMINATED(Where.NODE, 100) {
        @Override
        Runnable begin(Installation site, int node) {
            CompletableFuture<Void> ended = onAThread(() -> site.node(node).terminate());
            return () -> {
                ended.join();
                site.startNode(node);
            };
        }
    },
    /** Longer than every timeout: a node's own (1 s), its Redis client's, and its buyers'. */
    NODE_PAUSED(Where.NODE, 3_200) {
        @Override
        Runnable begin(Installation site, int node) {
            site.node(node).pause();
            return () -> site.node(node).resume();
        }
    },
    /** Longer than a node's timeout. */
    REDIS_PAUSED(Where.REDIS, 1_300) {
        @Override
        Runnable begin(Installation site, int node) {
            site.redis().pause();
            return () -> site.redis().resume();
        }
    },
    REDIS_KILLED(Where.REDIS, 300) {
        @Override
        Runnable begin(Installation site, int node) {
            // While Redis forces its file to disk, everysec holds back what it would write, and
            // answers nevertheless. A kill would lose that, as is published; whether it does would
            // be luck.
            once(site, jedis -> jedis.configSet("appendfsync", "no"));
            site.redis().kill();
            return site::startRedis;
        }
    },
    SCRIPTS_FLUSHED(Where.REDIS, 200) {
        @Override
        Runnable begin(Installation site, int node) {
            return again(site, Jedis::scriptFlush);
        }
    },
    CLIENTS_KILLED(Where.REDIS, 200) {
        @Override
        Runnable begin(Installation site, int node) {
            return again(
                    site,
                    jedis -> jedis.clientKill(new ClientKillParams().type(ClientType.NORMAL)));
        }
    },
    /** A script of somebody else that does not end: nothing answers at first, then all is BUSY. */
    SCRIPT_BUSY(Where.REDIS, 1_000) {
        @Override
        Runnable begin(Installation site, int node) {
            CompletableFuture<Void> endless = onAThread(() -> {
                try (Jedis jedis = new Jedis(site.redisUri(), 0)) {
                    jedis.eval("while true do end");
                } catch (JedisException killed) {
                    // As it must end.
                }
            });
            return () -> {
                while (!endless.isDone()) {
                    try (Jedis jedis = site.jedis()) {
                        jedis.scriptKill();
                    } catch (JedisException notBusy) {
                        LockSupport.parkNanos(10_000_000);
                    }
                }
            };
        }
    },
    MEMORY_FULL(Where.REDIS, 800) {
        @Override
        Runnable begin(Installation site, int node) {
            once(site, jedis -> jedis.configSet("maxmemory", "1"));
            return () -> once(site, jedis -> jedis.configSet("maxmemory", "0"));
        }
    },
    ORDERS_PAUSED(Where.ORDERS, 1_500) {
        @Override
        Runnable begin(Installation site, int node) {
            site.postgres().pause();
            return () -> site.postgres().resume();
        }
    },
    ORDERS_CRASHED(Where.ORDERS, 100) {
        @Override
        Runnable begin(Installation site, int node) {
            CompletableFuture<Void> recovered = onAThread(() -> site.postgres().crash());
            return recovered::join;
        }
    };

    /** What a fault is done to. In the order in which they must be healed: a node needs Redis. */
    enum Where {
        REDIS,
        ORDERS,
        NODE
    }

    private interface Command {
        void run(Jedis jedis);
    }

    final Where where;

    /** How long it lasts at least. */
    final long leastMillis;

    Incident(Where where, long leastMillis) {
        this.where = where;
        this.leastMillis = leastMillis;
    }

    /**
     * Lets it happen.
     *
     * @param node to which, if it is done to a node
     * @return heals it; returns when it is healed
     */
    abstract Runnable begin(Installation site, int node);

    /** Whether the store changes nothing, and tells nothing, until it is healed. */
    boolean stopsTheStore() {
        return this == REDIS_PAUSED || this == REDIS_KILLED || this == SCRIPT_BUSY;
    }

    /** Something that takes no time, done twice. */
    private static Runnable again(Installation site, Command command) {
        once(site, command);
        return () -> once(site, command);
    }

    private static void once(Installation site, Command command) {
        try (Jedis jedis = site.jedis()) {
            command.run(jedis);
        }
    }

    private static CompletableFuture<Void> onAThread(Runnable task) {
        return CompletableFuture.runAsync(task, each -> new Thread(each, "incident").start());
    }
}
