package dev.spike.http;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The data directory, or a part of it, held by one server at a time. The system frees it when the
 * server dies.
 */
final class DataDirectory implements AutoCloseable {

    private final FileChannel file;

    private DataDirectory(FileChannel file) {
        this.file = file;
    }

    /**
     * Takes the whole directory.
     *
     * @throws StartException if another server holds it, or it cannot be written
     */
    static DataDirectory lock(Path directory) {
        DataDirectory lock = tryLock(directory, "lock");
        if (lock == null) {
            throw new StartException("--data " + directory
                    + " is in use by another server; stop it, or give another --data");
        }
        return lock;
    }

    /**
     * Takes a part of the directory; null if another server holds it.
     *
     * @throws StartException if the directory cannot be written
     */
    static @Nullable DataDirectory tryLock(Path directory, String part) {
        try {
            FileChannel channel = FileChannel.open(
                    Files.createDirectories(directory).resolve(part),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            boolean isMine = false;
            try {
                isMine = isFree(channel);
                return isMine ? new DataDirectory(channel) : null;
            } finally {
                if (!isMine) {
                    channel.close();
                }
            }
        } catch (IOException failure) {
            throw new StartException(
                    "--data " + directory + " cannot be written: " + failure, failure);
        }
    }

    private static boolean isFree(FileChannel channel) throws IOException {
        try {
            @Nullable FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException sameProcess) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
