package dev.spike.http;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.APIResponse;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;

import dev.spike.http.Chromium.Screen;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** A purchase whose answers come late, wrong or never: it is neither lost nor made twice. */
@Tag("browser")
@Timeout(180)
final class PagePurchaseTest {

    private static final String RESERVATIONS = "**/reservations";
    private static final String LOOKS = "**/reservations/*";

    @RegisterExtension
    static final Chromium CHROMIUM = new Chromium();

    @RegisterExtension
    final Servers servers = new Servers();

    private static Visit open(TestServer server) {
        return CHROMIUM.visit(server, Screen.DESK)
                .expecting(error -> error.startsWith("Failed to load resource"))
                .open();
    }

    /** So late that the page does not wait for it. */
    private static void refuse(Route route, String type) {
        route.fulfill(new Route.FulfillOptions()
                .setStatus(503)
                .setContentType("application/problem+json")
                .setBody("{\"type\":\"urn:spike:problem:%s\",\"retryAfterMillis\":60000}"
                        .formatted(type)));
    }

    @Test
    void unsure_thenTheStoreIsAway_keepsItsKeyAlsoOverAReload() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        List<String> keys = new ArrayList<>();
        visit.page.route(RESERVATIONS, route -> {
            keys.add(route.request().headerValue("idempotency-key"));
            if (keys.size() == 1) {
                route.fetch();
                refuse(route, "unknown");
            } else {
                refuse(route, "unavailable");
            }
        });
        visit.buy("alice", 1).sees("#ticket-title", "Not known yet").click("#again");
        visit.page.waitForCondition(() -> keys.size() == 2);
        visit.sees("#ticket-title", "Not known yet").sees("#again", "Ask again");
        visit.page.reload();
        visit.page.waitForCondition(() -> keys.size() == 3);
        visit.sees("#ticket-title", "Not known yet");
        visit.page.unroute(RESERVATIONS);
        visit.click("#again").hasTicket("reserved").sees("#ticket-key", keys.get(0));
        assertThat(keys).containsOnly(keys.get(0));
        assertThat(server.levels("ticket")).isEqualTo("9 1 0");
    }

    @Test
    void replyIsLost_thenAProxySaysNo_asksOnUnderTheSameKey() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        Deque<Integer> proxy = new ArrayDeque<>(List.of(408, 425, 429, 403));
        visit.page.route(RESERVATIONS, route -> {
            if (proxy.size() == 4 && server.levels("ticket").equals("10 0 0")) {
                route.fetch();
                route.abort();
            } else if (!proxy.isEmpty()) {
                route.fulfill(new Route.FulfillOptions()
                        .setStatus(proxy.remove())
                        .setHeaders(Map.of("Retry-After", "0"))
                        .setBody("<html>a proxy's page</html>"));
            } else {
                route.resume();
            }
        });
        visit.buy("alice", 1).hasTicket("reserved").sees("#level-reserved", "1");
        assertThat(server.levels("ticket")).isEqualTo("9 1 0");
    }

    @Test
    void look_answeredAfterThePayment_changesNothing() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        List<Route> held = new ArrayList<>();
        List<APIResponse> before = new ArrayList<>();
        visit.page.route(LOOKS, route -> {
            if (held.isEmpty()) {
                before.add(route.fetch());
                held.add(route);
            } else {
                route.resume();
            }
        });
        visit.buy("alice", 1).hasTicket("reserved");
        visit.page.waitForCondition(() -> !held.isEmpty());
        visit.click("#confirm").hasTicket("confirmed");
        visit.page.evaluate("""
                () => {
                  window.seen = [];
                  new MutationObserver(() => seen.push(ticket.dataset.status))
                    .observe(ticket, { attributes: true });
                }
                """);
        visit.page.waitForResponse(
                response -> response.request().method().equals("GET")
                        && response.text().contains("confirmed"),
                () -> held.get(0).fulfill(new Route.FulfillOptions().setResponse(before.get(0))));
        visit.hasTicket("confirmed");
        assertThat(visit.page.evaluate("seen.join()")).asString().doesNotContain("reserved");
    }

    @Test
    void pay_doneButTheAnswerIsLost_isSeenSoon() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        visit.page.route("**/confirm", route -> {
            route.fetch();
            refuse(route, "unknown");
        });
        visit.buy("alice", 1).hasTicket("reserved").click("#confirm");
        visit.hasTicket("confirmed").sees("#problem", "");
        visit.sees("#said", "Yours. Paid. Nobody can take it from you.");
        assertThat(visit.at("#ticket-title")).isFocused();
    }

    @Test
    void looks_neverAnswered_areGivenUpAndMadeAnew() {
        TestServer server = servers.start("--total=10", "--hold=6s");
        Visit visit = open(server);
        List<Route> unanswered = new ArrayList<>();
        visit.page.route(LOOKS, route -> {
            if (unanswered.size() < 2) {
                unanswered.add(route);
            } else {
                route.resume();
            }
        });
        visit.buy("alice", 1).hasTicket("checking").hasTicket("expired");
    }

    @Test
    void twoTabs_eachBuys_neitherLosesItsPurchase() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        Page other = visit.page.context().newPage();
        other.navigate(visit.page.url());
        visit.buy("alice", 1).hasTicket("reserved");
        other.locator("#buyer").fill("bob");
        other.locator("#reserve").click();
        assertThat(other.locator("#ticket-buyer")).hasText("bob");
        visit.page.reload();
        visit.sees("#ticket-buyer", "bob").sees("#tickets-list", "Held for you · 1 · alice");
        visit.click("#tickets-list button").sees("#ticket-buyer", "alice");
        other.locator("#cancel").click();
        visit.sees("#tickets-list", "Cancelled · 1 · bob");
        other.locator("#done").click();
        assertThat(visit.at("#tickets")).isHidden();
        visit.page.reload();
        visit.sees("#ticket-buyer", "alice").click("#confirm").hasTicket("confirmed");
        assertThat(other.locator("#tickets-list")).hasText("Yours · 1 · alice");
        assertThat(server.levels("ticket")).isEqualTo("9 0 1");
    }

    @Test
    void keptPurchase_garbled_doesNotHinderThePage() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        visit.page.evaluate("""
                ['ticket', 'a', 'b'].forEach((key, i) =>
                  localStorage.setItem('spike.purchase.' + key, ['{', 'null', '{}'][i]))
                """);
        visit.page.reload();
        visit.sees("#available", "10").buy("alice", 1).hasTicket("reserved");
    }

    @Test
    void unsure_streamComesBack_asksByItself() {
        TestServer server = servers.start("--total=10");
        Visit visit = open(server);
        visit.page.route(RESERVATIONS, route -> {
            route.fetch();
            refuse(route, "unknown");
        });
        visit.buy("alice", 1).hasTicket("unsure");
        visit.page.context().setOffline(true);
        visit.sees("#connection", "Reconnecting");
        visit.page.unroute(RESERVATIONS);
        visit.page.context().setOffline(false);
        visit.hasTicket("reserved");
        assertThat(server.levels("ticket")).isEqualTo("9 1 0");
    }

    @Test
    void refusal_noLongerTrue_isTakenAway() {
        TestServer server = servers.start("--total=1");
        Visit visit = open(server);
        server.buy("?buyer=bob");
        visit.sees("#phase", "All held: some may come back").buy("alice", 1);
        assertThat(visit.at("#problem")).not().isEmpty();
        server.restock("ticket", "second-train", 1);
        visit.sees("#problem", "");
    }

    @Test
    void wanted_malformed_isNotAskedForAndSaysWhichField() {
        TestServer server = servers.start("--total=10", "--per-buyer=2");
        Visit visit = open(server);
        visit.page.route(RESERVATIONS, route -> {
            throw new AssertionError("asked");
        });
        assertThat(visit.at("#hint")).containsText("At most 2 each.");
        visit.buy("名".repeat(43), 1).sees("#problem", "Please give a name of 1 to 128 bytes.");
        assertThat(visit.at("#buyer")).hasAttribute("aria-invalid", "true");
        assertThat(visit.at("#buyer")).isFocused();
        visit.at("#buyer").fill("alice");
        visit.sees("#problem", "");
        visit.buy("alice", 0).sees("#problem", "Please give a whole number of units, 1 or more.");
        assertThat(visit.at("#quantity")).hasAttribute("aria-invalid", "true");
        assertThat(visit.at("#buyer")).hasAttribute("aria-invalid", "false");
    }

    @Test
    void timeRunsOut_isSaidAndTheFocusStaysInTheTicket() {
        TestServer server = servers.start("--total=10", "--hold=12s");
        Visit visit = open(server).buy("alice", 1).hasTicket("reserved");
        visit.at("#confirm").focus();
        visit.page.evaluate(
                "getSelection().selectAllChildren(document.getElementById('ticket-key'))");
        visit.sees("#said", "0:10 left to pay.");
        assertThat(visit.page.evaluate("getSelection().toString()"))
                .isEqualTo(visit.at("#ticket-key").innerText());
        assertThat(visit.at("#confirm")).isFocused();
        visit.hasTicket("expired")
                .sees("#said", "Expired. The time ran out, and it went back on sale.");
        assertThat(visit.at("#ticket-title")).isFocused();
    }

    @Test
    void clock_farAhead_isNotTakenForTheStores() {
        TestServer server = servers.start("--total=10");
        Visit visit = CHROMIUM.visit(server, Screen.DESK);
        visit.page.addInitScript("""
                Object.defineProperty(performance, 'timeOrigin',
                  { value: performance.timeOrigin + 3600000 });
                """);
        List<Route> unanswered = new ArrayList<>();
        visit.page.route("**/events", unanswered::add);
        visit.page.navigate("http://127.0.0.1:" + server.port() + "/");
        visit.buy("alice", 1).hasTicket("reserved");
        assertThat(visit.at("#countdown")).isHidden();
        unanswered.get(0).resume();
        assertThat(visit.at("#time")).hasText(Pattern.compile("4:5\\d|5:00"));
        visit.hasTicket("reserved");
    }
}
