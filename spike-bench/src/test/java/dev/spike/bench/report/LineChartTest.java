package dev.spike.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

import javax.xml.parsers.DocumentBuilderFactory;

class LineChartTest {

    @Test
    void svg_twoLinesAndAMark_isXmlWithAPathForEach() throws Exception {
        String svg = new LineChart("a < b & c", "nodes", "calls/s")
                .line("one", List.of(new LineChart.Point(0, 0), new LineChart.Point(10, 5)))
                .line("two", List.of(new LineChart.Point(0, 10), new LineChart.Point(10, 0)))
                .mark(5, "a <mark>")
                .svg();

        var document = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
        assertThat(document.getElementsByTagName("title").item(0).getTextContent())
                .isEqualTo("a < b & c");
        assertThat(svg)
                .contains("class=\"line c0\" d=\"M80.0 350.0L740.0 205.0\"")
                .contains("class=\"line c1\" d=\"M80.0 60.0L740.0 350.0\"")
                .contains("class=\"mark\" d=\"M410.0 60V350\"")
                .doesNotContain("<script");
    }

    @Test
    void line_withoutAPoint_orBelowZero_isRefused() {
        LineChart chart = new LineChart("title", "x", "y");

        assertThatThrownBy(() -> chart.line("none", List.of())).hasMessageContaining("none");
        assertThatThrownBy(() -> chart.line("below", List.of(new LineChart.Point(0, -1))))
                .hasMessageContaining("below");
    }
}
