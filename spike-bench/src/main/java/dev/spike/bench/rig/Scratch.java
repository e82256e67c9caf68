package dev.spike.bench.rig;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** What a child needs of this machine for a while. */
public final class Scratch {

    private Scratch() {}

    /** A port on loopback that nobody listens at; another program may yet be faster. */
    public static int port() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /**
     * A port on loopback that nobody listens at, below those that systems give to outgoing
     * connections: who gives it up for a while finds it free again.
     */
    public static int lastingPort() {
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (ServerSocket socket =
                    new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // Another one, then.
            }
        }
        throw new IllegalStateException("no port from 10000 to 31999 is free");
    }

    /** A new folder for files. */
    public static Path folder() throws IOException {
        return Files.createTempDirectory("spike-bench");
    }

    /** Deletes a folder with all that is in it, as far as it may. */
    public static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
