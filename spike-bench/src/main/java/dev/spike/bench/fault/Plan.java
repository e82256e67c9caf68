package dev.spike.bench.fault;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/** Which faults are done, one after the other: those given, or those that a seed draws. */
final class Plan {

    /**
     * Some faults at once, of which no two are done to the same.
     *
     * @param wellMillis how long all is well before
     * @param node to which, if one is done to a node
     * @param millis how long they last
     */
    record Step(List<Incident> incidents, long wellMillis, int node, long millis) {}

    private Plan() {}

    /** These, as short as they may be. */
    static Iterator<Step> of(List<List<Incident>> faults, int nodes) {
        List<Step> steps = new ArrayList<>();
        for (List<Incident> together : faults) {
            steps.add(new Step(together, 200, steps.size() % nodes, leastMillis(together)));
        }
        return steps.iterator();
    }

    /** Drawn from the seed until it is time; in a quarter of the steps, two at once. */
    static Iterator<Step> drawn(long seed, int nodes, BooleanSupplier isTime) {
        Random random = new Random(seed);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return !isTime.getAsBoolean();
            }

            @Override
            public Step next() {
                List<Incident> together = new ArrayList<>();
                together.add(any(random));
                Incident other = any(random);
                if (other.where != together.get(0).where && random.nextInt(4) == 0) {
                    together.add(other);
                }
                long least = leastMillis(together);
                return new Step(
                        together,
                        500 + random.nextInt(2_500),
                        random.nextInt(nodes),
                        least + random.nextInt((int) least * 2));
            }
        };
    }

    private static Incident any(Random random) {
        return Incident.values()[random.nextInt(Incident.values().length)];
    }

    private static long leastMillis(List<Incident> together) {
        return together.stream().mapToLong(each -> each.leastMillis).max().orElseThrow();
    }
}
