package dev.spike.core;

import dev.spike.core.RemoteSpike.Settlement;

import java.util.List;

/** Confirming and cancelling in groups. */
final class Settling implements GroupCommit.Work<Settlement> {

    private final RemoteSpike remote;
    private final GateKeeper gateKeeper;

    Settling(RemoteSpike remote, GateKeeper gateKeeper) {
        this.remote = remote;
        this.gateKeeper = gateKeeper;
    }

    @Override
    public List<Answer> send(List<Settlement> group, long deadlineNanos) {
        return gateKeeper.ask(notAfter -> remote.settle(group, notAfter), deadlineNanos);
    }

    @Override
    public ReservationId idOf(Settlement settlement) {
        return settlement.id();
    }

    @Override
    public void answered(Settlement settlement, Answer answer) {}

    @Override
    public void broken(Throwable cause) {
        gateKeeper.halt(cause);
    }
}
