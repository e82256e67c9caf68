package dev.spike.bench.load;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.TreeMap;

/**
 * What became of the requests of a load. Each one that was due is exactly one of: answered, failed,
 * lost (no answer until the end of the drain), not sent (the load was given up first). Not safe for
 * use by many threads.
 */
final class LoadReport {

    private final Load load;
    private final Histogram nanos = new Histogram(3);
    private final long[] statuses = new long[1000];
    private final long[] expected;
    private long answered;
    private long unexpected;
    private long busy;
    private long failed;
    private long lost;
    private long notSent;
    private long tookNanos;
    private @Nullable String firstTrouble;

    LoadReport(Load load) {
        this.load = load;
        this.expected = new long[load.cycle().size()];
    }

    /** An answer of 100 to 999 to a request at this place of the cycle. */
    void answer(int place, int status, boolean asExpected, long latencyNanos) {
        answered++;
        statuses[status]++;
        nanos.recordValue(latencyNanos);
        if (asExpected) {
            expected[place]++;
        } else if (status >= 500) {
            busy++;
        } else {
            unexpected++;
        }
    }

    /** No answer could be read; the time is not in the latencies, since failing may be quick. */
    void fail() {
        failed++;
    }

    /** No answer until the end; the time that it waited is in the latencies. */
    void lose(long waitedNanos) {
        lost++;
        nanos.recordValue(waitedNanos);
    }

    void skip(long count) {
        notSent += count;
    }

    /** What went wrong, in words; the first counts. */
    void trouble(String what) {
        if (firstTrouble == null) {
            firstTrouble = what;
        }
    }

    void end(long elapsedNanos) {
        tookNanos = elapsedNanos;
    }

    void add(LoadReport other) {
        nanos.add(other.nanos);
        for (int i = 0; i < statuses.length; i++) {
            statuses[i] += other.statuses[i];
        }
        for (int i = 0; i < expected.length; i++) {
            expected[i] += other.expected[i];
        }
        answered += other.answered;
        unexpected += other.unexpected;
        busy += other.busy;
        failed += other.failed;
        lost += other.lost;
        notSent += other.notSent;
        if (other.firstTrouble != null) {
            trouble(other.firstTrouble);
        }
    }

    /** How many were answered as this template expects. */
    long expected(Template template) {
        long sum = 0;
        for (int place = 0; place < expected.length; place++) {
            if (load.cycle().get(place) == template) {
                sum += expected[place];
            }
        }
        return sum;
    }

    /** Each status that was answered, with how often. */
    Map<Integer, Long> statuses() {
        Map<Integer, Long> counts = new TreeMap<>();
        for (int status = 0; status < statuses.length; status++) {
            if (statuses[status] > 0) {
                counts.put(status, statuses[status]);
            }
        }
        return counts;
    }

    /** A quantile of the latencies of all that were answered or lost, in milliseconds. */
    double millis(double quantile) {
        return nanos.getValueAtPercentile(quantile * 100) / 1e6;
    }

    double maxMillis() {
        return nanos.getMaxValue() / 1e6;
    }

    /** Answers each second, from when the first was due to the last answer. */
    double answersPerSecond() {
        return answered / (tookNanos / 1e9);
    }

    long answered() {
        return answered;
    }

    /** Answers that are not as expected, statuses of 500 and above not counted. */
    long unexpected() {
        return unexpected;
    }

    /** Unexpected answers of 500 and above: the server said that it could not. */
    long busy() {
        return busy;
    }

    /** Requests whose connection broke, or whose answer could not be read. */
    long failed() {
        return failed;
    }

    long lost() {
        return lost;
    }

    /** Due, but the load was given up before. */
    long notSent() {
        return notSent;
    }

    /** Whether all that were due were answered as expected. */
    boolean isClean() {
        return unexpected == 0 && busy == 0 && failed == 0 && lost == 0 && notSent == 0;
    }

    /** All counts in a line, and what went wrong first. */
    String summary() {
        return load.count() + " due, " + answered + " answered by status " + statuses() + ", "
                + (unexpected + busy) + " not as expected, " + failed + " failed, " + lost
                + " lost, " + notSent + " not sent"
                + (firstTrouble == null ? "" : "; first: " + firstTrouble);
    }
}
