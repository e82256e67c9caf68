package dev.spike.core;

import dev.spike.core.RemoteSpike.Settlement;
import dev.spike.core.SpikeListener.Call;

import java.util.List;

/** Confirming and cancelling in groups. */
final class Settling implements GroupCommit.Work<Settlement> {

    private final RemoteSpike remote;
    private final GateKeeper gateKeeper;
    private final Telling telling;

    Settling(RemoteSpike remote, GateKeeper gateKeeper, Telling telling) {
        this.remote = remote;
        this.gateKeeper = gateKeeper;
        this.telling = telling;
    }

    @Override
    public List<Answer> send(List<Settlement> group, boolean again, long deadlineNanos) {
        return gateKeeper.ask(
                notAfter -> telling.call(
                        Call.SETTLE, group.size(), again, () -> remote.settle(group, notAfter)),
                deadlineNanos);
    }

    @Override
    public ReservationId idOf(Settlement settlement) {
        return settlement.id();
    }

    @Override
    public void answered(Settlement settlement, Answer answer) {
        telling.settled(settlement.to(), answer.outcome());
    }

    @Override
    public void broken(Throwable cause) {
        gateKeeper.halt(cause);
    }
}
