package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * A file of lines that one thread writes, every 50 ms; a request only offers to a bounded queue and
 * never waits. What does not fit, or cannot be written, is counted and reported. A file that was
 * moved away, as logrotate does, is made anew before the next lines.
 */
final class LineLog<T> implements AutoCloseable {

    /** What the lines look like; called by the writing thread alone. */
    interface Format<T> {
        /** Appends the line, without its end. */
        void line(T added, StringBuilder text);

        /** All that was added before is in lines; what did not fit till now is known. */
        default void caughtUp() {}
    }

    static final int QUEUE = 1 << 17;

    private static final Logger LOG = System.getLogger(SpikeServer.class.getName());
    private static final int CHUNK = 1 << 12;
    private static final long FLUSH_MILLIS = 50;
    private static final long REPORT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long CLOSE_MILLIS = 2_000;

    private final String name;
    private final Path file;
    private final Format<T> format;
    private final BlockingQueue<T> queue = new ArrayBlockingQueue<>(QUEUE);
    private final LongAdder lost = new LongAdder();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread writer;

    // Of the writing thread.
    private FileChannel out;
    private boolean isAmidALine;
    private @Nullable Object openFile;
    private long reportedLost;
    private long nextReportNanos = System.nanoTime();
    private boolean isFailing;

    /**
     * Appends to a file.
     *
     * @param name what to call it
     * @throws IOException if it cannot be written
     */
    LineLog(String name, Path file, Format<T> format) throws IOException {
        this.name = name;
        this.file = file;
        this.format = format;
        this.out = open(file);
        this.openFile = identity(file);
        this.writer = new Thread(this::run, "spike-http-" + name.replace(' ', '-'));
        writer.setDaemon(true);
        writer.start();
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** Another one if another file lies there now; null if none does. */
    private static @Nullable Object identity(Path file) {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        } catch (IOException missing) {
            return null;
        }
    }

    /** Never blocks; false if it does not fit, which is counted. */
    boolean add(T one) {
        boolean fits = queue.offer(one);
        if (!fits) {
            lost.increment();
        }
        return fits;
    }

    /** How many lines did not fit or could not be written. */
    long lost() {
        return lost.sum();
    }

    private void run() {
        boolean last;
        do {
            last = await();
            write();
        } while (!last);
        lost.add(queue.size());
        nextReportNanos = System.nanoTime();
        reportLost();
        try {
            out.close();
        } catch (IOException failure) {
            failed(failure);
        }
    }

    /** Waits a while; true once the log is closing. */
    private boolean await() {
        try {
            return closing.await(FLUSH_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            return true;
        }
    }

    private void write() {
        List<T> chunk = new ArrayList<>(CHUNK);
        try {
            if (!queue.isEmpty()) {
                reopenIfMoved();
            }
            while (queue.drainTo(chunk, CHUNK) > 0) {
                write(chunk);
                chunk.clear();
            }
            format.caughtUp();
        } catch (IOException | RuntimeException | Error failure) {
            lost.add(chunk.size());
            failed(failure);
        }
        reportLost();
    }

    private void write(List<T> chunk) throws IOException {
        // After a write that ended half-way, as on a full disk, no line is glued to another.
        StringBuilder text = new StringBuilder(isAmidALine ? "\n" : "");
        for (T one : chunk) {
            format.line(one, text);
            text.append('\n');
        }
        ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(UTF_8));
        try {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        } finally {
            if (bytes.position() > 0) {
                isAmidALine = bytes.get(bytes.position() - 1) != '\n';
            }
        }
        isFailing = false;
    }

    private void reopenIfMoved() throws IOException {
        Object there = identity(file);
        if (there == null || !there.equals(openFile)) {
            openFile = null;
            out.close();
            out = open(file);
            isAmidALine = false;
            openFile = identity(file);
        }
    }

    /** The first of a row is reported. */
    private void failed(Throwable failure) {
        if (!isFailing) {
            isFailing = true;
            LOG.log(Level.ERROR, "the " + name + " cannot be written: " + failure);
        }
    }

    private void reportLost() {
        long total = lost.sum();
        if (total > reportedLost && System.nanoTime() - nextReportNanos >= 0) {
            nextReportNanos = System.nanoTime() + REPORT_NANOS;
            LOG.log(
                    Level.WARNING,
                    "the " + name + " lost " + (total - reportedLost) + " lines, " + total
                            + " in all: it is written too slowly, or not at all");
            reportedLost = total;
        }
    }

    /** Writes what is queued and closes the file, in a bounded time. */
    @Override
    public void close() {
        closing.countDown();
        try {
            writer.join(CLOSE_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
