package dev.example.shop;

import dev.spike.core.Answer;
import dev.spike.core.Levels;
import dev.spike.core.OrderBook.Sum;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;
import dev.spike.core.Spike;
import dev.spike.redis.OrderRelay;
import dev.spike.redis.RedisStore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.IntFunction;

/** Sells 1,000 units to 3,000 simulated buyers, then looks whether everything adds up. */
public final class Shop {

    private static final int UNITS = 1_000;
    private static final int BUYERS = 3_000;
    private static final int THREADS = 4;
    private static final int TRIES = 60;
    private static final Duration HOLD = Duration.ofSeconds(2);
    private static final Duration UNTIL_UNITS_COME_BACK = Duration.ofMillis(250);

    /** What a buyer does with what was reserved. */
    private enum Plan {
        PAYS,
        CANCELS,
        FORGETS
    }

    /** The key is the buyer's order number: whatever happens, it never buys twice. */
    private record Buyer(String name, String key, int quantity, Plan plan) {
        static Buyer of(int i) {
            Plan plan = i % 10 == 0 ? Plan.CANCELS : i % 10 == 1 ? Plan.FORGETS : Plan.PAYS;
            return new Buyer("buyer-" + i, "order-" + i, i % 50 == 7 ? 3 : 1 + i % 2, plan);
        }
    }

    private record Told(Buyer buyer, Outcome outcome) {}

    private final Spike spike;

    private Shop(Spike spike) {
        this.spike = spike;
    }

    public static void main(String... args) throws Exception {
        String uri = args.length > 0 ? args[0] : "redis://127.0.0.1:6379";
        String sale = "shop-" + UUID.randomUUID().toString().substring(0, 8);
        boolean addsUp;
        // Closed from the last to the first: selling, writing orders, their database, Redis.
        try (RedisStore redis = RedisStore.connect(uri);
                Orders orders = new Orders("jdbc:h2:mem:shop");
                OrderRelay relay = OrderRelay.of(redis.sale(sale), orders).start();
                Spike spike =
                        Spike.builder(redis.sale(sale)).orderBacklog(100_000).start()) {
            spike.open(Sale.of(sale, UNITS).withPerBuyer(2).withHold(HOLD));
            System.out.println(sale + ": " + UNITS + " units, " + BUYERS + " buyers");
            List<Told> told = new Shop(spike).sell();
            await(() -> spike.sync().map(Levels::reserved).orElse(1L) == 0); // all holds ended
            await(() -> relay.lag().events() == 0); // all orders are written
            await(() -> spike.audit(orders).orElseThrow().balanced());
            addsUp = addsUp(told, spike.levels().orElseThrow(), orders.sums(sale));
        }
        System.out.println(addsUp ? "adds up" : "does NOT add up");
        System.exit(addsUp ? 0 : 1);
    }

