package dev.spike.bench.scenario;

import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.rig.Wait;
import dev.spike.bench.scenario.Incidents.Incident;
import dev.spike.core.Audit;
import dev.spike.core.Levels;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike.Operation;
import dev.spike.core.RemoteSpike.Restock;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.RedisSpike;
import dev.spike.redis.RedisStore;

import redis.clients.jedis.Jedis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * One play of the sale, from its opening until the last unit is sold, and what came of it.
 *
 * <ol>
 *   <li>The rush: half of the buyers come as fast as they are answered; nodes die and come.
 *   <li>The stream: four in ten come evenly over 2.4 hold times, in which the holds of the rush end
 *       at about the same moment and the units that come back sell again.
 *   <li>The rest come at the same pace, and all pay: until all is sold; then, after a restock of
 *       one tenth, again until all is sold. If too few buyers are left for that, more come.
 * </ol>
 */
final class Scenario implements AutoCloseable {

    static final double RUSH_PAYING = 0.7;
    static final double STREAM_PAYING = 0.9;

    /** For how many holds the stream lasts. */
    private static final double STREAM_HOLDS = 2.4;

    /** How many more come in a second, once everybody has come. */
    private static final int MORE_PER_SECOND = 2_000;

    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /**
     * What is played.
     *
     * @param buyers how many, each with a number
     * @param units of the sale at first
     * @param nodes at first
     * @param seed that makes the buyers
     */
    record Settings(int buyers, int units, int nodes, long seed, Duration hold) {

        int restock() {
            return Math.max(1, units / 10);
        }

        int rush() {
            return buyers / 2;
        }

        int stream() {
            return (int) (buyers * 4L / 10);
        }

        /** Buyers a second, in the stream and after it. */
        double pace() {
            return stream() / (STREAM_HOLDS * hold.toMillis() / 1_000);
        }
    }

    /**
     * What came of it.
     *
     * @param levels at the end
     * @param oversold by how many units more were reserved and sold, at any moment or as the buyers
     *     were told, than there were
     * @param scripts calls of scripts while the sale went on
     * @param bytes of the sale's keys in Redis, with the whole log
     * @param seconds from the first request to the last answer
     * @param rushSeconds of them, until everybody of the rush was answered
     * @param broken the promises that were broken, in words
     */
    record Outcomes(
            Settings settings,
            Levels levels,
            long total,
            long oversold,
            Refusals.Check refusals,
            Timeline history,
            List<Incident> incidents,
            long scripts,
            long bytes,
            double seconds,
            double rushSeconds,
            Map<Outcome, Long> answers,
            Map<Outcome, Long> payments,
            long reservations,
            long lostAnswers,
            long repeats,
            long repeatsRefusedAtFirst,
            int moreBuyers,
            List<String> broken) {}

    private final Settings settings;
    private final BenchRedis redis;
    private final String saleId;
    private final RedisStore store;
    private final RedisSpike sale;
    private final ConcurrentLinkedQueue<Node> nodes = new ConcurrentLinkedQueue<>();
    private final List<Incident> incidents = new ArrayList<>();
    private final Crowd crowd;
    private int came;
    private int more;

    /** Opens the sale and starts the nodes. */
    Scenario(Settings settings, BenchRedis redis, String saleId) {
        this.settings = settings;
        this.redis = redis;
        this.saleId = saleId;
        store = RedisStore.connect(redis.uri());
        sale = store.sale(saleId);
        sale.open(Sale.of(saleId, settings.units).withHold(settings.hold));
        crowd = new Crowd(
                settings.seed,
                settings.hold,
                new StoreClock(sale),
                new Traffic(IntStream.range(0, settings.nodes)
                        .mapToObj(i -> start("node-" + i))
                        .toList()));
    }

    private Node start(String name) {
        Node node = new Node(name, redis.uri(), saleId, settings.nodes);
        nodes.add(node);
        return node;
    }

