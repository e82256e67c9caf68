package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.Outcome;

import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a child asked for, in order, and what it was answered before it died. */
final class CrashHistory {

    private static final Map<String, Outcome> WANTED = Map.of(
            "reserve", Outcome.RESERVED,
            "extend", Outcome.RESERVED,
            "confirm", Outcome.CONFIRMED,
            "cancel", Outcome.CANCELLED);

    /** The answer to each thing that was asked; empty: none came. */
    private final Map<String, String> answers = new LinkedHashMap<>();

    private final Set<String> lines = new LinkedHashSet<>();

    /** @param told {@code asked VERB [KEY]}, {@code answered VERB [KEY] ANSWER}, and other lines */
    CrashHistory(Collection<String> told) {
        for (String line : told) {
            lines.add(line);
            if (line.startsWith("asked ")) {
                answers.put(line.substring(6), "");
            } else if (line.startsWith("answered ")) {
                int last = line.lastIndexOf(' ');
                answers.put(line.substring(9, last), line.substring(last + 1));
            }
        }
    }

    boolean says(String line) {
        return lines.contains(line);
    }

    boolean wasAsked(String what) {
        return answers.containsKey(what);
    }

    boolean wasAnswered(String what) {
        return !answers.getOrDefault(what, "").isEmpty();
    }

    /** The keys of a sale that somebody tried to reserve under. */
    List<String> keys(String sale) {
        return answers.keySet().stream()
                .filter(what -> what.startsWith("reserve " + sale + "/"))
                .map(what -> what.substring(8))
                .toList();
    }

    /** The states in which a reservation may be after these answers; NOT_FOUND: there is none. */
    Set<Outcome> allowed(String key) {
        Set<Outcome> allowed = EnumSet.of(Outcome.NOT_FOUND);
        answers.forEach((what, answer) -> {
            String[] words = what.split(" ");
            if (!words[words.length - 1].equals(key)) {
                return;
            }
            Outcome wanted = WANTED.get(words[0]);
            if (wanted == null) {
                assertThat(answer.isEmpty() || allowed.contains(Outcome.valueOf(answer)))
                        .as(what + ": " + this)
                        .isTrue();
            } else if (answer.isEmpty() || answer.equals("UNKNOWN")) {
                allowed.add(wanted);
            } else if (answer.equals("NOT_FOUND")) {
                assertThat(allowed).as(what + ": " + this).contains(Outcome.NOT_FOUND);
            } else if (!answer.equals("UNAVAILABLE")) {
                assertThat(answer).as(what + ": " + this).isEqualTo(wanted.name());
                allowed.clear();
                allowed.add(wanted);
            }
        });
        if (key.startsWith("s/") && allowed.contains(Outcome.RESERVED)) {
            allowed.add(Outcome.EXPIRED);
        }
        return allowed;
    }

    @Override
    public String toString() {
        return answers.toString();
    }
}
