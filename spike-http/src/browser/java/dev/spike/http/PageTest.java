package dev.spike.http;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Route;

import dev.spike.http.Chromium.Screen;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The page of a real server in a real browser: a sale as it is seen, and a purchase's whole life.
 */
@Tag("browser")
@Timeout(180)
final class PageTest {

    private static final Predicate<String> REFUSALS =
            error -> error.startsWith("Failed to load resource");

    @RegisterExtension
    static final Chromium CHROMIUM = new Chromium();

    @RegisterExtension
    final Servers servers = new Servers();

    private Visit open(TestServer server) {
        return CHROMIUM.visit(server, Screen.DESK).open();
    }

    @Test
    void stock_whileAbBuys_fallsOnThePage() throws Exception {
        TestServer server = servers.start("--total=30000");
        Visit visit = open(server).sees("#available", "30,000").sees("#phase", "On sale");
        Process ab = new ProcessBuilder(
                        Chromium.program("ab").toString(),
                        "-q",
                        "-n29000",
                        "-c20",
                        "http://127.0.0.1:" + server.port() + "/buy/ticket")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(visit.at("#arrivals")).hasText(Pattern.compile("[1-9]\\d*|\\d+,\\d{3}"));
        assertThat(visit.at("#available")).hasText(Pattern.compile("[12]\\d,\\d{3}"));
        assertThat(ab.waitFor()).isZero();
        visit.sees("#available", "1,000")
                .sees("#level-reserved", "29,000")
                .sees("#level-sold", "0")
                .sees("#here", "29,000")
                .sees("#others", "0")
                .sees("#arrivals", "0");
        assertThat(visit.at("#announcer"))
                .hasText(Pattern.compile("[\\d,]+ of 30,000 units left."));
        visit.click("summary");
        assertThat(visit.at("#rows tr").first())
                .hasText(Pattern.compile("\\d\\d:\\d\\d:\\d\\d.*[\\d,]+.*"));
        assertThat(visit.at("#chart"))
                .hasAttribute("aria-label", Pattern.compile("In .* seconds.*"));
    }

    @Test
    void buy_thenPay_itIsSoldAndItsOrderWritten(@TempDir Path data) {
        TestServer server = servers.start("--redis=embedded", "--data=" + data, "--total=10");
        Visit visit = open(server).buy("李雷 & co", 1).hasTicket("reserved");
        visit.click("#confirm")
                .hasTicket("confirmed")
                .sees("#ticket-title", "Yours")
                .sees("#ticket-buyer", "李雷 & co")
                .sees("#ticket-order-state", "written")
                .sees("#level-sold", "1");
        assertThat(server.levels("ticket")).isEqualTo("9 0 1");
        visit.click("#done").sees("#reserve", "Buy");
        assertThat(visit.at("#ticket")).isHidden();
    }

    @Test
    void buy_shortHold_countsDownAndExpiresAndSellsAgain() {
        TestServer server = servers.start("--total=2", "--hold=6s");
        Visit visit = open(server).buy("alice", 2).hasTicket("reserved").sees("#available", "0");
        visit.sees("#phase", "All held: some may come back");
        assertThat(visit.at("#time")).hasText(Pattern.compile("0:0[1-6]"));
        visit.hasTicket("expired").sees("#ticket-title", "Expired").sees("#available", "2");
        visit.click("#done").buy("alice", 1).hasTicket("reserved");
        assertThat(server.levels("ticket")).isEqualTo("1 1 0");
    }

    @Test
    void extend_onceMoreThanItMay_saysSoAndKeepsTheTime() {
        TestServer server = servers.start("--total=2", "--hold=100s", "--max-hold=101s");
        Visit visit = open(server).expecting(REFUSALS).buy("alice", 1).hasTicket("reserved");
        assertThat(visit.at("#time")).hasText(Pattern.compile("1:3\\d"));
        visit.click("#extend").sees("#problem", "It cannot be held any longer. Pay or let it go.");
        visit.click("#cancel").hasTicket("cancelled").sees("#available", "2").sees("#problem", "");
    }

