package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.h2.store.fs.FileBase;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The process dies between any two writes to the H2 file, or amid one of several pages: the file
 * opens again, with every order that was acknowledged before.
 */
final class OrderFileCutTest {

    private static final int SESSIONS = 3;
    private static final int ORDERS = 5;
    private static final int PAGE = 4096;

    /** H2 writes over what is older and unused; 45 seconds unless told. */
    private static final Duration RETENTION = Duration.ofMillis(500);

    /** How long it tidies the file when it closes it; 200 ms unless told. */
    private static final Duration COMPACTION = Duration.ofMillis(10);

    @TempDir
    Path dir;

    /** What the file went through: a write, or a truncation where there are no bytes. */
    private record Change(long position, byte[] bytes, int acknowledged) {

        byte[] appliedTo(byte[] file, int cut) {
            if (bytes == null) {
                return Arrays.copyOf(file, (int) position);
            }
            byte[] changed = Arrays.copyOf(file, (int) Math.max(file.length, position + cut));
            System.arraycopy(bytes, 0, changed, (int) position, cut);
            return changed;
        }
    }

    @Test
    void cutAfterAnyWrite_opensWithAllThatWasAcknowledged() throws Exception {
        FilePathRecording recording = new FilePathRecording();
        FilePath.register(recording);
        try {
            for (int session = 0; session < SESSIONS; session++) {
                writeSome(recording, session);
                Thread.sleep(RETENTION.multipliedBy(2).toMillis());
            }
        } finally {
            FilePath.unregister(recording);
        }
        List<Change> changes = FilePathRecording.CHANGES;
        assertThat(changes).hasSizeGreaterThan(SESSIONS * ORDERS);
        byte[] file = new byte[0];
        for (Change change : changes) {
            if (file.length > 0) {
                assertOpens(file, change.acknowledged);
                // H2 cannot open half of the first page of all, before any order.
                if (change.bytes != null && change.bytes.length > PAGE) {
                    assertOpens(change.appliedTo(file, PAGE), change.acknowledged);
                }
            }
            file = change.appliedTo(file, change.bytes == null ? 0 : change.bytes.length);
        }
        assertOpens(file, SESSIONS * ORDERS);
    }

    private void writeSome(FilePathRecording recording, int session) throws Exception {
        String url = "jdbc:h2:file:" + recording.getScheme() + ":" + dir.resolve("orders")
                + ";RETENTION_TIME=" + RETENTION.toMillis() + ";MAX_COMPACT_TIME="
                + COMPACTION.toMillis();
        try (JdbcOrderBook book = JdbcOrderBookContract.connected(url)) {
            for (int i = 0; i < ORDERS; i++) {
                int order = session * ORDERS + i;
                ReservationId id = new ReservationId("buyer", "request-" + order);
                Instant now = Instant.now();
                book.write(
                        "ticket",
                        SESSIONS * ORDERS,
                        List.of(new OrderEvent(order + 1, id, 1, Outcome.RESERVED, now, now)));
                FilePathRecording.acknowledged = order + 1;
                Thread.sleep(RETENTION.dividedBy(ORDERS).toMillis());
            }
        }
    }

    private void assertOpens(byte[] file, int acknowledged) throws Exception {
        Path copy = Files.createTempDirectory(dir, "copy");
        Files.write(copy.resolve("orders.mv.db"), file);
        try (JdbcOrderBook book =
                JdbcOrderBookContract.connected("jdbc:h2:file:" + copy.resolve("orders"))) {
            assertThat(book.page("ticket", "", 100)).hasSizeGreaterThanOrEqualTo(acknowledged);
        }
    }

    /** Files whose changes are recorded, in their order. */
    public static final class FilePathRecording extends FilePathWrapper {

        // H2 makes an object of this class for each path.
        private static final List<Change> CHANGES = new ArrayList<>();
        private static volatile int acknowledged;

        @Override
        public String getScheme() {
            return "recording";
        }

        @Override
        public FileChannel open(String mode) throws IOException {
            FileChannel channel = super.open(mode);
            return toString().endsWith(".mv.db") ? new Recorded(channel) : channel;
        }
    }

    private static final class Recorded extends FileBase {

        private final FileChannel channel;

        Recorded(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            synchronized (FilePathRecording.CHANGES) {
                byte[] bytes = new byte[source.remaining()];
                source.duplicate().get(bytes);
                record(position, bytes);
                return channel.write(source, position);
            }
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            synchronized (FilePathRecording.CHANGES) {
                record(size, null);
                channel.truncate(size);
                return this;
            }
        }

        private static void record(long position, byte[] bytes) {
            FilePathRecording.CHANGES.add(
                    new Change(position, bytes, FilePathRecording.acknowledged));
        }

        @Override
        public int write(ByteBuffer source) {
            throw new UnsupportedOperationException("not recorded");
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return channel.read(target, position);
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            return channel.read(target);
        }

        @Override
        public long position() throws IOException {
            return channel.position();
        }

        @Override
        public FileChannel position(long position) throws IOException {
            channel.position(position);
            return this;
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void force(boolean metaData) throws IOException {
            channel.force(metaData);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) throws IOException {
            return channel.tryLock(position, size, shared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            channel.close();
        }
    }
}
