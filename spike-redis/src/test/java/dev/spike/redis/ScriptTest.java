package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Holds the header of each script and its body together. */
class ScriptTest {

    static final Path SCRIPTS = Path.of("src/main/resources/dev/spike/redis");

    private static final Set<String> INCLUDED =
            Set.of("stock.lua", "change.lua", "records.lua", "permission.lua", "lookup.lua");

    static boolean isIncluded(Path script) {
        return INCLUDED.contains(script.getFileName().toString());
    }

    static Stream<Path> scripts() throws IOException {
        return Files.list(SCRIPTS).filter(path -> !isIncluded(path));
    }

    /** What a script says of itself. */
    static String header(Path script) throws IOException {
        String text = Files.readString(script, UTF_8);
        return text.substring(0, text.indexOf("]]"));
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void header_listsWhatTheBodyUses(Path script) throws IOException {
        String text = Files.readString(script, UTF_8);
        int end = text.indexOf("]]");
        String header = text.substring(0, end);
        String body = text.substring(end);
        for (int depth = 0; depth < INCLUDED.size(); depth++) {
            for (String file : INCLUDED) {
                body = body.replace(
                        "--:include " + file, Files.readString(SCRIPTS.resolve(file), UTF_8));
            }
        }
        assertThat(body).doesNotContain("--:include ");
        assertThat(header).startsWith("#!lua").contains("\nReturns").contains("\nKeeps: ");
        for (String kind : Set.of("KEYS", "ARGV")) {
            Set<String> documented = all(kind + "\\[\\d+…?\\](?=  )", header);
            Set<String> used = all(kind + "\\[\\d+\\]", body);
            if (kind.equals("ARGV") && body.contains("unpack(ARGV")
                    || body.contains("#ARGV")
                    || script.endsWith("open.lua")) {
                // What their loops and unpackings index.
                used.addAll(documented.stream()
                        .filter(arg -> arg.startsWith(kind) && kind.equals("ARGV"))
                        .toList());
                used.removeIf(arg -> documented.contains(arg.replace("]", "…]")));
            }
            assertThat(used).as(kind).isEqualTo(documented);
        }
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void codes_inTheBody_areInTheHeader_andKnownToTheClient(Path script) throws IOException {
        String text = Files.readString(script, UTF_8);
        int end = text.indexOf("]]");
        Set<String> codes = all("(?<=code = |and |or )'[A-Za-z]'", text.substring(end));
        for (String quoted : codes) {
            char code = quoted.charAt(1);
            assertThat(text.substring(0, end))
                    .as(script + " " + code)
                    .containsPattern("(?m)\\b" + code + "  ?\\S");
            assertThat(Records.outcome(code)).isNotNull();
        }
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void scriptsThatOnlyGiveBackOrRead_runAlsoWhenMemoryIsFull(Path script) throws IOException {
        String firstLine = Files.readString(script, UTF_8).lines().findFirst().orElse("");
        assertThat(firstLine)
                .isEqualTo(
                        switch (script.getFileName().toString()) {
                            case "open.lua", "reserve.lua", "restore.lua" -> "#!lua";
                            case "settle.lua",
                                    "expire.lua",
                                    "restock.lua",
                                    "hours.lua",
                                    "correct.lua" -> "#!lua flags=allow-oom";
                            case "take.lua", "acknowledge.lua", "bury.lua", "mark.lua" ->
                                "#!lua flags=allow-oom";
                            default -> "#!lua flags=no-writes";
                        });
    }

    private static Set<String> all(String pattern, String text) {
        Set<String> found = new TreeSet<>();
        Pattern.compile(pattern)
                .matcher(text)
                .results()
                .forEach(result -> found.add(result.group()));
        return found;
    }
}
