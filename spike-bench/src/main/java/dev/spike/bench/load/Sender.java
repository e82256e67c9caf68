package dev.spike.bench.load;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One thread of a load: every so-many-th request, over its share of the connections. A connection
 * that ends is made anew; if that fails, it is given up, and what is due when none is left is lost.
 */
final class Sender implements AutoCloseable {

    /** Sleeping costs less than looking all the time, on cores that the servers need. */
    private static final long PAUSE_NANOS = 50_000;

    private final Load load;
    private final Template[] cycle;
    private final AtomicLong late;
    private final LoadReport report;
    private final Selector selector;
    private final Queue<Connection> idle = new ArrayDeque<>();
    private final List<Connection> connections = new ArrayList<>();
    private final long count;
    private final long lateAllowed;
    private final long lateNanos;
    private final int share;
    private int alive;
    private int underWay;
    private long start;
    private long next;
    private boolean progressed;

    /**
     * @param index of this thread
     * @param late answers, of all threads
     */
    Sender(Load load, int index, AtomicLong late) throws IOException {
        this.load = load;
        this.cycle = load.cycle().toArray(Template[]::new);
        this.late = late;
        this.report = new LoadReport(load);
        this.selector = Selector.open();
        this.next = index;
        this.count = load.count();
        this.lateAllowed = load.lateAllowed();
        this.lateNanos = load.giveUp().isZero() ? Long.MAX_VALUE : load.giveUp().toNanos();
        this.share = load.connections() / load.threads()
                + (index < load.connections() % load.threads() ? 1 : 0);
    }

    /** Makes the connections, blocking. */
    void connect() throws IOException {
        InetSocketAddress address = cycle[0].address();
        if (address.isUnresolved()) {
            throw new IOException("unknown host");
        }
        int longest = 0;
        for (Template template : cycle) {
            longest = Math.max(longest, template.length());
        }
        for (int i = 0; i < share; i++) {
            Connection connection = new Connection(selector, address, longest);
            connections.add(connection);
            idle.add(connection);
        }
        alive = share;
    }

    /** Sends all, from this moment of the nanosecond clock on. */
    LoadReport run(long startNanos) throws IOException {
        start = startNanos;
        long end = start + load.time().toNanos() + load.drain().toNanos();
        while (next < count || underWay > 0) {
            progressed = false;
            sendDue();
            selector.selectNow(this::handle);
            if (late.get() > lateAllowed) {
                giveUp();
            }
            if (alive == 0 || System.nanoTime() - end > 0) {
                break;
            }
            if (!progressed) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        loseTheRest();
        return report;
    }

    private void sendDue() {
        while (next < count && System.nanoTime() - start >= load.dueNanos(next)) {
            Connection connection = idle.poll();
            if (connection == null) {
                return;
            }
            long number = load.first() + next;
            underWay++;
            progressed = true;
            try {
                connection.send(next, cycle[(int) (number % cycle.length)], number);
            } catch (IOException failure) {
                ended(connection, failure);
            }
            next += load.threads();
        }
    }

    private void handle(SelectionKey key) {
        Connection connection = (Connection) key.attachment();
        progressed = true;
        try {
            if (connection.isConnecting()) {
                connection.finishConnect();
                idle.add(connection);
            } else if (key.isReadable()) {
                if (connection.read()) {
                    answered(connection);
                }
            } else {
                connection.write();
            }
        } catch (IOException failure) {
            ended(connection, failure);
        }
    }

    private void answered(Connection connection) {
        long request = connection.request();
        long latency = System.nanoTime() - start - load.dueNanos(request);
        int place = (int) ((load.first() + request) % cycle.length);
        boolean asExpected = connection.isAnswerExpectedBy(cycle[place]);
        report.answer(place, connection.status(), asExpected, latency);
        if (!asExpected) {
            report.trouble("answered " + connection.describeAnswer());
        }
        if (latency > lateNanos) {
            late.incrementAndGet();
        }
        underWay--;
        if (connection.clear()) {
            idle.add(connection);
        } else {
            reopen(connection);
        }
    }

    /** A server may end a connection without a request: nothing failed then. */
    private void ended(Connection connection, IOException why) {
        if (connection.request() >= 0) {
            report.fail();
            report.trouble(String.valueOf(why.getMessage()));
            underWay--;
        } else if (connection.isConnecting()) {
            report.trouble("no new connection: " + why.getMessage());
            connection.close();
            alive--;
            return;
        } else {
            idle.remove(connection);
        }
        reopen(connection);
    }

    private void reopen(Connection connection) {
        try {
            if (connection.reopen()) {
                idle.add(connection);
            }
        } catch (IOException failure) {
            report.trouble("no new connection: " + failure.getMessage());
            connection.close();
            alive--;
        }
    }

    private void giveUp() {
        report.skip(unsent());
        next = count;
    }

    private long unsent() {
        return next < count ? (count - next + load.threads() - 1) / load.threads() : 0;
    }

    private void loseTheRest() {
        long now = System.nanoTime() - start;
        for (Connection connection : connections) {
            if (connection.request() >= 0) {
                report.lose(Math.max(0, now - load.dueNanos(connection.request())));
            }
        }
        for (; next < count; next += load.threads()) {
            report.lose(Math.max(0, now - load.dueNanos(next)));
        }
    }

    @Override
    public void close() {
        connections.forEach(Connection::close);
        try {
            selector.close();
        } catch (IOException ignored) {
            // Nothing depends on it any more.
        }
    }
}
