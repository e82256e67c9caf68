package dev.spike.http;

import dev.spike.core.Levels;
import dev.spike.core.OrderBook;
import dev.spike.core.Rebuild;
import dev.spike.core.RemoteSpike.Restored.Effect;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.PrintStream;
import java.util.Locale;

/**
 * {@code spike-http rebuild}: rebuilds the sale that the options name from its order book, after
 * Redis lost it or its last writes. The sale is closed afterwards.
 */
final class RebuildCommand {

    /** Those of the server; what only concerns its listeners is not used. */
    @Command(
            name = "spike-http rebuild",
            description = {
                "Rebuilds a sale from its order book, after Redis lost it or its last writes.",
                "Stop every server first. The sale is closed until it is reopened.",
                "Exit code 1 if it cannot be done, 2 for wrong usage, 3 if an order does not fit."
            })
    static final class RebuildOptions extends Options {
        @Option(names = "--dry-run", description = "Change nothing; tell what would be done.")
        boolean dryRun;
    }

    private static final int COMPLETE = 0;
    private static final int INCOMPLETE = 3;

    private RebuildCommand() {}

    /**
     * Rebuilds it, and tells what was done.
     *
     * @return the exit code
     * @throws IllegalArgumentException if the options name no Redis or no orders, or the sale was
     *     opened under other rules
     * @throws dev.spike.core.RemoteSpikeException if the store or the book gives no answer
     */
    static int run(RebuildOptions options, PrintStream out) {
        try (Store store = Store.open(options);
                Orders orders = Orders.open(options, (saleId, relay) -> {})) {
            OrderBook book = orders.book();
            if (book == null) {
                throw new IllegalArgumentException(
                        "must be a database: --orders=" + orders.description());
            }
            Rebuild rebuild = Rebuild.run(
                    store.sales().apply(options.saleId), options.sale(), book, options.dryRun);
            tell(rebuild, options.saleId, out);
            return rebuild.complete() ? COMPLETE : INCOMPLETE;
        }
    }

    private static void tell(Rebuild rebuild, String saleId, PrintStream out) {
        String would = rebuild.dryRun() ? " would be" : "";
        out.println("Sale " + saleId + ", from its orders:");
        out.println("  " + count(rebuild, Effect.ADDED) + would + " added");
        out.println("  " + count(rebuild, Effect.SETTLED) + would + " settled");
        out.println("  " + count(rebuild, Effect.KNOWN) + " known, and as they are");
        out.println("  " + count(rebuild, Effect.DIFFERENT)
                + " known with another quantity or final state: not changed");
        out.println("  " + count(rebuild, Effect.TOO_MANY)
                + " of more units than there are: not added");
        rebuild.refused()
                .forEach(order -> out.println("    " + order.id() + ": "
                        + order.quantity() + " units, "
                        + order.status().name().toLowerCase(Locale.ROOT)));
        Levels levels = rebuild.levels();
        out.println((rebuild.dryRun() ? "Now: " : "Closed: ") + levels.available() + " available, "
                + levels.reserved() + " reserved, " + levels.sold() + " sold");
        if (!rebuild.dryRun()) {
            out.println("Start the servers, audit, and reopen it: POST /v1/sales/" + saleId
                    + "/reopen");
        }
    }

    private static long count(Rebuild rebuild, Effect effect) {
        return rebuild.effects().getOrDefault(effect, 0L);
    }
}