    /** All buyers at once, from several threads, none of which waits for an answer. */
    private List<Told> sell() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<List<CompletionStage<Told>>>> shares = new ArrayList<>();
            for (int first = 0; first < THREADS; first++) {
                int share = first;
                shares.add(() -> {
                    List<CompletionStage<Told>> asked = new ArrayList<>();
                    for (int i = share; i < BUYERS; i += THREADS) {
                        Buyer buyer = Buyer.of(i);
                        asked.add(buy(buyer, TRIES).thenApply(end -> new Told(buyer, end)));
                    }
                    return asked;
                });
            }
            List<Told> told = new ArrayList<>();
            for (Future<List<CompletionStage<Told>>> share : threads.invokeAll(shares)) {
                for (CompletionStage<Told> one : share.get()) {
                    told.add(one.toCompletableFuture().get(1, TimeUnit.MINUTES));
                }
            }
            return told;
        } finally {
            threads.shutdown();
        }
    }

    /** Asks for the buyer's units until the answer is one to live with. */
    private CompletionStage<Outcome> buy(Buyer buyer, int tries) {
        return spike.reserveAsync(buyer.name(), buyer.key(), buyer.quantity())
                .thenCompose(answer -> switch (answer.outcome()) {
                    case RESERVED -> decide(buyer.plan(), answer.id());
                    case UNKNOWN, UNAVAILABLE, ALL_RESERVED ->
                        again(answer, tries, left -> buy(buyer, left));
                    case SOLD_OUT, LIMIT_REACHED, NOT_OPEN, CLOSED -> end(answer);
                    // A repeat of a key whose reservation has ended meanwhile.
                    case CONFIRMED, CANCELLED, EXPIRED -> end(answer);
                    case MISMATCH, NOT_FOUND -> throw new IllegalStateException("" + answer);
                });
    }

    private CompletionStage<Outcome> decide(Plan plan, ReservationId id) {
        return switch (plan) {
            case PAYS -> settle(id, spike::confirmAsync, TRIES);
            case CANCELS -> settle(id, spike::cancelAsync, TRIES);
            case FORGETS -> CompletableFuture.completedStage(Outcome.RESERVED);
        };
    }

    /** May come too late: then the outcome is EXPIRED, and a payment would have to be refunded. */
    private CompletionStage<Outcome> settle(
            ReservationId id, Function<ReservationId, CompletionStage<Answer>> how, int tries) {
        return how.apply(id).thenCompose(answer -> switch (answer.outcome()) {
            case UNKNOWN, UNAVAILABLE -> again(answer, tries, left -> settle(id, how, left));
            default -> end(answer);
        });
    }

    /**
     * Asks again, later, under the same key. UNKNOWN: done or not, the repeat is told. UNAVAILABLE:
     * nothing was done. ALL_RESERVED: nothing is left, but holds may end without being paid.
     */
    private static CompletionStage<Outcome> again(
            Answer answer, int tries, IntFunction<CompletionStage<Outcome>> ask) {
        if (tries == 0) {
            return end(answer);
        }
        Duration pause = answer.outcome() == Outcome.ALL_RESERVED
                ? UNTIL_UNITS_COME_BACK
                : answer.retryAfter();
        return CompletableFuture.supplyAsync(
                        () -> ask.apply(tries - 1),
                        CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS))
                .thenCompose(Function.identity());
    }

    private static CompletionStage<Outcome> end(Answer answer) {
        return CompletableFuture.completedStage(answer.outcome());
    }

    /** Whether what the buyers were told is what the levels say, and what the orders say. */
    private static boolean addsUp(List<Told> told, Levels levels, Map<Outcome, Sum> orders) {
        Map<Outcome, Integer> buyers = new EnumMap<>(Outcome.class);
        Map<Outcome, Long> units = new EnumMap<>(Outcome.class);
        for (Told one : told) {
            // Those who forgot to pay hold nothing any more.
            Outcome end = one.outcome() == Outcome.RESERVED ? Outcome.EXPIRED : one.outcome();
            buyers.merge(end, 1, Integer::sum);
            units.merge(end, (long) one.buyer().quantity(), Long::sum);
        }
        System.out.println("buyers: " + buyers);
        System.out.println("levels: available " + levels.available() + ", reserved "
                + levels.reserved() + ", sold " + levels.sold());
        System.out.println("orders: " + orders);
        boolean addsUp = levels.sold() == units.getOrDefault(Outcome.CONFIRMED, 0L)
                && levels.available() + levels.sold() == UNITS
                && !buyers.containsKey(Outcome.UNKNOWN);
        for (Outcome end : List.of(Outcome.CONFIRMED, Outcome.CANCELLED, Outcome.EXPIRED)) {
            Sum written = orders.getOrDefault(end, new Sum(0, 0));
            addsUp &= written.orders() == buyers.getOrDefault(end, 0)
                    && written.units() == units.getOrDefault(end, 0L);
        }
        return addsUp;
    }

    /** Looks until it is so; a look that Redis does not answer is repeated like any other. */
    private static void await(Callable<Boolean> done) throws Exception {
        for (int i = 0; i < 200; i++) {
            try {
                if (done.call()) {
                    return;
                }
            } catch (RemoteSpikeException noAnswer) {
                System.err.println(noAnswer.getMessage());
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        throw new TimeoutException("20 s");
    }
}
