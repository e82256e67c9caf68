package dev.spike.core;

import java.time.Duration;
import java.time.Instant;

/** The order log of the specification. */
class InMemoryOrderLogTest extends OrderLogContract {

    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final RemoteSpike stock = new InMemorySpike("ticket", () -> now);

    @Override
    protected RemoteSpike stock() {
        return stock;
    }

    @Override
    protected void passTime(Duration time) {
        now = now.plus(time);
    }
}
