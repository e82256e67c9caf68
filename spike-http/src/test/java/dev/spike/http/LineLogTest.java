package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    void formatThatFails_costsItsChunk_andTheLogGoesOn() throws Exception {
        Path file = dir.resolve("log");
        LineLog<Integer> log = new LineLog<>("test log", file, (number, text) -> {
            if (number == 1) {
                throw new IllegalStateException("planted");
            }
            text.append(number);
        });
        log.add(1);
        await().until(() -> log.lost() == 1);
        log.add(2);
        log.close();
        assertThat(numbers(file)).containsExactly(2);
        assertThat(log.lost()).isEqualTo(1);
    }
}