    @Test
    void buy_replyIsLost_samePurchaseUnderTheSameKey() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server).expecting(REFUSALS);
        List<String> keys = new ArrayList<>();
        visit.page.route("**/reservations", route -> {
            keys.add(route.request().headerValue("idempotency-key"));
            if (keys.size() == 1) {
                route.fetch();
                route.abort();
            } else if (keys.size() == 2) {
                route.fulfill(new Route.FulfillOptions()
                        .setStatus(503)
                        .setHeaders(Map.of("Retry-After", "1"))
                        .setBody("<html>a proxy's page</html>"));
            } else {
                route.resume();
            }
        });
        visit.buy("alice", 3).hasTicket("reserved");
        assertThat(keys).hasSize(3).containsOnly(keys.get(0));
        assertThat(keys.get(0)).matches("[0-9a-f]{32}");
        assertThat(server.levels("ticket")).isEqualTo("7 3 0");
    }

    @Test
    void buy_noAnswerAtAll_saysThatItIsNotKnownAndAskingAgainTells() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server).expecting(REFUSALS);
        visit.page.route("**/reservations", route -> {
            route.fetch();
            route.fulfill(new Route.FulfillOptions()
                    .setStatus(503)
                    .setContentType("application/problem+json")
                    .setBody(
                            "{\"type\":\"urn:spike:problem:unknown\",\"retryAfterMillis\":60000}"));
        });
        visit.buy("alice", 1).hasTicket("unsure").sees("#ticket-title", "Not known yet");
        visit.page.unroute("**/reservations");
        visit.page.reload();
        visit.hasTicket("reserved");
        assertThat(server.levels("ticket")).isEqualTo("9 1 0");
    }

    @Test
    void reload_whileReserved_isStillThereAndCanBePaid() {
        TestServer server = servers.start("--total=10", "--per-buyer=2");
        Visit visit = open(server).buy("alice", 2).hasTicket("reserved");
        String key = visit.at("#ticket-key").innerText();
        visit.page.reload();
        visit.hasTicket("reserved").sees("#ticket-key", key).sees("#ticket-quantity", "2");
        visit.click("#confirm").hasTicket("confirmed");
        visit.page.reload();
        visit.hasTicket("confirmed");
        assertThat(server.levels("ticket")).isEqualTo("8 0 2");
    }

    @Test
    void buy_refused_saysWhyInBothLanguages() {
        TestServer server = servers.start("--total=5", "--per-buyer=2");
        Visit visit = open(server).expecting(REFUSALS);
        visit.buy("alice", 3).sees("#problem", "That is more than one buyer may have.");
        visit.click("[data-language=zh]").sees("#problem", "超过每人限购数量。");
        visit.buy("", 1).sees("#problem", "请填写姓名（1 至 128 字节）。");
        visit.page.reload();
        visit.sees("#buy-title", "立即抢购").click("[data-language=en]");
        for (String buyer : List.of("bob", "bob", "carol", "carol")) {
            server.buy("?buyer=" + buyer);
        }
        visit.buy("alice", 2).sees("#problem", "There are not so many left.");
        server.buy("?buyer=dave");
        visit.sees("#phase", "All held: some may come back");
        visit.buy("alice", 1)
                .sees(
                        "#problem",
                        "All are held by others just now. Some may come back: try again soon.");
    }

    @Test
    void soldOut_andClosed_cannotBeBoughtAndSaysSo() {
        TestServer server = servers.start("--total=1");
        Visit visit = open(server).buy("alice", 1).hasTicket("reserved");
        visit.click("#confirm")
                .hasTicket("confirmed")
                .sees("#phase", "Sold out")
                .click("#done");
        assertThat(visit.at("#reserve")).hasAttribute("aria-disabled", "true");
        server.restock("ticket", "second-train", 1);
        visit.sees("#phase", "On sale").sees("#available", "1");
        assertThat(visit.at("#reserve")).hasAttribute("aria-disabled", "false");
        server.adminPost("/v1/sales/ticket/close", "");
        visit.sees("#phase", "Closed");
        assertThat(visit.at("#reserve")).hasAttribute("aria-disabled", "true");
    }

    @Test
    void keyboard_alone_buysAndPays() {
        TestServer server = servers.start("--total=5");
        Visit visit = open(server);
        press(visit, "Tab", "Enter", "Tab");
        assertThat(visit.at("#buyer")).isFocused();
        press(visit, "Control+A", "K", "Tab", "Tab");
        assertThat(visit.at("#quantity")).isFocused();
        press(visit, "ArrowUp", "Enter");
        visit.hasTicket("reserved");
        assertThat(visit.at("#ticket-title")).isFocused();
        press(visit, "Tab");
        assertThat(visit.at("#confirm")).isFocused();
        assertThat(visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle + "
                        + "getComputedStyle(document.activeElement).outlineWidth"))
                .isEqualTo("solid3px");
        press(visit, "Enter");
        visit.hasTicket("confirmed").sees("#ticket-buyer", "K").sees("#ticket-quantity", "2");
        assertThat(server.levels("ticket")).isEqualTo("3 0 2");
    }

    private static void press(Visit visit, String... keys) {
        for (String key : keys) {
            visit.page.keyboard().press(key);
        }
    }

    @Test
    void language_ofTheBrowser_isTakenAndTheChoiceIsKept() {
        TestServer server = servers.start();
        Visit visit = CHROMIUM.visit(server, Screen.DESK.inChinese()).open();
        visit.sees("#connection", "实时").sees("#phase", "抢购中").sees("#reserve", "抢购");
        assertThat(visit.at("html")).hasAttribute("lang", "zh-CN");
        visit.click("[data-language=en]").sees("#connection", "Live");
        visit.page.reload();
        visit.sees("#connection", "Live").sees("#reserve", "Buy");
        assertThat(visit.at("html")).hasAttribute("lang", "en");
    }

    @Test
    void connection_serverStopsAndComesAgain_saysSoAndIsLiveAgain() throws IOException {
        TestServer first = servers.start("--total=7");
        Visit visit = open(first).expecting(REFUSALS).sees("#available", "7");
        int port = first.port();
        servers.stop(first);
        visit.sees("#connection", "Reconnecting");
        assertThat(visit.at("#note")).isVisible();
        servers.start("--total=9", "--port=" + port, "--admin-port=0");
        visit.sees("#connection", "Live").sees("#available", "9");
        assertThat(visit.at("#note")).isHidden();
    }

    @Test
    void connection_noPlaceToWatch_figuresComeAllTheSame() {
        TestServer server = servers.start("--total=7", "--watchers=0");
        Visit visit = CHROMIUM.visit(server, Screen.DESK).expecting(REFUSALS);
        visit.page.navigate("http://127.0.0.1:" + server.port() + "/");
        visit.sees("#connection", "Every few seconds").sees("#available", "7");
        server.buy("");
        visit.sees("#available", "6").buy("alice", 1).hasTicket("reserved");
    }

    @Test
    void sale_ofTheAddress_isShown() {
        TestServer server = servers.start();
        server.open("tour", "{\"total\":500}");
        Visit visit = CHROMIUM.visit(server, Screen.DESK).expecting(REFUSALS);
        String url = "http://127.0.0.1:" + server.port() + "/?sale=";
        visit.page.navigate(url + "tour");
        visit.sees("#sale", "tour").sees("#available", "500");
        visit.page.navigate(url + "nope");
        visit.sees("#phase", "There is no such sale");
    }
}
