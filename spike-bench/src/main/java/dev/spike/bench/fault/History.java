package dev.spike.bench.fault;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * All that was asked and told, and the faults, kept here and in a file: one line of JSON for each,
 * in the order in which they ended. Safe for use by many threads.
 */
final class History implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<Told> told = new ArrayList<>();
    private final BufferedWriter file;

    History(Path file) throws IOException {
        this.file = Files.newBufferedWriter(file);
    }

    synchronized void add(Told answer) {
        told.add(answer);
        write(answer);
    }

    /** Notes a fault, so that the file tells what went on. */
    synchronized void note(String what) {
        write(Map.of("atMillis", System.currentTimeMillis(), "fault", what));
    }

    private void write(Object line) {
        try {
            file.write(JSON.writeValueAsString(line));
            file.newLine();
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    synchronized List<Told> told() {
        return List.copyOf(told);
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
