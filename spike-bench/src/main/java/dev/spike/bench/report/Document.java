package dev.spike.bench.report;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A document of Markdown, whose marked parts are made from results. A part is what stands between
 * {@code <!-- bench NAME -->} and {@code <!-- /bench -->}, where NAME is that of a {@link Suite},
 * or:
 *
 * <ul>
 *   <li>{@code goals}: what is to be reached, and whether it is
 *   <li>{@code machine}: what all this was measured on
 * </ul>
 */
final class Document {

    private static final Pattern PART = Pattern.compile(
            "(<!-- bench ([^ ]+) -->\n)(?:(?!<!-- bench ).)*?(<!-- /bench -->)", Pattern.DOTALL);

    private static final Pattern MARK = Pattern.compile("<!-- bench ");

    private Document() {}

    /**
     * The document with its parts made anew. A part that was not measured stays as it is.
     *
     * @throws IllegalArgumentException if a part has a name that means nothing, or no end
     */
    static String fill(String document, Map<Suite, Measured> measured) {
        if (MARK.matcher(document).results().count()
                != PART.matcher(document).results().count()) {
            throw new IllegalArgumentException("a part has no <!-- /bench -->");
        }
        return PART.matcher(document)
                .replaceAll(part -> Matcher.quoteReplacement(part(part.group(2), measured)
                        .map(made -> part.group(1) + made + part.group(3))
                        .orElse(part.group())));
    }

    private static Optional<String> part(String name, Map<Suite, Measured> measured) {
        switch (name) {
            case "goals":
                return Optional.of("\n" + Goal.toMarkdown(measured) + "\n");
            case "machine":
                return Optional.of(measured.values().stream()
                        .map(one -> one.machine() + "\n")
                        .distinct()
                        .collect(Collectors.joining("\n", "\n", "\n")));
            default:
                Suite suite = Stream.of(Suite.values())
                        .filter(one -> one.toString().equals(name))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("no such part: " + name));
                boolean isOneMachine = measured.values().stream()
                                .map(Measured::machine)
                                .distinct()
                                .count()
                        == 1;
                return Optional.ofNullable(measured.get(suite))
                        .map(found -> part(suite, found)
                                + (isOneMachine ? "" : found.machine() + "\n\n"));
        }
    }

    private static String part(Suite suite, Measured measured) {
        String picture =
                suite.hasPicture() ? String.format("![%1$s](benchmarks/%1$s.svg)\n\n", suite) : "";
        return "\n" + picture + measured.toMarkdown() + "\n";
    }
}
