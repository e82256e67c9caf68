package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The snippet of the README compiles, runs, and prints what the README says. */
class ReadmeTest {

    @Test
    void snippet_isThisCode_andPrintsWhatItSays() throws IOException {
        String readme = Files.readString(Path.of("../README.md"), UTF_8);
        String snippet = between(readme, "```java\n", "```");
        String code = Files.readString(
                Path.of("src/test/java/dev/spike/redis/ReadmeSnippet.java"), UTF_8);
        assertThat(code)
                .isEqualToNormalizingNewlines("package dev.spike.redis;\n\n"
                        + snippet.replace("import dev.spike.redis.RedisStore;\n", ""));

        try (RedisServer server = RedisServer.start()) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream before = System.out;
            System.setOut(new PrintStream(printed, true, UTF_8));
            try {
                ReadmeSnippet.main(server.uri());
            } finally {
                System.setOut(before);
            }
            String expected =
                    between(readme.substring(readme.indexOf("It prints")), "```text\n", "```");
            assertThat(printed.toString(UTF_8)).isEqualToNormalizingNewlines(expected);
        }
    }

    private static String between(String text, String start, String end) {
        int from = text.indexOf(start) + start.length();
        return text.substring(from, text.indexOf(end, from));
    }
}
