package dev.spike.core;

import dev.spike.core.Audit.Place;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The part of an audit that reads the log: holds it against itself and the levels, and keeps what
 * happened since a sequence. Entries that everybody has done with may be trimmed meanwhile; that is
 * no gap.
 */
final class LogAuditor {

    private final RemoteSpike remote;
    private final Findings findings;

    /** Entries whose levels do not follow from those before. */
    private final Findings jumps = new Findings();

    private final List<OrderEvent> events = new ArrayList<>();
    private Tally logged = new Tally();
    private @Nullable LogEntry last;
    private long since = Long.MAX_VALUE;
    private long first;
    private long gaplessFrom;
    private long totalChangedAt;

    LogAuditor(RemoteSpike remote, Findings findings) {
        this.remote = remote;
        this.findings = findings;
    }

    /** Reads what the log holds, and keeps what happens from now on; answers the sequence now. */
    long start() {
        readTo(remote.levels().sequence());
        long now = remote.levels().sequence();
        readTo(now);
        since = now;
        return now;
    }

    /** Reads on to this sequence. */
    void readTo(long sequence) {
        while (lastSequence() < sequence && readPage(sequence)) {
            continue;
        }
    }

    /** Reads on, one page at the most and not beyond this sequence; false if nothing is there. */
    boolean readPage(long end) {
        List<LogEntry> page = remote.log(lastSequence());
        page.stream().filter(entry -> entry.sequence() <= end).forEach(this::read);
        return !page.isEmpty() && page.get(0).sequence() <= end;
    }

    private long lastSequence() {
        return last == null ? 0 : last.sequence();
    }

    private void read(LogEntry entry) {
        LogEntry before = last;
        if (before == null || entry.sequence() != before.sequence() + 1) {
            gaplessFrom = entry.sequence();
            totalChangedAt = entry.sequence();
            if (before == null || isTrimmed(before)) {
                first = entry.sequence();
                logged = new Tally();
            } else {
                findings.compare(
                        Place.LOG,
                        "number of entries before " + entry.sequence(),
                        entry.sequence() - before.sequence() - 1,
                        0);
            }
        } else {
            compare(before, entry);
        }
        for (OrderEvent event : entry.events()) {
            logged.add(event.state(), 1, event.quantity());
        }
        if (entry.sequence() > since) {
            events.addAll(entry.events());
        }
        last = entry;
    }

    /** Whether an entry that was read is gone by now, and so what followed it may be, too. */
    private boolean isTrimmed(LogEntry entry) {
        List<LogEntry> page = remote.log(0);
        return page.isEmpty() || page.get(0).sequence() > entry.sequence();
    }

    private void compare(LogEntry before, LogEntry entry) {
        long total = before.total();
        if (total != entry.total()) {
            totalChangedAt = entry.sequence();
        }
        if (!entry.events().isEmpty()) {
            Tally change = new Tally();
            entry.events().forEach(change::advance);
            long reserved = before.reserved() + change.units(Outcome.RESERVED);
            long sold = before.sold() + change.units(Outcome.CONFIRMED);
            String at = " of log entry " + entry.sequence();
            jumps.compare(Place.LOG, "reserved" + at, reserved, entry.reserved());
            jumps.compare(Place.LOG, "sold" + at, sold, entry.sold());
            jumps.compare(Place.LOG, "available" + at, total - reserved - sold, entry.available());
        }
    }

    /** Holds the end of the log against the levels, to which it was read. */
    void compareEnd(Levels after) {
        LogEntry end = last;
        if (end == null) {
            return;
        }
        if (end.sequence() != after.sequence() && !isTrimmed(end)) {
            findings.compare(Place.LOG, "last sequence", after.sequence(), end.sequence());
        } else if (end.sequence() == after.sequence()) {
            findings.compare(Place.LOG, "available", after.available(), end.available());
            findings.compare(Place.LOG, "reserved", after.reserved(), end.reserved());
            findings.compare(Place.LOG, "sold", after.sold(), end.sold());
        }
    }

    /**
     * The total that the log ends with, if it knows better than the stock, whose total is this: the
     * levels are as they were logged, and came to that without a jump.
     */
    long knownTotal(Levels after, long total) {
        LogEntry end = last;
        if (end != null
                && end.sequence() == after.sequence()
                && end.available() == after.available()
                && end.reserved() == after.reserved()
                && end.sold() == after.sold()
                && jumps.told().isEmpty()) {
            return end.total();
        }
        return total;
    }

    /** Tells where levels jumped. Those that jumped and were put right later are right. */
    void tellJumps() {
        jumps.told().forEach(findings::add);
    }

    /** What happened after the start, in order. */
    List<OrderEvent> events() {
        return events;
    }

    /** Whether {@link #events} are all up to this sequence. */
    boolean isComplete(long sequence) {
        return sequence == since || lastSequence() == sequence && gaplessFrom <= since + 1;
    }

    /** Whether the total certainly stayed the same between these sequences. */
    boolean isTotalSame(long from, long to) {
        return from == to || lastSequence() == to && totalChangedAt <= from;
    }

    /** The sequence of the first entry that the log holds; 0: none. */
    long first() {
        return first;
    }

    /** The events that the log holds. */
    Map<Outcome, OrderBook.Sum> sums() {
        return logged.sums();
    }
}
