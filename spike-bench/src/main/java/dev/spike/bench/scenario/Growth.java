package dev.spike.bench.scenario;

import dev.spike.bench.report.Result;

import java.util.List;
import java.util.Locale;

/**
 * How figures grow with a size: the x of the curve c × size^x that is nearest to the samples, by
 * least squares over the logarithms of both. 0: not at all; 1: in proportion; 2: as the square;
 * negative: it falls. It is as good as its sizes are far apart.
 */
final class Growth {

    private final String size;
    private final List<Integer> sizes;

    /**
     * Of a table whose only label is a size.
     *
     * @param size what it is a number of, such as {@code units}
     * @param sizes that are measured, at least two different ones
     */
    Growth(String size, List<Integer> sizes) {
        if (sizes.stream().anyMatch(one -> one < 1)
                || sizes.stream().distinct().count() != sizes.size()
                || sizes.size() < 2) {
            throw new IllegalArgumentException(
                    "must be two or more different numbers >= 1: " + size + "=" + sizes);
        }
        this.size = size;
        this.sizes = List.copyOf(sizes);
    }

    /** The sentence that the reader must know. */
    String about() {
        return "The last row is the growth order: the x with which " + size
                + "^x is nearest to the figures above it, in each round.";
    }

    /** A table for the samples of one round. */
    Result newRound() {
        return new Result(size);
    }

    /** The labels of a size's row. */
    List<String> row(int of) {
        return List.of(String.format(Locale.ROOT, "%,d", of));
    }

    /** The labels of the row of growth orders. */
    List<String> orders() {
        return List.of("x of " + size + "^x");
    }

    /**
     * Adds the growth order of each figure of a round, in which every size has one sample of it.
     * Its digits beyond the third are nothing but noise, and left out.
     */
    void addOrders(Result round) {
        double[] logOfSizes = sizes.stream().mapToDouble(Math::log).toArray();
        for (String figure : round.figures()) {
            double[] logOfFigures = sizes.stream()
                    .mapToDouble(one -> log(figure, round.samples(row(one), figure)))
                    .toArray();
            double order = slope(logOfSizes, logOfFigures);
            round.add(orders(), figure, Math.round(order * 1e3) / 1e3);
        }
    }

    private static double log(String figure, List<Double> samples) {
        if (samples.size() != 1 || !(samples.get(0) > 0)) {
            throw new IllegalStateException("must be one sample > 0: " + figure + "=" + samples);
        }
        return Math.log(samples.get(0));
    }

    /** Of the straight line that is nearest to the points. */
    private static double slope(double[] x, double[] y) {
        double meanX = mean(x);
        double meanY = mean(y);
        double both = 0;
        double square = 0;
        for (int i = 0; i < x.length; i++) {
            both += (x[i] - meanX) * (y[i] - meanY);
            square += (x[i] - meanX) * (x[i] - meanX);
        }
        return both / square;
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }
}
