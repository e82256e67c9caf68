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
 * The data directory, or the file of the orders, held by one server at a time. The system frees it
 * when the server dies.
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
        try {
            DataDirectory lock = tryLock(directory.resolve("lock"));
            if (lock == null) {
                throw new StartException("--data " + directory
                        + " is in use by another server; stop it, or give another --data");
            }
            return lock;
        } catch (IOException failure) {
            throw new StartException(
                    "--data " + directory + " cannot be written: " + failure, failure);
        }
    }

    /**
     * Takes what this file, which is made, stands for; null if another server holds it.
     *
     * @throws IOException if the file cannot be written
     */
    static @Nullable DataDirectory tryLock(Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean isMine = false;
        try {
            isMine = isFree(channel);
            return isMine ? new DataDirectory(channel) : null;
        } finally {
            if (!isMine) {
                channel.close();
            }
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
