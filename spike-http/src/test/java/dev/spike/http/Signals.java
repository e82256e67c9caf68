package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Stops and resumes the embedded Redis of a data directory. */
final class Signals {

    private Signals() {}

    static long pid(Path data) throws IOException {
        return Long.parseLong(Files.readString(data.resolve("redis/redis.pid")).strip());
    }

    static void stop(Path data) throws IOException, InterruptedException {
        send("-STOP", pid(data));
    }

    static void resume(Path data) throws IOException, InterruptedException {
        send("-CONT", pid(data));
    }

    static void kill(Path data) throws IOException, InterruptedException {
        send("-KILL", pid(data));
    }

    private static void send(String signal, long pid) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", signal, Long.toString(pid))
                .inheritIO()
                .start();
        assertThat(kill.waitFor()).isZero();
    }
}
