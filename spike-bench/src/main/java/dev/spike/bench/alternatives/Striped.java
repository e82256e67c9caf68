package dev.spike.bench.alternatives;

import dev.spike.core.LocalSpike;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A cell for each thread (threads may share one), filled from a common counter by {@value #CHUNK}
 * units. Before it refuses, a call collects what the other cells hold, so that no unit is stranded.
 *
 * <p>Not used because it is no longer one number: while a call carries units from one counter to
 * another, a second one may be refused although they are there, and refilling has no one moment. A
 * refusal must look at every cell, and refusals are most of what a sale answers.
 */
final class Striped implements LocalSpike {

    private static final int CHUNK = 64;

    /** As many longs as two cache lines hold: the hardware fetches them in pairs. */
    private static final int APART = 16;

    private static final int CELLS =
            Integer.highestOneBit(Runtime.getRuntime().availableProcessors() * 4 - 1);

    private final AtomicLong common = new AtomicLong();
    private final AtomicLongArray cells = new AtomicLongArray((CELLS + 1) * APART);

    @Override
    public boolean tryTake(int quantity) {
        int own = ownCell();
        return takeFromCell(own, quantity)
                || takeChunk(own, quantity)
                || quota() >= quantity && collect(own, quantity);
    }

    private boolean takeFromCell(int cell, int quantity) {
        long current = cells.get(cell);
        while (current >= quantity) {
            long witness = cells.compareAndExchange(cell, current, current - quantity);
            if (witness == current) {
                return true;
            }
            current = witness;
        }
        return false;
    }

    private boolean takeChunk(int own, int quantity) {
        long current = common.get();
        while (current >= quantity) {
            long chunk = Math.min(current, Math.max(quantity, CHUNK));
            long witness = common.compareAndExchange(current, current - chunk);
            if (witness == current) {
                cells.getAndAdd(own, chunk - quantity);
                return true;
            }
            current = witness;
        }
        return false;
    }

    /** From everywhere; what was collected in vain, or is left over, goes to the own cell. */
    private boolean collect(int own, int quantity) {
        long collected = common.getAndSet(0);
        for (int cell = APART; cell < cells.length() && collected < quantity; cell += APART) {
            collected += cells.getAndSet(cell, 0);
        }
        boolean enough = collected >= quantity;
        cells.getAndAdd(own, enough ? collected - quantity : collected);
        return enough;
    }

    @Override
    public void giveBack(int quantity) {
        cells.getAndAdd(ownCell(), quantity);
    }

    @Override
    public void refill(long units) {
        for (int cell = APART; cell < cells.length(); cell += APART) {
            cells.set(cell, 0);
        }
        common.set(units);
    }

    @Override
    public long quota() {
        long sum = common.get();
        for (int cell = APART; cell < cells.length(); cell += APART) {
            sum += cells.get(cell);
        }
        return sum;
    }

    private static int ownCell() {
        return (1 + (int) (Thread.currentThread().getId() & (CELLS - 1))) * APART;
    }
}
