package dev.spike.http;

import dev.spike.core.Levels;
import dev.spike.core.RemoteSpike;
import dev.spike.core.RemoteSpike.Opening;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The sales that this node sells: one {@link Spike} for each, made when the sale is opened here or
 * first asked for, and only if the store has it. Never more than {@value #MAX}.
 */
final class Sales implements AutoCloseable {

    static final int MAX = 100;

    private static final Logger LOG = System.getLogger(SpikeServer.class.getName());

    private final Map<String, OpenSale> open = new ConcurrentHashMap<>();
    private final Function<String, RemoteSpike> store;
    private final Function<RemoteSpike, Spike> start;
    private final SalesFile file;
    private final StoreCalls calls;

    /**
     * @param store the shared stock of a sale id
     * @param start a node of it
     * @param file remembers them
     */
    Sales(
            Function<String, RemoteSpike> store,
            Function<RemoteSpike, Spike> start,
            SalesFile file,
            StoreCalls calls) {
        this.store = store;
        this.start = start;
        this.file = file;
        this.calls = calls;
    }

    /** Those that this node sells now. */
    Collection<OpenSale> all() {
        return open.values();
    }

    /** The sale, if this node sells it already. */
    @Nullable
    OpenSale known(String saleId) {
        return open.get(saleId);
    }

    /** The sale; empty if the store has none under this id. Does not block. */
    CompletionStage<Optional<OpenSale>> find(String saleId) {
        OpenSale known = open.get(saleId);
        return known != null
                ? CompletableFuture.completedStage(Optional.of(known))
                : calls.call(() -> Optional.ofNullable(register(store.apply(saleId))));
    }

    /** What {@link #open} did, and the sale as it is. */
    record Opened(Opening opening, OpenSale sale) {}

    /** Opens a sale, without blocking. */
    CompletionStage<Opened> openAsync(Sale rules) {
        return calls.call(() -> open(rules));
    }

    /**
     * Opens a sale, if it is not open yet. Blocks.
     *
     * @throws RemoteSpikeException if the store gave no answer
     */
    synchronized Opened open(Sale rules) {
        OpenSale known = open.get(rules.id());
        if (known != null) {
            return new Opened(known.spike().open(rules), known);
        }
        requireRoom();
        RemoteSpike remote = store.apply(rules.id());
        Opening opening = remote.open(rules);
        OpenSale sale;
        try {
            sale = register(remote);
        } catch (RemoteSpikeException afterOpening) {
            throw new RemoteSpikeException(
                    Kind.UNKNOWN,
                    "opened perhaps, but: " + afterOpening.getMessage(),
                    afterOpening);
        }
        if (sale == null) {
            throw new RemoteSpikeException(Kind.NOT_EXECUTED, "the sale is gone again", null);
        }
        return new Opened(opening, sale);
    }

    /** Goes on with sales of an earlier run, as far as the store still has them. Blocks. */
    void reopen(Collection<String> saleIds) {
        for (String saleId : saleIds) {
            try {
                if (!open.containsKey(saleId)) {
                    register(store.apply(saleId));
                }
            } catch (RemoteSpikeException failure) {
                LOG.log(Level.WARNING, "not selling " + saleId + ": " + failure.getMessage());
            }
        }
    }

    private @Nullable OpenSale register(RemoteSpike remote) {
        Sale rules = remote.sale();
        if (rules == null) {
            return null;
        }
        synchronized (open) {
            OpenSale known = open.get(rules.id());
            if (known != null) {
                return known;
            }
            requireRoom();
            Spike spike = start.apply(remote);
            spike.sync();
            Long before = spike.levels().map(Levels::reservations).orElse(null);
            OpenSale sale = new OpenSale(rules, spike, new Traffic(before));
            open.put(rules.id(), sale);
            file.add(rules.id());
            return sale;
        }
    }

    private void requireRoom() {
        if (open.size() >= MAX) {
            throw new RemoteSpikeException(
                    Kind.NOT_SENT, "this node sells " + MAX + " sales already", null);
        }
    }

    /** Closes the nodes of all sales, side by side. */
    @Override
    public void close() {
        CompletableFuture.allOf(open.values().stream()
                        .map(sale -> CompletableFuture.runAsync(
                                sale.spike()::close, task -> new Thread(task).start()))
                        .toArray(CompletableFuture<?>[]::new))
                .join();
    }
}
