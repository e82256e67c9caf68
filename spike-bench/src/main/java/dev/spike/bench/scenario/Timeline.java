package dev.spike.bench.scenario;

import dev.spike.core.LogEntry;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpike;

import java.util.ArrayList;
import java.util.List;

/**
 * The history of a sale as its store wrote it: the levels after each change, by the store's clock,
 * read from the order log. It is the truth that the nodes' answers are held against.
 */
final class Timeline {

    /**
     * Levels, units, that stood from a moment on.
     *
     * @param sequence of the change that made them so
     * @param atMillis of the epoch, by the store's clock
     */
    record Point(long sequence, long atMillis, long available, long reserved, long sold) {

        /** Whether this refusal of one unit, to a new key, is true of these levels. */
        boolean makesTrue(Outcome refusal) {
            return available == 0 && (reserved == 0) == (refusal == Outcome.SOLD_OUT);
        }
    }

    private final List<Point> points;

    /** Of points in the order of the log. */
    Timeline(List<Point> points) {
        this.points = List.copyOf(points);
    }

    /** Reads the whole log. */
    static Timeline of(RemoteSpike sale) {
        List<Point> points = new ArrayList<>();
        for (List<LogEntry> page = sale.log(0);
                !page.isEmpty();
                page = sale.log(page.get(page.size() - 1).sequence())) {
            for (LogEntry entry : page) {
                points.add(new Point(
                        entry.sequence(),
                        entry.at().toEpochMilli(),
                        entry.available(),
                        entry.reserved(),
                        entry.sold()));
            }
        }
        return new Timeline(points);
    }

    List<Point> points() {
        return points;
    }

    /**
     * How old a refusal was when it was given: for how many milliseconds it had not been true any
     * more when it was asked for; 0: it was true at a moment between asking and answering.
     *
     * @param askedMillis of the epoch, by the store's clock, as answeredMillis
     * @return -1: it had never been true
     */
    long age(Outcome refusal, long askedMillis, long answeredMillis) {
        for (int i = lastUntil(answeredMillis); i >= 0; i--) {
            if (points.get(i).makesTrue(refusal)) {
                boolean stillTrue = i + 1 == points.size();
                long untilMillis =
                        stillTrue ? answeredMillis : points.get(i + 1).atMillis();
                return Math.max(0, askedMillis - untilMillis);
            }
        }
        return -1;
    }

    /** The levels at a moment; those of the first point before it. */
    Point at(long millis) {
        return points.get(Math.max(0, lastUntil(millis)));
    }

    /** The last point that is not after a moment; -1: none. */
    private int lastUntil(long millis) {
        int low = 0;
        int high = points.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (points.get(middle).atMillis() <= millis) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }
}
