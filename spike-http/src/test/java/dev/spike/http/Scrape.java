package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code /metrics} told.
 *
 * @param samples in their order
 * @param types of the metrics, by name
 */
record Scrape(List<Sample> samples, Map<String, String> types) {

    /** One line: its name, its labels, its value. */
    record Sample(String name, Map<String, String> labels, double value) {}

    private static final Pattern SAMPLE = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");
    private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\",?");

    static Scrape of(TestServer server) {
        HttpResponse<String> answer = server.admin("GET", "/metrics", null);
        assertThat(answer.statusCode()).isEqualTo(200);
        return parse(answer.body());
    }

    static Scrape parse(String text) {
        List<Sample> samples = new ArrayList<>();
        Map<String, String> types = new TreeMap<>();
        for (String line : text.lines().toList()) {
            if (line.startsWith("# TYPE ")) {
                String[] words = line.split(" ");
                assertThat(types.put(words[2], words[3])).as(line).isNull();
            } else if (!line.startsWith("#")) {
                samples.add(sample(line));
            }
        }
        return new Scrape(samples, types);
    }

    private static Sample sample(String line) {
        Matcher matcher = SAMPLE.matcher(line);
        assertThat(matcher.matches()).as(line).isTrue();
        Map<String, String> labels = new HashMap<>();
        if (matcher.group(2) != null) {
            List<MatchResult> all = LABEL.matcher(matcher.group(2)).results().toList();
            all.forEach(label -> labels.put(label.group(1), label.group(2)));
        }
        String value = matcher.group(3).replace("+Inf", "Infinity");
        return new Sample(matcher.group(1), labels, Double.parseDouble(value));
    }

    List<Sample> named(String name) {
        return samples.stream().filter(sample -> sample.name.equals(name)).toList();
    }

    /**
     * @param labels names and values, in turn; others may be there, too, but only one such sample
     */
    double value(String name, String... labels) {
        List<Sample> found = named(name).stream()
                .filter(sample -> {
                    boolean has = true;
                    for (int i = 0; i < labels.length; i += 2) {
                        has &= labels[i + 1].equals(sample.labels.get(labels[i]));
                    }
                    return has;
                })
                .toList();
        assertThat(found).as(name + " " + List.of(labels)).hasSize(1);
        return found.get(0).value;
    }

    /** The values that are not 0, by the values of these labels. */
    Map<String, Double> nonZero(String name, String... labels) {
        Map<String, Double> values = new TreeMap<>();
        for (Sample sample : named(name)) {
            if (sample.value != 0) {
                List<String> key = new ArrayList<>();
                for (String label : labels) {
                    key.add(sample.labels.get(label));
                }
                values.merge(String.join(" ", key), sample.value, Double::sum);
            }
        }
        return values;
    }
}
