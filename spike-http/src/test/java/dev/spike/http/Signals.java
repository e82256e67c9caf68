package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Stops and resumes processes: the embedded Redis of a data directory, and others. */
final class Signals {

    private Signals() {}

    static long pid(Path data) throws IOException {
        return Long.parseLong(Files.readString(data.resolve("redis/redis.pid")).strip());
    }

    static void stop(Path data) throws IOException, InterruptedException {
        stop(pid(data));
    }

    static void resume(Path data) throws IOException, InterruptedException {
        resume(pid(data));
    }

    static void kill(Path data) throws IOException, InterruptedException {
        send("-KILL", pid(data));
    }

    /** Stops a process, and waits until it stands still: the signal alone only asks for it. */
    static void stop(long pid) throws IOException, InterruptedException {
        send("-STOP", pid);
        await().atMost(Duration.ofSeconds(30)).until(() -> state(pid).startsWith("T"));
    }

    private static String state(long pid) throws IOException {
        Process ps = new ProcessBuilder("ps", "-o", "stat=", "-p", Long.toString(pid)).start();
        return new String(ps.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
    }

    static void resume(long pid) throws IOException, InterruptedException {
        send("-CONT", pid);
    }

    static void send(String signal, long pid) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", signal, Long.toString(pid))
                .inheritIO()
                .start();
        assertThat(kill.waitFor()).isZero();
    }
}
