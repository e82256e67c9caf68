package dev.spike.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Lines over a number, such as levels over time or costs over the count of nodes, as an SVG that is
 * readable in light and in dark, and has no scripts. Both axes start at 0. Not safe for use by many
 * threads.
 */
public final class LineChart {

    /** A point of a line; neither is below 0. */
    public record Point(double x, double y) {}

    private record Mark(double x, String what) {}

    private static final int WIDTH = 760;
    private static final int HEIGHT = 400;
    private static final int LEFT = 80;
    private static final int RIGHT = 20;
    private static final int TOP = 60;
    private static final int BOTTOM = 50;
    private static final int COLOURS = 6;

    private static final String STYLE = """
            <style>
              .lines { color: #222; background: #fff; font: 13px sans-serif }
              .lines text { fill: currentColor; stroke: none }
              .axis { stroke: currentColor; stroke-opacity: 0.25 }
              .mark { stroke: currentColor; stroke-dasharray: 2 3; stroke-opacity: 0.6 }
              .line { fill: none; stroke-width: 2; stroke-linejoin: round }
              .c0 { stroke: #1f6fb4 } .c1 { stroke: #c96a00 } .c2 { stroke: #2b8a3e }
              .c3 { stroke: #b8336a } .c4 { stroke: #6f4fb3 } .c5 { stroke: #7a6a00 }
              @media (prefers-color-scheme: dark) {
                .lines { color: #ddd; background: #181818 }
                .c0 { stroke: #6cb4f0 } .c1 { stroke: #ffa94d } .c2 { stroke: #69db7c }
                .c3 { stroke: #ff8cb8 } .c4 { stroke: #b9a1f5 } .c5 { stroke: #e0d050 }
              }
            </style>
            """;

    private final String title;
    private final String xAxis;
    private final String yAxis;
    private final Map<String, List<Point>> lines = new LinkedHashMap<>();
    private final List<Mark> marks = new ArrayList<>();

    /**
     * A chart without lines.
     *
     * @param xAxis what the axis counts, with its unit, as yAxis
     */
    public LineChart(String title, String xAxis, String yAxis) {
        this.title = title;
        this.xAxis = xAxis;
        this.yAxis = yAxis;
    }

    /**
     * Adds a line.
     *
     * @param points in the order in which they are joined, at least one
     * @throws IllegalArgumentException if there are none, or one is below 0 or not finite
     */
    public LineChart line(String name, List<Point> points) {
        boolean drawable = !points.isEmpty()
                && points.stream()
                        .allMatch(point -> point.x >= 0
                                && point.y >= 0
                                && Double.isFinite(point.x)
                                && Double.isFinite(point.y));
        if (!drawable) {
            throw new IllegalArgumentException("must be points >= 0, at least one: " + name);
        }
        lines.put(name, List.copyOf(points));
        return this;
    }

    /** Adds a line across, for a moment; what it was is shown to who points at it. */
    public LineChart mark(double x, String what) {
        marks.add(new Mark(x, what));
        return this;
    }

    /** The whole file. */
    public String svg() {
        double mostX = most(point -> point.x);
        double mostY = most(point -> point.y);
        StringBuilder svg = new StringBuilder();
        svg.append(line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
                        + "class=\"lines\">",
                WIDTH, HEIGHT));
        svg.append(line("<title>%s</title>", escaped(title))).append(STYLE);
        svg.append(
                line("<text x=\"%d\" y=\"22\" font-size=\"16\">%s</text>", LEFT, escaped(title)));
        axes(svg, mostX, mostY);
        for (Mark mark : marks) {
            double x = x(mark.x, mostX);
            svg.append(line(
                    "<path class=\"mark\" d=\"M%.1f %dV%d\"><title>%s</title></path>",
                    x, TOP, HEIGHT - BOTTOM, escaped(mark.what)));
        }
        int nth = 0;
        for (Map.Entry<String, List<Point>> each : lines.entrySet()) {
            draw(svg, nth++, each.getKey(), each.getValue(), mostX, mostY);
        }
        return svg.append("</svg>\n").toString();
    }

    private void axes(StringBuilder svg, double mostX, double mostY) {
        double stepY = step(mostY);
        for (double tick = 0; tick <= mostY * 1.0001; tick += stepY) {
            double y = y(tick, mostY);
            svg.append(line("<path class=\"axis\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT));
            svg.append(line(
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                    LEFT - 8, y + 4, Figures.text(tick)));
        }
        double stepX = step(mostX);
        for (double tick = 0; tick <= mostX * 1.0001; tick += stepX) {
            svg.append(line(
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                    x(tick, mostX), HEIGHT - BOTTOM + 18, Figures.text(tick)));
        }
        svg.append(line(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>",
                WIDTH - RIGHT, HEIGHT - 10, escaped(xAxis)));
        svg.append(line(
                "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"end\">%s</text>",
                TOP, escaped(yAxis)));
    }

    private static void draw(
            StringBuilder svg,
            int nth,
            String name,
            List<Point> points,
            double mostX,
            double mostY) {
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            path.append(path.isEmpty() ? 'M' : 'L')
                    .append(line("%.1f %.1f", x(point.x, mostX), y(point.y, mostY))
                            .strip());
        }
        int colour = nth % COLOURS;
        int x = LEFT + nth * 130;
        svg.append(line("<path class=\"line c%d\" d=\"%s\"/>", colour, path));
        svg.append(line("<path class=\"line c%d\" d=\"M%d 42h20\"/>", colour, x));
        svg.append(line("<text x=\"%d\" y=\"46\">%s</text>", x + 26, escaped(name)));
    }

    private double most(ToDoubleFunction<Point> of) {
        double most = lines.values().stream()
                .flatMap(List::stream)
                .mapToDouble(of)
                .max()
                .orElse(0);
        return most > 0 ? most : 1;
    }

    /** A round step with which an axis has four to ten ticks. */
    private static double step(double most) {
        double ten = Math.pow(10, Math.floor(Math.log10(most)));
        double parts = most / ten;
        return parts >= 4 ? ten : parts >= 2 ? ten / 2 : ten / 5;
    }

    private static double x(double value, double most) {
        return LEFT + value / most * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double value, double most) {
        return HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM);
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values) + "\n";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
