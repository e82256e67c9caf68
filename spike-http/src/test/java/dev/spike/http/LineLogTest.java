package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;

@Timeout(60)
final class LineLogTest {

    @TempDir
    Path dir;

    private final CountDownLatch gate = new CountDownLatch(1);

    private LineLog<Integer> open(Path file) throws IOException {
        return new LineLog<>("test log", file, (number, text) -> text.append(number));
    }

    /** Its first line is not written until the gate is open. */
    private LineLog<Integer> openHeld(Path file) throws IOException {
        return new LineLog<>("test log", file, (number, text) -> {
            try {
                gate.await();
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
            text.append(number);
        });
    }

    private static List<Integer> numbers(Path file) throws IOException {
        return Files.exists(file)
                ? Files.readAllLines(file).stream().map(Integer::valueOf).toList()
                : List.of();
    }

    @Test
    void file_isAppendedTo() throws Exception {
        Path file = Files.writeString(dir.resolve("log"), "1\n");
        LineLog<Integer> log = open(file);
        log.add(2);
        log.close();
        assertThat(numbers(file)).containsExactly(1, 2);
    }

    @Test
    void file_thatCannotBeMade_isRefused() {
        assertThatThrownBy(() -> open(dir.resolve("none/log"))).isInstanceOf(IOException.class);
    }

    @Test
    void whatDoesNotFit_isCounted_andAllElseIsWritten() throws Exception {
        Path file = dir.resolve("log");
        LineLog<Integer> log = openHeld(file);
        int added = 3 * LineLog.QUEUE;
        List<Integer> fit = new ArrayList<>();
        for (int i = 0; i < added; i++) {
            if (log.add(i)) {
                fit.add(i);
            }
        }
        assertThat(log.lost()).isEqualTo(added - fit.size()).isPositive();
        gate.countDown();
        log.close();
        assertThat(numbers(file)).isEqualTo(fit);
        assertThat(log.lost()).isEqualTo(added - fit.size());
    }

    @Test
    void rotatedAgainAndAgain_eachLineIsInOneOfTheFiles() throws Exception {
        Path file = dir.resolve("log");
        List<Path> files = new ArrayList<>();
        LineLog<Integer> log = open(file);
        for (int i = 0; i < 10_000; i++) {
            log.add(i);
            if (i % 1_000 == 999) {
                int last = i;
                await().until(() -> numbers(file).contains(last));
                files.add(Files.move(file, dir.resolve("log." + files.size())));
            }
        }
        log.close();
        List<Integer> all = new ArrayList<>();
        for (Path one : files) {
            all.addAll(numbers(one));
        }
        assertThat(all).isEqualTo(IntStream.range(0, 10_000).boxed().toList());
        assertThat(log.lost()).isZero();
    }

    @Test
    void replacedByAnother_goesOnInThat() throws Exception {
        Path file = dir.resolve("log");
        LineLog<Integer> log = open(file);
        log.add(1);
        await().until(() -> numbers(file).equals(List.of(1)));
        Path other = Files.writeString(dir.resolve("other"), "7\n");
        Files.move(file, dir.resolve("log.1"));
        Files.move(other, file);
        log.add(2);
        log.close();
        assertThat(numbers(file)).containsExactly(7, 2);
        assertThat(numbers(dir.resolve("log.1"))).containsExactly(1);
    }

    @Test
    void cannotBeWritten_linesWait_andAreWrittenOnceItCan() throws Exception {
        Path folder = Files.createDirectory(dir.resolve("folder"));
        Path file = folder.resolve("log");
        LineLog<Integer> log = open(file);
        log.add(1);
        await().until(() -> numbers(file).equals(List.of(1)));
        Path away = Files.move(folder, dir.resolve("away"));
        log.add(2);
        await().during(Duration.ofMillis(300)).until(() -> !Files.exists(file));
        Files.createDirectory(folder);
        log.add(3);
        await().until(() -> numbers(file).equals(List.of(2, 3)));
        log.close();
        assertThat(numbers(away.resolve("log"))).containsExactly(1);
        assertThat(log.lost()).isZero();
    }

    @Test
    void movedAwayAndBack_goesOn() throws Exception {
        Path folder = Files.createDirectory(dir.resolve("folder"));
        Path file = folder.resolve("log");
        LineLog<Integer> log = open(file);
        log.add(1);
        await().until(() -> numbers(file).equals(List.of(1)));
        Path away = Files.move(folder, dir.resolve("away"));
        log.add(2);
        await().during(Duration.ofMillis(300)).until(() -> !Files.exists(file));
        Files.move(away, folder);
        await().until(() -> numbers(file).equals(List.of(1, 2)));
        log.close();
        assertThat(log.lost()).isZero();
    }

    @Test
    void cannotBeWritten_untilItIsClosed_whatIsLeftIsLost() throws Exception {
        Path folder = Files.createDirectory(dir.resolve("folder"));
        LineLog<Integer> log = open(folder.resolve("log"));
        Files.move(folder, dir.resolve("away"));
        log.add(1);
        log.add(2);
        log.close();
        assertThat(log.lost()).isEqualTo(2);
    }

    /** A pipe whose reader leaves, so that a write ends half-way as on a full disk. */
    @Test
    void writeThatEndsHalfWay_costsItsChunk_andNoLineIsGluedToAnother() throws Exception {
        Path pipe = dir.resolve("log");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        String line = "x".repeat(1_000);
        // Whoever opens a pipe waits for the other side.
        CompletableFuture<InputStream> opened = opening(pipe);
        LineLog<Integer> log = new LineLog<>(
                "test log", pipe, (number, text) -> text.append(line).append(number));
        InputStream first = opened.join();
        for (int i = 0; i < 1_000; i++) {
            log.add(1);
        }
        byte[] begun = first.readNBytes(1);
        first.close();
        await().until(() -> log.lost() > 0);
        InputStream second = opening(pipe).join();
        CompletableFuture<byte[]> rest = CompletableFuture.supplyAsync(() -> all(second));
        log.add(2);
        log.close();
        List<String> lines = (new String(begun, UTF_8) + new String(rest.join(), UTF_8))
                .lines()
                .toList();
        assertThat(lines).last().isEqualTo(line + 2);
        assertThat(lines.subList(0, lines.size() - 2)).containsOnly(line + 1);
        assertThat(line + 1).startsWith(lines.get(lines.size() - 2));
    }

    private static CompletableFuture<InputStream> opening(Path pipe) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return Files.newInputStream(pipe);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        });
    }

    private static byte[] all(InputStream in) {
        try (in) {
            return in.readAllBytes();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Test
    void formatThatFails_costsItsChunk_andTheLogGoesOn() throws Exception {
        Path file = dir.resolve("log");
        LineLog<Integer> log = new LineLog<>("test log", file, (number, text) -> {
            if (number == 1) {
                throw new IllegalStateException("planted");
            } else if (number == 2) {
                throw new StackOverflowError("planted");
            }
            text.append(number);
        });
        log.add(1);
        await().until(() -> log.lost() == 1);
        log.add(2);
        await().until(() -> log.lost() == 2);
        log.add(3);
        log.close();
        assertThat(numbers(file)).containsExactly(3);
        assertThat(log.lost()).isEqualTo(2);
    }
}
