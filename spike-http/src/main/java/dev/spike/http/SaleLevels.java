package dev.spike.http;

import dev.spike.core.Levels;
import dev.spike.core.Levels.Phase;

import java.util.Locale;

/**
 * A sale's phase and levels, with which each document about a sale begins.
 *
 * @param phase {@code not_yet_open}, {@code open}, {@code closed}; {@code absent} if the store lost
 *     it, {@code stopped} if this node stopped selling it for good
 */
record SaleLevels(String sale, String phase, long total, long available, long reserved, long sold) {

    /** As the store answered, whatever this node does. */
    static SaleLevels of(String saleId, Levels levels) {
        return of(saleId, levels.phase().name().toLowerCase(Locale.ROOT), levels);
    }

    /** As this node, which may have stopped selling it, last saw them. */
    static SaleLevels of(OpenSale sale, Levels levels) {
        String saleId = sale.rules().id();
        return levels.phase() != Phase.ABSENT && sale.spike().haltReason().isPresent()
                ? of(saleId, "stopped", levels)
                : of(saleId, levels);
    }

    private static SaleLevels of(String saleId, String phase, Levels levels) {
        return new SaleLevels(
                saleId,
                phase,
                levels.total(),
                levels.available(),
                levels.reserved(),
                levels.sold());
    }
}
