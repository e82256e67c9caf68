package dev.spike.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import redis.clients.jedis.Jedis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The user of Redis that {@code docs/redis.md} tells operators to make, read from there. */
final class DocumentedUser {

    static final String NAME = "spike";
    static final String PASSWORD = "change-me";

    private static final Path PAGE = Path.of("../docs/redis.md");
    private static final String LINE = "ACL SETUSER ";

    private DocumentedUser() {}

    /** The rules of the user, as the page has them. */
    static List<String> rules() {
        return rules(NAME + " ");
    }

    /** The commands that the user may use, each as {@code +command}. */
    static List<String> commands() {
        return rules().stream().filter(rule -> rule.startsWith("+")).toList();
    }

    /** The rules of the user of a Sentinel that is enough for nodes. */
    static List<String> rulesOfSentinel() {
        return rules("default ");
    }

    private static List<String> rules(String user) {
        String line = LINE + user;
        List<String> rules = page().filter(text -> text.strip().startsWith(line))
                .flatMap(text ->
                        Arrays.stream(text.strip().substring(line.length()).split(" ")))
                .toList();
        if (rules.isEmpty()) {
            throw new AssertionError(PAGE + " has no line " + line);
        }
        return rules;
    }

    /** The rule that the page's table tells for something more. */
    static String ruleFor(String what) {
        String row = "| " + what;
        return page().filter(text -> text.startsWith(row))
                .map(text -> text.replaceAll(".*`([^`]+)`[^`]*$", "$1"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(PAGE + " has no row " + row));
    }

    private static Stream<String> page() {
        try {
            return Files.readAllLines(PAGE, UTF_8).stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Makes the user anew, with more rules after those of the page. */
    static void make(Jedis admin, String... more) {
        admin.aclSetUser(
                NAME,
                Stream.of(Stream.of("reset"), rules().stream(), Arrays.stream(more))
                        .flatMap(rules -> rules)
                        .toArray(String[]::new));
    }

    /** The URI with this user. */
    static String uri(String uri) {
        return uri.replace("://", "://" + NAME + ":" + PASSWORD + "@");
    }
}
