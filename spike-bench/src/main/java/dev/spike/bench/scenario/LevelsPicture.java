package dev.spike.bench.scenario;

import dev.spike.bench.report.LineChart;
import dev.spike.bench.scenario.Incidents.Incident;
import dev.spike.bench.scenario.Timeline.Point;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * The levels of a sale over time, units over seconds, as the log has them every
 * {@value #STEP_MILLIS} ms.
 */
final class LevelsPicture {

    private static final int STEP_MILLIS = 100;
    private static final int COLUMNS = 72;
    private static final int ROWS = 12;

    private final Timeline history;
    private final List<Incident> incidents;
    private final long fromMillis;
    private final long untilMillis;

    LevelsPicture(Timeline history, List<Incident> incidents) {
        this.history = history;
        this.incidents = incidents;
        List<Point> points = history.points();
        fromMillis = points.get(0).atMillis();
        untilMillis = points.get(points.size() - 1).atMillis();
    }

    /** As lines, with a mark for each incident. */
    String svg() {
        LineChart chart = new LineChart("Levels of the sale", "time, s", "units")
                .line("available", line(Point::available))
                .line("reserved", line(Point::reserved))
                .line("sold", line(Point::sold));
        for (Incident incident : incidents) {
            chart.mark((incident.atMillis() - fromMillis) / 1e3, incident.what());
        }
        return chart.svg();
    }

    private List<LineChart.Point> line(ToLongFunction<Point> level) {
        List<LineChart.Point> line = new ArrayList<>();
        for (long at = fromMillis; at < untilMillis + STEP_MILLIS; at += STEP_MILLIS) {
            line.add(new LineChart.Point(
                    (at - fromMillis) / 1e3, level.applyAsLong(history.at(at))));
        }
        return line;
    }

    /** As letters: each column is a moment, each row a share of the total. */
    String text() {
        Point last = history.at(untilMillis);
        double total = Math.max(1, last.available() + last.reserved() + last.sold());
        StringBuilder text = new StringBuilder();
        for (int row = ROWS; row >= 1; row--) {
            double units = (row - 0.5) * total / ROWS;
            text.append(
                    row == ROWS ? String.format(Locale.ROOT, "%,9.0f |", total) : "          |");
            for (int column = 0; column < COLUMNS; column++) {
                text.append(letter(history.at(atMillis(column)), units));
            }
            text.append('\n');
        }
        return text.append(String.format(Locale.ROOT, "        0 +%s%n", "-".repeat(COLUMNS)))
                .append(String.format(
                        Locale.ROOT,
                        "           0 s%" + (COLUMNS - 3) + ".1f s%n",
                        (untilMillis - fromMillis) / 1e3))
                .append("           # sold   + reserved   . available\n")
                .toString();
    }

    private long atMillis(int column) {
        return fromMillis + (untilMillis - fromMillis) * column / (COLUMNS - 1);
    }

    private static char letter(Point levels, double units) {
        if (units <= levels.sold()) {
            return '#';
        } else if (units <= levels.sold() + levels.reserved()) {
            return '+';
        }
        return units <= levels.sold() + levels.reserved() + levels.available() ? '.' : ' ';
    }
}
