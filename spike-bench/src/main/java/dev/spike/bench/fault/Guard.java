package dev.spike.bench.fault;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A line of the source that a promise rests on, and how to take it away.
 *
 * @param guard what it sees to
 * @param protects the promise
 * @param file where it is, from the repository's root
 * @param replace its text, which occurs once there
 * @param by what to put there instead
 * @param test that must fail then: {@code module:Class#method}
 */
record Guard(String guard, String protects, String file, String replace, String by, String test) {

    static final Path LIST = Path.of("docs", "guards.json");

    private static final Path DOCUMENT = Path.of("docs", "guarantees.md");
    private static final String BEGIN = "<!-- guards -->\n";
    private static final String END = "<!-- /guards -->";

    /** The guards of the repository at this root. */
    static List<Guard> all(Path root) throws IOException {
        return new ObjectMapper()
                .readValue(root.resolve(LIST).toFile(), new TypeReference<List<Guard>>() {});
    }

    String module() {
        return test.substring(0, test.indexOf(':'));
    }

    /** {@code Class#method}. */
    String method() {
        return test.substring(test.indexOf(':') + 1);
    }

    /** How often its text occurs in its file; 1 if all is well. */
    int occurrences(Path root) throws IOException {
        String source = Files.readString(root.resolve(file));
        int count = 0;
        for (int at = source.indexOf(replace); at >= 0; at = source.indexOf(replace, at + 1)) {
            count++;
        }
        return count;
    }

    /** The document that lists the guards, with its table as it should be. */
    static String document(Path root) throws IOException {
        String text = Files.readString(root.resolve(DOCUMENT));
        int begin = text.indexOf(BEGIN) + BEGIN.length();
        int end = text.indexOf(END);
        if (begin < BEGIN.length() || end < begin) {
            throw new IllegalStateException(
                    "no " + BEGIN.strip() + " … " + END + " in " + DOCUMENT);
        }
        String rows = all(root).stream().map(Guard::row).collect(Collectors.joining());
        return text.substring(0, begin)
                + "\n| guard | where | protects | test that fails without it |\n|---|---|---|---|\n"
                + rows + "\n" + text.substring(end);
    }

    /** Writes {@link #document}. */
    static void writeDocument(Path root) throws IOException {
        Files.writeString(root.resolve(DOCUMENT), document(root));
    }

    private String row() {
        return "| " + guard + " | `" + Path.of(file).getFileName() + "` | " + protects + " | `"
                + method().replace('#', '.') + "` |\n";
    }
}
