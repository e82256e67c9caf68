package dev.spike.bench.peers;

import dev.spike.bench.rig.BenchRedis;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The designs that are compared, and what each of them keeps of a sale. All of them count the units
 * in one place and never oversell; what else a design keeps costs it something.
 *
 * <pre>
 *                      buyer  key  limit  log  expiry  on disk
 * spike                yes    yes  yes    yes  yes     -
 * spike-async          yes    yes  yes    yes  yes     -
 * evalsha-guarantees   yes    yes  yes    yes  yes     -
 * evalsha-bare         -      -    -      -    -       -
 * ancestor             -      -    -      -    -       -
 * redisson-semaphore   -      -    -      -    -       -
 * redisson-async       -      -    -      -    -       -
 * redisson-expirable   -      -    -      -    yes     -
 * bucket4j             -      -    -      -    -       -
 * bucket4j-batching    -      -    -      -    -       -
 * bucket4j-async       -      -    -      -    -       -
 * lettuce-async        -      -    -      -    -       -
 * postgresql-row       -      -    -      -    -       yes
 * </pre>
 */
public enum StockDesign {
    /** {@link SpikePeer}, each thread waiting for its answer. */
    SPIKE("spike", Does.ALL, SpikePeer::new),
    /** {@link SpikePeer}, each thread keeping many requests in flight. */
    SPIKE_ASYNC("spike-async", Does.ALL, SpikePeer::new),
    /** {@link EvalshaGuarantees}. */
    EVALSHA_GUARANTEES("evalsha-guarantees", Does.ALL, EvalshaGuarantees::new),
    /** {@link EvalshaBare}. */
    EVALSHA_BARE("evalsha-bare", Does.NOTHING, EvalshaBare::new),
    /** {@link Ancestor}. */
    ANCESTOR("ancestor", Does.NOTHING, Ancestor::new),
    /** {@link RedissonPeer.Semaphore}. */
    REDISSON_SEMAPHORE("redisson-semaphore", Does.NOTHING, RedissonPeer.Semaphore::new),
    /** {@link RedissonPeer.Semaphore}, each thread keeping many requests in flight. */
    REDISSON_ASYNC("redisson-async", Does.NOTHING, RedissonPeer.Semaphore::new),
    /** {@link RedissonPeer.Expirable}: it keeps an id of its own for each unit, not the buyer. */
    REDISSON_EXPIRABLE("redisson-expirable", Set.of(Does.EXPIRY), RedissonPeer.Expirable::new),
    /** {@link Bucket4jPeer}, a compare and swap for each request. */
    BUCKET4J("bucket4j", Does.NOTHING, redis -> new Bucket4jPeer(redis, false)),
    /** {@link Bucket4jPeer}, a compare and swap for all that wait. */
    BUCKET4J_BATCHING("bucket4j-batching", Does.NOTHING, redis -> new Bucket4jPeer(redis, true)),
    /** Batching, each thread keeping many requests in flight. */
    BUCKET4J_ASYNC("bucket4j-async", Does.NOTHING, redis -> new Bucket4jPeer(redis, true)),
    /** {@link LettuceAsync}, each thread keeping many requests in flight. */
    LETTUCE_ASYNC("lettuce-async", Does.NOTHING, LettuceAsync::new),
    /** {@link PostgresRow}, the only one whose answers are on the disk. */
    POSTGRESQL_ROW("postgresql-row", Set.of(Does.DISK), redis -> new PostgresRow());

    /** What a design may keep beside the count. */
    public enum Does {
        /** Who has a unit. */
        BUYER("buyer"),
        /** A repeat under the same key gets the first answer. */
        KEY("idempotent key"),
        /** A buyer gets at most so many. */
        LIMIT("limit per buyer"),
        /** Each change is in a log, written in the same step, from which orders are made. */
        LOG("order log"),
        /** A unit that is not confirmed in time is sold again. */
        EXPIRY("expiry"),
        /** The answer is given after it is on the disk. */
        DISK("on disk");

        private static final Set<Does> ALL = EnumSet.range(BUYER, EXPIRY);
        private static final Set<Does> NOTHING = EnumSet.noneOf(Does.class);

        private final String words;

        Does(String words) {
            this.words = words;
        }
    }

    private final String label;
    private final Set<Does> does;
    private final Function<BenchRedis, Peer> peer;

    StockDesign(String label, Set<Does> does, Function<BenchRedis, Peer> peer) {
        this.label = label;
        this.does = does;
        this.peer = peer;
    }

    /**
     * The design that is called so.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static StockDesign of(String label) {
        return Arrays.stream(values())
                .filter(design -> design.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no design: " + label));
    }

    /** Its name in commands and tables. */
    public String label() {
        return label;
    }

    /** What it keeps beside the count, for a column of a table. */
    public String keeps() {
        return does.isEmpty()
                ? "the count"
                : does.stream().sorted().map(one -> one.words).collect(Collectors.joining(", "));
    }

    /** Whether callers keep many requests in flight instead of waiting for each. */
    public boolean isAsynchronous() {
        return label.endsWith("-async");
    }

    /** With a fresh stock, in this Redis if it uses Redis. */
    public Peer open(BenchRedis redis) {
        return peer.apply(redis);
    }
}
