package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.Levels;
import dev.spike.core.LogEntry;
import dev.spike.core.OrderBook;
import dev.spike.core.OrderLog;
import dev.spike.core.Progress;
import dev.spike.core.RemoteSpike;
import dev.spike.core.ReservationId;
import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/** The shared stock and its log as a node sees them, over its {@link Link}. */
final class Network implements RemoteSpike, OrderLog.Source {

    private final Link link;
    private final World world;
    private final SimulatedStore store;
    private final Knowledge knowledge;
    private final Asked asked;

    Network(Link link, World world, SimulatedStore store, Knowledge knowledge, Asked asked) {
        this.link = link;
        this.store = store;
        this.world = world;
        this.knowledge = knowledge;
        this.asked = asked;
    }

    /** A call from whose reply the node learns the levels. */
    private <T> T learn(BiFunction<Server, InMemorySpike, T> call, Function<T, Levels> levels) {
        Levels known = knowledge.newest();
        long asked = world.now();
        T reply = Objects.requireNonNull(link.call(call, none -> false));
        knowledge.told(levels.apply(reply), known, asked);
        return reply;
    }

    private <T> T call(BiFunction<Server, InMemorySpike, T> call) {
        return Objects.requireNonNull(link.call(call, none -> false));
    }

    @Override
    public String saleId() {
        return World.SALE;
    }

    @Override
    public Opening open(Sale sale) {
        return call((server, stock) -> stock.open(sale));
    }

    @Override
    public @Nullable Sale sale() {
        return link.<@Nullable Sale>call((server, stock) -> stock.sale(), none -> false);
    }

    @Override
    public long soldBefore() {
        return 0;
    }

    @Override
    public Levels levels() {
        return learn((server, stock) -> server.named(stock.levels()), Function.identity());
    }

    @Override
    public Reply reserve(List<Request> batch, long notAfterMillis) {
        List<Request> all = batch.stream()
                .map(one -> new Request(asked.named(one.id()), one.quantity()))
                .toList();
        return learn(
                (server, stock) -> named(server, stock.reserve(all, notAfterMillis)),
                Reply::levels);
    }

    @Override
    public Reply settle(List<Settlement> batch, long notAfterMillis) {
        return learn(
                (server, stock) -> named(server, stock.settle(batch, notAfterMillis)),
                Reply::levels);
    }

    private static Reply named(Server server, Reply reply) {
        return new Reply(server.named(reply.levels()), reply.answers(), reply.late());
    }

    @Override
    public Sweep expire() {
        return learn(
                (server, stock) -> {
                    Sweep sweep = stock.expire();
                    return new Sweep(
                            server.named(sweep.levels()),
                            sweep.expired(),
                            sweep.isMore(),
                            sweep.nextDeadline());
                },
                Sweep::levels);
    }

    @Override
    public Restock restock(Operation operation) {
        return call((server, stock) -> {
            Restock done = stock.restock(operation);
            return new Restock(done.effect(), done.applied(), server.named(done.levels()));
        });
    }

    @Override
    public Levels closeSale() {
        return call((server, stock) -> server.named(stock.closeSale()));
    }

    @Override
    public Levels reopenSale() {
        return call((server, stock) -> server.named(stock.reopenSale()));
    }

    @Override
    public @Nullable Progress find(ReservationId id) {
        return link.<@Nullable Progress>call((server, stock) -> stock.find(id), none -> false);
    }

    @Override
    public Page reservations(@Nullable String cursor) {
        return call((server, stock) -> stock.reservations(cursor));
    }

    @Override
    public Page reservationsOf(String buyer, @Nullable String cursor) {
        return call((server, stock) -> stock.reservationsOf(buyer, cursor));
    }

    @Override
    public List<LogEntry> log(long after) {
        return call((server, stock) -> stock.log(after));
    }

    @Override
    public boolean correct(Correction correction) {
        return call((server, stock) -> stock.correct(correction));
    }

    @Override
    public Opening openClosed(Sale sale) {
        return call((server, stock) -> stock.openClosed(sale));
    }

    @Override
    public Restored restore(List<OrderBook.Order> batch) {
        return call((server, stock) -> stock.restore(batch));
    }

    @Override
    public OrderLog orderLog(String group, String consumer) {
        return new Log(group, consumer);
    }

    private final class Log implements OrderLog {
        private final String group;
        private final String consumer;

        /** What this relay has taken. */
        private final Map<Long, LogEntry> believed = new HashMap<>();

        Log(String group, String consumer) {
            this.group = group;
            this.consumer = consumer;
        }

        private @Nullable Taken take(Function<OrderLog, @Nullable Taken> which) {
            Taken taken = link.<@Nullable Taken>call(
                    (server, stock) -> which.apply(stock.orderLog(group, consumer)),
                    reply -> reply != null && !reply.isEmpty());
            if (taken != null && !taken.isEmpty()) {
                taken.entries().forEach(entry -> believed.put(entry.sequence(), entry));
                world.note(consumer + " takes "
                        + taken.entries().stream().map(LogEntry::sequence).toList());
            }
            return taken;
        }

        @Override
        public @Nullable Taken takeOwn(long after, int most) {
            return take(log -> log.takeOwn(after, most));
        }

        @Override
        public List<Long> pending(long after, int most) {
            return Network.this.call(
                    (server, stock) -> stock.orderLog(group, consumer).pending(after, most));
        }

        @Override
        public @Nullable Taken takeIdle(Duration idle, int most) {
            Taken taken = take(log -> log.takeIdle(idle, most));
            if (taken != null && !taken.isEmpty()) {
                world.happened(Happening.RELAY_TOOK_OVER, "by " + consumer);
            }
            return taken;
        }

        @Override
        public @Nullable Taken takeNew(int most) {
            return take(log -> log.takeNew(most));
        }

        private List<LogEntry> believed(List<Long> sequences) {
            return sequences.stream()
                    .flatMap(sequence -> Stream.ofNullable(believed.get(sequence)))
                    .toList();
        }

        @Override
        public @Nullable Lag acknowledge(List<Long> sequences) {
            List<Long> all = List.copyOf(sequences);
            List<LogEntry> told = believed(all);
            if (!all.isEmpty()) {
                world.note(consumer + " acknowledges " + all);
            }
            return link.<@Nullable Lag>call(
                    (server, stock) -> {
                        told.forEach(entry -> store.acknowledges(entry, stock));
                        return stock.orderLog(group, consumer).acknowledge(all);
                    },
                    lag -> !all.isEmpty());
        }

        @Override
        public Burial bury(long sequence, List<Dead> events, @Nullable Duration triedFor) {
            List<LogEntry> told = believed(List.of(sequence));
            Burial burial = Objects.requireNonNull(link.call(
                    (server, stock) -> {
                        told.forEach(entry -> store.acknowledges(entry, stock));
                        return stock.orderLog(group, consumer).bury(sequence, events, triedFor);
                    },
                    done -> done == Burial.DONE));
            world.note(consumer + " buries " + sequence + ": " + burial);
            if (burial == Burial.DONE) {
                world.happened(Happening.DEAD_LETTER, events + " of entry " + sequence);
            }
            return burial;
        }
    }
}