    /**
     * Plays it.
     *
     * @param beforeCheck what is done to the sale between its end and the check; nothing, but for
     *     the test of the check
     */
    Outcomes play(Consumer<RedisSpike> beforeCheck) throws Exception {
        try (Jedis jedis = redis.jedis();
                Incidents watch = new Incidents(crowd, settings.units, this::start)) {
            RedisMeter meter = new RedisMeter(jedis);
            meter.restart();
            long start = System.nanoTime();
            Future<List<Incident>> happening = watch.start();
            come(nth -> nth < settings.rush() ? 0 : -1, RUSH_PAYING);
            double rushSeconds = (System.nanoTime() - start) / 1e9;
            come(nth -> nth < settings.stream() ? nth / settings.pace() : -1, STREAM_PAYING);
            sellAll(settings.units, (settings.buyers + came) / 2);
            Restock restock = sale.restock(new Operation("restock", settings.restock()));
            tell("restocked " + restock.applied() + " units");
            sellAll(settings.units + restock.applied(), settings.buyers);
            // Who is left finds nothing any more.
            int left = settings.buyers - came;
            come(nth -> nth < left ? 0 : -1, 1);
            Wait.until("every buyer is done", crowd::isDone);
            if (came != settings.buyers) {
                throw new IllegalStateException(
                        "must be " + settings.buyers + " buyers: came=" + came);
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            long scripts = meter.read().calls();
            long bytes = bytes(jedis);
            incidents.addAll(0, happening.get(1, TimeUnit.MINUTES));
            nodes.forEach(Node::close);
            beforeCheck.accept(sale);
            return check(restock, scripts, bytes, seconds, rushSeconds);
        }
    }

    private void come(Crowd.Wave wave, double paying) {
        came += crowd.come(wave, came, paying);
    }

    /** Buyers come at the stream's pace until all is sold, at last more than there were to be. */
    private void sellAll(long total, int upTo) {
        BooleanSupplier over = soldOrInVain(total);
        int most = upTo - came;
        come(nth -> nth < most && !over.getAsBoolean() ? nth / settings.pace() : -1, 1);
        more += crowd.come(
                nth -> over.getAsBoolean() ? -1 : (double) nth / MORE_PER_SECOND,
                settings.buyers + more,
                1);
    }

    /** Whether all is sold, or never will be; looks every now and then. */
    private BooleanSupplier soldOrInVain(long total) {
        long start = System.nanoTime();
        long[] lookedNanos = {start - LOOK_NANOS};
        boolean[] over = new boolean[1];
        return () -> {
            long now = System.nanoTime();
            if (!over[0] && now - lookedNanos[0] >= LOOK_NANOS) {
                lookedNanos[0] = now;
                over[0] = sale.levels().sold() >= total || now - start > PATIENCE_NANOS;
            }
            return over[0];
        };
    }

    private void tell(String what) {
        incidents.add(new Incident(crowd.clock.millis(), what));
    }

    private long bytes(Jedis jedis) {
        return jedis.keys("spike:{" + saleId + "}:*").stream()
                .mapToLong(key -> jedis.memoryUsage(key, 0))
                .sum();
    }

    private Outcomes check(
            Restock restock, long scripts, long bytes, double seconds, double rushSeconds) {
        Promises promises = crowd.promises;
        promises.check(sale);
        Timeline history = Timeline.of(sale);
        Levels levels = sale.levels();
        long total = settings.units + restock.applied();
        long oversold = Math.max(promises.told(Outcome.CONFIRMED) - total, 0);
        for (Timeline.Point point : history.points()) {
            boolean before = point.sequence() < restock.levels().sequence();
            long most = before ? settings.units : total;
            oversold = Math.max(oversold, point.reserved() + point.sold() - most);
        }
        try (Spike auditor = Spike.start(sale)) {
            Audit audit = auditor.audit(null).orElseThrow();
            if (!audit.balanced()) {
                promises.broken("the audit does not balance: " + audit.differences());
            }
        }
        return new Outcomes(
                settings,
                levels,
                total,
                oversold,
                crowd.refusals.check(history, MillionBuyers.STALENESS),
                history,
                incidents,
                scripts,
                bytes,
                seconds,
                rushSeconds,
                sums(crowd.answers),
                sums(crowd.payments),
                promises.reservations(),
                crowd.lostAnswers.sum(),
                crowd.repeats.sum(),
                crowd.repeatsRefusedAtFirst.sum(),
                more,
                promises.broken());
    }

    private static Map<Outcome, Long> sums(Map<Outcome, LongAdder> counts) {
        Map<Outcome, Long> sums = new EnumMap<>(Outcome.class);
        counts.forEach((outcome, count) -> {
            if (count.sum() > 0) {
                sums.put(outcome, count.sum());
            }
        });
        return sums;
    }

    @Override
    public void close() {
        crowd.close();
        nodes.forEach(Node::close);
        redis.deleteSale(saleId);
        store.close();
    }
}
