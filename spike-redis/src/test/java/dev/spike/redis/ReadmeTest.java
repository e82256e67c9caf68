package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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

    /** What is no prose is the same in both languages, in the same order. */
    @Test
    void chinese_hasTheSameCodeCommandsAndLinks() throws IOException {
        String english = Files.readString(Path.of("../README.md"), UTF_8);
        String chinese = Files.readString(Path.of("../README.zh.md"), UTF_8);
        for (String part : List.of("(?s)```.*?```", "(?m)^    .*$", "(?<!!)\\[.*?]\\((.*?)\\)")) {
            assertThat(parts(chinese, part).stream().filter(one -> !one.equals("README.md")))
                    .isNotEmpty()
                    .containsExactlyElementsOf(parts(english, part).stream()
                            .filter(one -> !one.equals("README.zh.md"))
                            .toList());
        }
    }

    /** What the pattern's group finds, else the whole of what it does. */
    private static List<String> parts(String text, String pattern) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(found -> found.group(found.groupCount()))
                .toList();
    }

    @Test
    void testsNamedInTheGuarantees_exist() throws IOException {
        String guarantees = Files.readString(Path.of("../docs/guarantees.md"), UTF_8);
        List<MatchResult> named = Pattern.compile("`(\\w+(?:Test|Contract))(?:\\.(\\w+))?…?`")
                .matcher(guarantees)
                .results()
                .toList();
        assertThat(named).hasSizeGreaterThan(30);
        for (MatchResult test : named) {
            String method = test.group(2) == null ? "" : test.group(2);
            assertThat(sources(test.group(1)))
                    .as(test.group())
                    .anyMatch(source -> Pattern.compile("void " + method + "\\w*\\(")
                            .matcher(source)
                            .find());
        }
    }

    /** The sources of the classes of this name, in all modules, and of what they extend. */
    private static List<String> sources(String name) throws IOException {
        List<String> sources = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of(".."))) {
            for (Path file : files.filter(path -> path.endsWith(name + ".java")).toList()) {
                String source = Files.readString(file, UTF_8);
                sources.add(source);
                Matcher parent =
                        Pattern.compile("class " + name + " extends (\\w+)").matcher(source);
                if (parent.find()) {
                    sources.addAll(sources(parent.group(1)));
                }
            }
        }
        return sources;
    }

    private static String between(String text, String start, String end) {
        int from = text.indexOf(start) + start.length();
        return text.substring(from, text.indexOf(end, from));
    }
}
