package dev.spike.bench.fault;

import dev.spike.core.InMemorySpike;
import dev.spike.core.LogEntry;
import dev.spike.core.Progress;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The shared stock of a simulation, as nodes reach it: a {@link Server}, and for a while after a
 * fail-over also the old one, which some nodes have not left yet.
 */
final class SimulatedStore {

    private final Scheduler scheduler;
    private final Map<Scheduler.Owner, Long> leaves = new HashMap<>();
    private final Set<ReservationId> acknowledgedUnseen = new HashSet<>();
    private Server server;
    private @Nullable Server old;
    private long oldEndsNanos;
    private int losses;
    private long lostNanos = Long.MIN_VALUE;
    private Duration ahead = Duration.ZERO;
    private Duration mostAhead = Duration.ZERO;
    private long clockJumpedNanos = Long.MIN_VALUE;

    SimulatedStore(Scheduler scheduler, String saleId) {
        this.scheduler = scheduler;
        this.server = new Server(scheduler, saleId);
    }

    /** The one that is there to stay. */
    Server server() {
        return server;
    }

    /** All that somebody may still reach. */
    List<Server> servers() {
        Server before = old;
        return before != null && scheduler.nowNanos() < oldEndsNanos
                ? List.of(server, before)
                : List.of(server);
    }

    /** The one to which calls of this node go. */
    Server serverOf(Scheduler.Owner node) {
        Server before = old;
        return before != null && scheduler.nowNanos() < leaves.getOrDefault(node, 0L)
                ? before
                : server;
    }

    /** How often changes were lost that somebody may have been told of. */
    int losses() {
        return losses;
    }

    /** When that was last. */
    long lostNanos() {
        return lostNanos;
    }

    private void lost() {
        losses++;
        lostNanos = scheduler.nowNanos();
    }

    /**
     * A relay acknowledges an entry that it has taken. The store may have lost that, and have
     * logged another one in its place, of which then nobody hears.
     */
    void acknowledges(LogEntry entry, InMemorySpike stock) {
        List<LogEntry> now = losses == 0 ? List.of() : stock.log(entry.sequence() - 1);
        if (!now.isEmpty()
                && now.get(0).sequence() == entry.sequence()
                && !now.get(0).equals(entry)) {
            now.get(0).events().forEach(event -> acknowledgedUnseen.add(event.id()));
        }
    }

    /** Whether somebody may have acknowledged a change of it that is not written. */
    boolean isAcknowledgedUnseen(ReservationId id) {
        return acknowledgedUnseen.contains(id);
    }

    /** See {@link Server#lose}. */
    int lose(int most) {
        int lost = server.lose(most);
        if (lost > 0) {
            lost();
        }
        return lost;
    }

    /** See {@link Server#loseAll}. */
    void loseAll() {
        server.loseAll();
        lost();
    }

    /**
     * Promotes a replica that lacks the last changes. Each of the nodes leaves the old master at a
     * time of its own, at the latest after {@code splitNanos}; what that takes meanwhile is lost.
     */
    void failOver(int behind, long splitNanos, List<SimulatedNode> nodes, Random random) {
        Server master = server;
        server = master.replica(behind);
        old = master;
        oldEndsNanos = scheduler.nowNanos() + splitNanos;
        leaves.clear();
        nodes.forEach(node -> leaves.put(node, scheduler.nowNanos() + random.nextLong(splitNanos)));
        master.downFrom(splitNanos);
        lost();
        scheduler.after(splitNanos, null, this::lost);
    }

    /** Whether a server is the old master of a fail-over. */
    boolean isOld(Server one) {
        return one == old;
    }

    /** Sets the clocks of all servers this far ahead of the virtual one. */
    void setClock(Duration time) {
        ahead = time;
        mostAhead = time.compareTo(mostAhead) > 0 ? time : mostAhead;
        clockJumpedNanos = scheduler.nowNanos();
        servers().forEach(one -> one.setClock(time));
    }

    Duration ahead() {
        return ahead;
    }

    /** Sets the clocks so that no deadline is further away than it was to be. */
    void catchUpClock() {
        if (!ahead.equals(mostAhead)) {
            setClock(mostAhead);
        }
    }

    /** When a clock jumped last. */
    long clockJumpedNanos() {
        return clockJumpedNanos;
    }

    /** The reservation, where it is. */
    @Nullable
    Progress find(ReservationId id) {
        return servers().stream()
                .flatMap(one -> Stream.ofNullable(one.stock().find(id)))
                .findFirst()
                .orElse(null);
    }

    /** Whether any server has a reservation like that. */
    boolean has(ReservationId id, Predicate<Progress> such) {
        return servers().stream()
                .flatMap(one -> Stream.ofNullable(one.stock().find(id)))
                .anyMatch(such);
    }
}
