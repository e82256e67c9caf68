package dev.spike.bench.report;

import java.util.List;
import java.util.Locale;

/**
 * Bars from left to right, one below the other, each with its median in figures and a line from its
 * smallest to its largest sample. Readable on light and on dark ground.
 *
 * @param title with the unit
 * @param bars from top to bottom
 */
record BarChart(String title, List<Bar> bars) {

    /**
     * A bar.
     *
     * @param label at its left
     * @param samples at least one
     * @param ours whether it is the one that the chart is about
     */
    record Bar(String label, List<Double> samples, boolean ours) {}

    private static final int WIDTH = 760;
    private static final int LABELS = 250;
    private static final int FIGURES = 80;
    private static final int STEP = 26;
    private static final int TOP = 40;

    private static final String HEAD = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" width="%1$d" \
            height="%2$d" font-family="sans-serif" font-size="13" role="img">
            <title>%3$s</title>
            <style>
            .ground { fill: #ffffff } text { fill: #1f2328 } .ours { fill: #0969da } .other { fill: #8c959f }
            .spread { stroke: #1f2328 }
            @media (prefers-color-scheme: dark) {
            .ground { fill: #0d1117 } text { fill: #e6edf3 } .ours { fill: #4493f8 } .other { fill: #6e7681 }
            .spread { stroke: #e6edf3 } }
            </style>
            <rect width="100%%" height="100%%" class="ground"/>
            <text x="0" y="18" font-size="15" font-weight="bold">%3$s</text>
            """;

    private static final String BAR = """
            <text x="%d" y="%d" text-anchor="end">%s</text>
            <rect x="%d" y="%d" width="%.1f" height="16" class="%s"/>
            <path d="M%.1f %dH%.1f" class="spread"/>
            <text x="%.1f" y="%d">%s</text>
            """;

    /** As an SVG document. */
    String toSvg() {
        double most = bars.stream()
                .flatMap(bar -> bar.samples().stream())
                .max(Double::compare)
                .orElseThrow(() -> new IllegalArgumentException("no bars: " + title));
        double scale = (WIDTH - LABELS - FIGURES) / most;
        StringBuilder svg = new StringBuilder(
                String.format(Locale.ROOT, HEAD, WIDTH, TOP + STEP * bars.size(), escaped(title)));
        int y = TOP;
        for (Bar bar : bars) {
            List<Double> sorted = bar.samples().stream().sorted().toList();
            double median = Figures.median(sorted);
            double least = LABELS + scale * sorted.get(0);
            double longest = LABELS + scale * sorted.get(sorted.size() - 1);
            svg.append(String.format(
                    Locale.ROOT,
                    BAR,
                    LABELS - 8,
                    y + 13,
                    escaped(bar.label()),
                    LABELS,
                    y,
                    scale * median,
                    bar.ours() ? "ours" : "other",
                    least,
                    y + 8,
                    longest,
                    longest + 6,
                    y + 13,
                    Figures.text(median)));
            y += STEP;
        }
        return svg.append("</svg>\n").toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;");
    }
}
