package dev.spike.http;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an expression of PromQL names.
 *
 * @param selectors the metrics that it reads
 * @param functions functions and aggregations
 * @param labels those that it groups and matches by
 */
record PromQl(List<Selector> selectors, Set<String> functions, Set<String> labels) {

    /** A metric, and what its labels must be. */
    record Selector(String metric, List<Condition> conditions) {}

    /** {@code operator} is one of = != =~ !~. */
    record Condition(String label, String operator, String value) {}

    private static final Set<String> BINARY = Set.of("and", "or", "unless", "bool", "offset");
    private static final Set<String> GROUPING =
            Set.of("by", "without", "on", "ignoring", "group_left", "group_right");
    private static final Pattern TOKEN = Pattern.compile(
            "\\s*(?:([a-zA-Z_:][\\w:]*)|\"([^\"]*)\"|(=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},]|\\[[^\\]]*])|([\\d.]+))");

    static PromQl parse(String expression) {
        return new Parser(expression).parse();
    }

    private static final class Parser {
        private final List<String> tokens = new ArrayList<>();
        private final PromQl result =
                new PromQl(new ArrayList<>(), new LinkedHashSet<>(), new LinkedHashSet<>());
        private int next;

        Parser(String expression) {
            String text = expression.strip();
            Matcher matcher = TOKEN.matcher(text);
            int end = 0;
            while (end < text.length()) {
                if (!matcher.find(end) || matcher.start() != end) {
                    throw new AssertionError("no PromQL from here: " + text.substring(end));
                }
                String quoted = matcher.group(2);
                tokens.add(quoted == null ? matcher.group().strip() : '"' + quoted);
                end = matcher.end();
            }
        }

        private boolean isNext(String token) {
            return next < tokens.size() && tokens.get(next).equals(token);
        }

        PromQl parse() {
            while (next < tokens.size()) {
                String token = tokens.get(next++);
                if (!Character.isLetter(token.charAt(0)) || BINARY.contains(token)) {
                    continue;
                }
                if (GROUPING.contains(token)) {
                    group();
                } else if (isNext("(") || isNext("by") || isNext("without")) {
                    result.functions.add(token);
                } else {
                    result.selectors.add(new Selector(token, conditions()));
                }
            }
            return result;
        }

        private void group() {
            expect("(");
            while (!isNext(")")) {
                if (!isNext(",")) {
                    result.labels.add(tokens.get(next));
                }
                next++;
            }
            expect(")");
        }

        private List<Condition> conditions() {
            List<Condition> conditions = new ArrayList<>();
            if (isNext("{")) {
                next++;
                while (!isNext("}")) {
                    String value = tokens.get(next + 2);
                    if (!value.startsWith("\"")) {
                        throw new AssertionError("no text: " + value + " in " + tokens);
                    }
                    conditions.add(new Condition(
                            tokens.get(next), tokens.get(next + 1), value.substring(1)));
                    next += 3;
                    if (isNext(",")) {
                        next++;
                    }
                }
                expect("}");
            }
            return conditions;
        }

        private void expect(String token) {
            if (!isNext(token)) {
                throw new AssertionError("not " + token + " at " + next + " of " + tokens);
            }
            next++;
        }
    }
}
