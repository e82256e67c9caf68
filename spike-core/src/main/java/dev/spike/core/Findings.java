package dev.spike.core;

import dev.spike.core.Audit.Difference;
import dev.spike.core.Audit.Kind;
import dev.spike.core.Audit.Place;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The differences that an audit finds. Told are at most a hundred of each kind, in the order of
 * their places, so that those which no repair can mend do not hide those which it can.
 */
final class Findings {

    private final Map<Place, List<Difference>> byPlace = new EnumMap<>(Place.class);
    private boolean areInFlight = true;

    void add(Difference difference) {
        areInFlight &= difference.kind() == Kind.IN_FLIGHT;
        List<Difference> some = byPlace.computeIfAbsent(difference.place(), p -> new ArrayList<>());
        if (some.stream().filter(known -> known.kind() == difference.kind()).count()
                < Audit.MAX_DIFFERENCES) {
            some.add(difference);
        }
    }

    void compare(Place place, String what, long expected, long found) {
        compare(place, what, expected, found, null);
    }

    void compare(Place place, String what, long expected, long found, @Nullable String buyer) {
        if (found < 0) {
            add(new Difference(Kind.NEGATIVE, place, what, expected, found, null, buyer));
        } else if (found != expected) {
            Kind kind = found < expected ? Kind.MISSING : Kind.EXTRA;
            add(new Difference(kind, place, what, expected, found, null, buyer));
        }
    }

    /** Notes what no difference is, and may be one when it is looked at again. */
    void inFlight(Place place, String what, long expected, long found, @Nullable String buyer) {
        add(new Difference(Kind.IN_FLIGHT, place, what, expected, found, null, buyer));
    }

    boolean areInFlight() {
        return areInFlight;
    }

    boolean differ(Place place) {
        return byPlace.getOrDefault(place, List.of()).stream()
                .anyMatch(difference -> difference.kind() != Kind.IN_FLIGHT);
    }

    List<Difference> told() {
        Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
        return byPlace.values().stream()
                .flatMap(List::stream)
                .filter(difference ->
                        counts.merge(difference.kind(), 1, Integer::sum) <= Audit.MAX_DIFFERENCES)
                .toList();
    }
}
