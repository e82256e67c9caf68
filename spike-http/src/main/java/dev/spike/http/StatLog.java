package dev.spike.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * A file with one line for each answer of {@code /buy/ticket}, in the ancestor's format. One thread
 * writes it; a request only offers to a bounded queue and never waits. What does not fit is counted
 * and reported, and still counts as sold.
 */
final class StatLog implements AutoCloseable {

    /** What a line is about. */
    enum Line {
        /** A unit was reserved. */
        SOLD,
        /** A holder repeated its request; no further unit was reserved. */
        REPEATED,
        /** Anything else. */
        REFUSED
    }

    private static final Logger LOG = System.getLogger(SpikeServer.class.getName());
    private static final int QUEUE = 1 << 17;
    private static final long FLUSH_MILLIS = 50;
    private static final long CLOSE_MILLIS = 2_000;

    private final BlockingQueue<Line> queue = new ArrayBlockingQueue<>(QUEUE);
    private final LongAdder lost = new LongAdder();
    private final LongAdder lostSold = new LongAdder();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final BufferedWriter out;
    private final Thread writer;
    private long localSales;
    private long reportedLost;
    private long countedLostSold;

    /**
     * Appends to this file.
     *
     * @throws IOException if it cannot be written
     */
    StatLog(Path file) throws IOException {
        this.out = Files.newBufferedWriter(
                file, US_ASCII, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        this.writer = new Thread(this::run, "spike-http-stat-log");
        writer.setDaemon(true);
        writer.start();
    }

    void add(Line line) {
        if (!queue.offer(line)) {
            lost.increment();
            if (line == Line.SOLD) {
                lostSold.increment();
            }
        }
    }

    /** How many lines did not fit. */
    long lost() {
        return lost.sum();
    }

    private void run() {
        boolean last;
        do {
            last = await();
            try {
                write();
            } catch (IOException failure) {
                LOG.log(Level.ERROR, "the stat log cannot be written: " + failure.getMessage());
                return;
            }
        } while (!last);
    }

    /** Waits a while; true once the log is closing. */
    private boolean await() {
        try {
            return closing.await(FLUSH_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            return true;
        }
    }

    private void write() throws IOException {
        List<Line> lines = new ArrayList<>();
        while (queue.drainTo(lines) > 0) {
            for (Line line : lines) {
                localSales += line == Line.SOLD ? 1 : 0;
                out.append(line == Line.REFUSED ? "result:0,localSales:" : "result:1,localSales:")
                        .append(Long.toString(localSales))
                        .append('\n');
            }
            lines.clear();
        }
        reportLost();
        out.flush();
    }

    private void reportLost() {
        long total = lost.sum();
        long sold = lostSold.sum();
        localSales += sold - countedLostSold;
        countedLostSold = sold;
        if (total > reportedLost) {
            LOG.log(
                    Level.WARNING,
                    "the stat log lost " + (total - reportedLost) + " lines, " + total
                            + " in all: it is written too slowly");
            reportedLost = total;
        }
    }

    /** Writes what is queued and closes the file, in a bounded time. */
    @Override
    public void close() {
        closing.countDown();
        try (out) {
            writer.join(CLOSE_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (IOException failure) {
            LOG.log(Level.ERROR, "the stat log cannot be closed: " + failure.getMessage());
        }
    }
}
