package dev.spike.core;

import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.SpikeListener.Call;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** Reserving in groups: the quota, the call, and each request's own answer. */
final class Reserving implements GroupCommit.Work<Reserving.Asked> {

    /** A request on its way: whether this node made its key, and whether it holds quota. */
    static final class Asked {
        private final Request request;
        private final boolean isNewKey;
        private final long atNanos;
        private volatile boolean tookQuota;

        private Asked(Request request, boolean isNewKey, long atNanos) {
            this.request = request;
            this.isNewKey = isNewKey;
            this.atNanos = atNanos;
        }
    }

    private final RemoteSpike remote;
    private final GateKeeper gateKeeper;
    private final Telling telling;
    private final LocalSpike local = LocalSpike.create();
    private final LongAdder unitsReserved = new LongAdder();
    private final int nodes;
    private final double buffer;
    private final long fixedQuota;
    private final LongSupplier nanoTime;

    Reserving(RemoteSpike remote, GateKeeper gateKeeper, Telling telling, SpikeBuilder options) {
        this.remote = remote;
        this.gateKeeper = gateKeeper;
        this.telling = telling;
        this.nodes = options.nodes;
        this.buffer = options.buffer;
        this.fixedQuota = options.quota;
        this.nanoTime = options.nanoTime;
    }

    /** A request that takes its units from the quota, if there are so many. */
    Asked ask(ReservationId id, boolean isNewKey, int quantity) {
        Asked asked = new Asked(new Request(id, quantity), isNewKey, nanoTime.getAsLong());
        asked.tookQuota = local.tryTake(quantity);
        return asked;
    }

    long quota() {
        return local.quota();
    }

    long unitsReserved() {
        return unitsReserved.sum();
    }

    @Override
    public List<Answer> send(List<Asked> group, boolean again, long deadlineNanos) {
        lookIfQuotaRanOut(group);
        List<Request> requests = group.stream().map(asked -> asked.request).toList();
        List<Answer> answers = gateKeeper.ask(
                notAfter -> telling.call(
                        Call.RESERVE,
                        requests.size(),
                        again,
                        () -> remote.reserve(requests, notAfter)),
                deadlineNanos);
        return IntStream.range(0, answers.size())
                .mapToObj(i -> toAsker(group.get(i), answers.get(i)))
                .toList();
    }

    /** Looks at the shared levels for a new quota, unless they were reported since. */
    private void lookIfQuotaRanOut(List<Asked> group) {
        List<Asked> without = group.stream().filter(asked -> !asked.tookQuota).toList();
        if (!without.isEmpty()) {
            long available = gateKeeper
                    .levelsSince(without.get(without.size() - 1).atNanos)
                    .available();
            double share = Math.ceil((double) available / nodes * (1 + buffer));
            local.refill(fixedQuota > 0 ? Math.min(fixedQuota, available) : (long) share);
            without.forEach(asked -> asked.tookQuota = local.tryTake(asked.request.quantity()));
        }
    }

    /** A key that this node made was repeated by itself only, after a reply that was lost. */
    private static Answer toAsker(Asked asked, Answer answer) {
        return asked.isNewKey && answer.repeated() && answer.reservation() != null
                ? Answer.of(answer.reservation(), false)
                : answer;
    }

    @Override
    public ReservationId idOf(Asked asked) {
        return asked.request.id();
    }

    @Override
    public void answered(Asked asked, Answer answer) {
        boolean isNew = answer.outcome() == Outcome.RESERVED && !answer.repeated();
        if (isNew) {
            unitsReserved.add(asked.request.quantity());
        } else if (asked.tookQuota && answer.outcome() != Outcome.UNKNOWN) {
            local.giveBack(asked.request.quantity());
        }
        telling.answered(answer.outcome(), false);
    }

    @Override
    public void broken(Throwable cause) {
        gateKeeper.halt(cause);
    }
}
