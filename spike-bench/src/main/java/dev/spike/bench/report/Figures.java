package dev.spike.bench.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;

/** Figures as people read them: three digits that mean something, thousands set off. */
final class Figures {

    private static final MathContext DIGITS = new MathContext(3);

    private Figures() {}

    /** The median, and the smallest and largest in brackets where they differ from it. */
    static String spread(List<Double> samples) {
        if (samples.isEmpty()) {
            return "";
        }
        List<Double> sorted = samples.stream().sorted().toList();
        String median = text(median(samples));
        String least = text(sorted.get(0));
        String most = text(sorted.get(sorted.size() - 1));
        return least.equals(most) ? median : median + " (" + least + "–" + most + ")";
    }

    static double median(List<Double> samples) {
        List<Double> sorted = samples.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(half)
                : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    /** Whole numbers in full; others rounded to three digits. */
    static String text(double value) {
        BigDecimal exact = BigDecimal.valueOf(value);
        if (exact.stripTrailingZeros().scale() <= 0) {
            return String.format(Locale.ROOT, "%,d", exact.longValue());
        }
        BigDecimal rounded = exact.round(DIGITS);
        return rounded.scale() <= 0
                ? String.format(Locale.ROOT, "%,d", rounded.longValue())
                : rounded.stripTrailingZeros().toPlainString();
    }
}
