package dev.spike.bench.peers;

import java.util.concurrent.CompletableFuture;

/** A peer that takes units without blocking, too. */
public interface AsyncPeer extends Peer {

    /** Asks for one unit; false if there was none. */
    CompletableFuture<Boolean> takeOneAsync();

    @Override
    default boolean takeOne() {
        return takeOneAsync().join();
    }
}
