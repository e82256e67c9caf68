package dev.spike.bench.scenario;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which node a request comes to: uneven, by Zipf's law, so that the first node gets twice the
 * traffic of the second and {@code n} times that of the {@code n}th. Immutable.
 */
final class Traffic {

    private final List<Node> nodes;
    private final double[] upTo;

    Traffic(List<Node> nodes) {
        this.nodes = List.copyOf(nodes);
        this.upTo = new double[nodes.size()];
        double sum = 0;
        for (int rank = 0; rank < upTo.length; rank++) {
            sum += 1.0 / (rank + 1);
            upTo[rank] = sum;
        }
    }

    /** The node of a request, by a number that is evenly spread from 0 to 1, without 1. */
    Node pick(double random) {
        int found = Arrays.binarySearch(upTo, random * upTo[upTo.length - 1]);
        return nodes.get(found >= 0 ? Math.min(found + 1, upTo.length - 1) : -found - 1);
    }

    List<Node> nodes() {
        return nodes;
    }

    /** The same without a node; those behind it move up. */
    Traffic without(Node gone) {
        return new Traffic(nodes.stream().filter(node -> node != gone).toList());
    }

    /** The same with another node, which gets the most traffic. */
    Traffic with(Node added) {
        List<Node> more = new ArrayList<>(nodes);
        more.add(0, added);
        return new Traffic(more);
    }
}
