package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.microsoft.playwright.Page;

import dev.spike.http.Chromium.Screen;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.NumberFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * How the page looks on a phone and a desk, light and dark, in both languages: nothing is cut off
 * or wider than the screen, and axe-core finds nothing that keeps anybody out.
 *
 * <p>With {@code -Dspike.screenshots=true} it makes the pictures of the documentation.
 */
@Tag("browser")
@Timeout(180)
final class PageLooksTest {

    private static final Path PICTURES = Path.of("../docs/page");
    private static final List<String> OF_THE_DOCUMENTATION =
            List.of("desk-light-en", "desk-dark-zh", "phone-light-zh", "phone-dark-en");

    /** What sticks out to the side, or is cut off. */
    private static final String CUT_OFF = """
            () => [...document.querySelectorAll('body *')]
              .filter((e) => e.checkVisibility() && !e.closest('.unseen, .skip, .u-hz, .scroll'))
              .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5
                || e.getBoundingClientRect().left < -0.5
                || (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1
                    && !['INPUT', 'svg'].includes(e.tagName)))
              .map((e) => e.outerHTML.slice(0, 120))
            """;

    private static final String BOUGHT_IN_ANOTHER_TAB = """
            localStorage.setItem('spike.purchase.other', JSON.stringify({
              sale: 'ticket', key: 'other', id: 'other', buyer: 'Somebody with a long name indeed',
              quantity: 2, status: 'confirmed', since: 0,
            }))
            """;

    private static final String AXE = """
            async () => (await axe.run()).violations
              .filter((v) => ['serious', 'critical'].includes(v.impact))
              .map((v) => `${v.id}: ${v.nodes.map((n) => n.html + n.failureSummary).join()}`)
            """;

    @RegisterExtension
    static final Chromium CHROMIUM = new Chromium();

    @RegisterExtension
    final Servers servers = new Servers();

    static Stream<Screen> screens() {
        Stream<Screen> usual = Stream.of(Screen.DESK, Screen.PHONE)
                .flatMap(screen -> Stream.of(screen, screen.inDark()))
                .flatMap(screen -> Stream.of(screen, screen.inChinese()));
        return Stream.concat(usual, Stream.of(Screen.NARROW));
    }

    @ParameterizedTest
    @MethodSource("screens")
    void page_inEachOfItsStates_fitsTheScreenAndKeepsNobodyOut(Screen screen) throws Exception {
        TestServer server = servers.start("--total=10000", "--per-buyer=4");
        crowd(server, 200);
        Visit visit = CHROMIUM.visit(server, screen)
                .expecting(error -> error.startsWith("Failed to load resource")
                        // By axe-core itself.
                        || error.startsWith("Canvas2D: Multiple readback operations"))
                .open();
        int reserved = 200;
        for (int i = 0; i < 16; i++) {
            int buyers = 90 + 40 * (i % 4);
            crowd(server, buyers);
            reserved += buyers;
            visit.sees("#here", NumberFormat.getInstance(Locale.ENGLISH).format(reserved));
        }
        look(visit);
        visit.buy("an.extremely.long.name.without.any.space@somewhere.example", 9)
                .at("#problem:not(:empty)")
                .waitFor();
        look(visit);
        visit.buy(screen.locale().startsWith("zh") ? "李雷" : "Alice", 2).hasTicket("reserved");
        look(visit);
        picture(visit, screen);
        visit.click("summary").click("#confirm").hasTicket("confirmed");
        look(visit);
        visit.click("#done").buy("Bob", 1).hasTicket("reserved");
        visit.page.evaluate(BOUGHT_IN_ANOTHER_TAB);
        visit.click("#cancel").hasTicket("cancelled").at("#tickets-list button").waitFor();
        look(visit);
        servers.stop(server);
        visit.at("#note:visible").waitFor();
        look(visit);
    }

    /** Some get a unit and pay, some only get it, some are refused. */
    private static void crowd(TestServer server, int buyers) throws IOException {
        try (Wire wire = Wire.open(server.port())) {
            for (int i = 0; i < buyers; i++) {
                String head = wire.send(Wire.get("/buy/ticket")).read().head();
                String location = head.replaceFirst("(?s).*Location: (\\S+).*", "$1");
                if (i % 3 == 0) {
                    wire.send(Wire.post(location + "/confirm", "unused-key", ""))
                            .read();
                } else if (i % 3 == 1) {
                    String body = "{\"buyer\":\"many\",\"quantity\":9}";
                    wire.send(Wire.post(TestServer.reservations("ticket"), "refused-" + i, body))
                            .read();
                }
            }
        }
    }

    private static void look(Visit visit) throws IOException {
        Page page = visit.page;
        assertThat((List<?>) page.evaluate(CUT_OFF)).isEmpty();
        assertThat((Boolean) page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
                .isTrue();
        if (!(Boolean) page.evaluate("'axe' in window")) {
            page.evaluate(axe());
        }
        assertThat((List<?>) page.evaluate(AXE)).isEmpty();
    }

    private static String axe() throws IOException {
        String name = "/META-INF/resources/webjars/axe-core/4.6.3/axe.min.js";
        try (InputStream in = PageLooksTest.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    private static void picture(Visit visit, Screen screen) throws IOException {
        if (Boolean.getBoolean("spike.screenshots")
                && OF_THE_DOCUMENTATION.contains(screen.toString())) {
            Files.createDirectories(PICTURES);
            visit.page.screenshot(
                    new Page.ScreenshotOptions().setPath(PICTURES.resolve(screen + ".png")));
        }
    }
}
