package dev.spike.http;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.LongAdder;

/**
 * A file with one line for each answer of {@code /buy/ticket}, in the ancestor's format. A request
 * never waits for it. A line that is lost still counts as sold.
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

    private final LongAdder lostSold = new LongAdder();
    private final LineLog<Line> log;

    /**
     * Appends to this file.
     *
     * @throws IOException if it cannot be written
     */
    StatLog(Path file) throws IOException {
        this.log = new LineLog<>("stat log", file, new Counting(lostSold));
    }

    private static final class Counting implements LineLog.Format<Line> {
        private final LongAdder lostSold;
        private long localSales;
        private long countedLostSold;

        Counting(LongAdder lostSold) {
            this.lostSold = lostSold;
        }

        @Override
        public void line(Line line, StringBuilder text) {
            localSales += line == Line.SOLD ? 1 : 0;
            text.append(line == Line.REFUSED ? "result:0,localSales:" : "result:1,localSales:")
                    .append(localSales);
        }

        @Override
        public void caughtUp() {
            long sold = lostSold.sum();
            localSales += sold - countedLostSold;
            countedLostSold = sold;
        }
    }

    void add(Line line) {
        if (!log.add(line) && line == Line.SOLD) {
            lostSold.increment();
        }
    }

    /** How many lines are not there. */
    long lost() {
        return log.lost();
    }

    /** Writes what is queued and closes the file, in a bounded time. */
    @Override
    public void close() {
        log.close();
    }
}
