package dev.spike.http;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Route;

import dev.spike.http.Chromium.Screen;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.util.concurrent.atomic.AtomicInteger;

/** What the page says of a sale when its news are strange, slow, few, or come from a proxy. */
@Tag("browser")
@Timeout(180)
final class PageStreamTest {

    /** A stream whose text is changed on its way to the page. */
    private static final String CHANGED = """
            const real = window.fetch;
            window.fetch = async (path, options) => {
              const response = await real(path, options);
              if (!String(path).endsWith('/events')) {
                return response;
              }
              return new Response(response.body
                .pipeThrough(new TextDecoderStream())
                .pipeThrough(new TransformStream({
                  transform: (text, out) => out.enqueue(text.replaceAll(%s, %s)),
                }))
                .pipeThrough(new TextEncoderStream()), response);
            };
            """;

    @RegisterExtension
    static final Chromium CHROMIUM = new Chromium();

    @RegisterExtension
    final Servers servers = new Servers();

    private static Visit visit(TestServer server) {
        return CHROMIUM.visit(server, Screen.DESK)
                .expecting(error -> error.startsWith("Failed to load resource"));
    }

    private static Visit navigate(Visit visit, TestServer server) {
        visit.page.navigate("http://127.0.0.1:" + server.port() + "/");
        return visit;
    }

    @Test
    void phase_ofANewerServer_isLeftOutAndTheFiguresGoOn() {
        TestServer server = servers.start("--total=7");
        Visit visit = visit(server);
        visit.page.addInitScript(CHANGED.formatted("'open'", "'raffle'"));
        navigate(visit, server).sees("#connection", "Live").sees("#available", "7");
        visit.buy("alice", 1).hasTicket("reserved").sees("#available", "6").sees("#phase", "");
        assertThat(server.watching()).isEqualTo(1);
    }

    @Test
    void stream_garbled_leavesNoConnectionBehind() {
        TestServer server = servers.start("--total=7");
        Visit visit = visit(server);
        AtomicInteger connections = new AtomicInteger();
        visit.page.onRequest(request -> {
            if (request.url().endsWith("/events")) {
                connections.incrementAndGet();
            }
        });
        visit.page.addInitScript(CHANGED.formatted("'\"total\"'", "'total'"));
        navigate(visit, server).sees("#connection", "Reconnecting");
        visit.page.waitForCondition(() -> connections.get() >= 3);
        Awaitility.await().until(() -> server.watching() <= 1);
        visit.buy("alice", 1).hasTicket("reserved");
    }

    @Test
    void stream_refusedByAProxy_isNotCalledCrowded() {
        TestServer server = servers.start("--total=7");
        Visit visit = visit(server);
        visit.page.route(
                "**/events", route -> route.fulfill(new Route.FulfillOptions().setStatus(503)));
        navigate(visit, server).sees("#connection", "Reconnecting");
        visit.page.unroute("**/events");
        visit.sees("#connection", "Live");
    }

    @Test
    void retryAfter_aDate_isWaitedForAsIfNothingWereSaid() {
        Visit visit = visit(servers.start()).open();
        assertThat(visit.page.evaluate("""
                async () => {
                  const { retryAfter } = await import('./assets/requests.js');
                  return ['Fri, 31 Dec 1999 23:59:59 GMT', '', '-1', '1e9', '3']
                    .map((told) => new Response('', { headers: { 'Retry-After': told } }))
                    .map((response) => retryAfter(response, 7)).join();
                }
                """)).isEqualTo("7,7,7,7,3000");
    }

    @Test
    void sale_thatIsClosedAndHasNoPlaceToWatch_isNotOnSale() {
        TestServer server = servers.start("--total=7", "--watchers=0");
        server.adminPost("/v1/sales/ticket/close", "");
        Visit visit = navigate(visit(server), server);
        visit.sees("#connection", "Every few seconds")
                .sees("#phase", "Closed")
                .sees("#hint", "Closed");
        assertThat(visit.at("#reserve")).hasAttribute("aria-disabled", "true");
    }

    @Test
    void sale_absentOrNotYetOpen_cannotBeBoughtAndSaysWhy() {
        TestServer server = servers.start();
        server.open("tour", "{\"total\":500,\"opensAt\":\"2099-01-31T10:00:00+08:00\"}");
        Visit visit = visit(server);
        String url = "http://127.0.0.1:" + server.port() + "/?sale=";
        visit.page.navigate(url + "tour");
        assertThat(visit.at("#hint")).containsText("Opens at Jan 31, 2099");
        assertThat(visit.at("#reserve")).hasAttribute("aria-disabled", "true");
        visit.page.navigate(url + "nope");
        visit.sees("#hint", "There is no such sale").sees("#connection", "Waiting");
        assertThat(visit.at("#reserve")).hasAttribute("aria-disabled", "true");
    }

    @Test
    void connection_silent_isSlowAndThenLiveAgain() {
        TestServer server = servers.start("--total=7");
        Visit visit = visit(server);
        visit.page.clock().install();
        visit.open().sees("#available", "7");
        visit.page.clock().fastForward(14_000);
        visit.sees("#connection", "Slow");
        server.buy("");
        visit.sees("#connection", "Live").sees("#available", "6");
    }

    @Test
    void connection_lost_leavesBuyingToTheServer() {
        TestServer server = servers.start("--total=1");
        server.adminPost("/v1/sales/ticket/close", "");
        Visit visit = visit(server).open().sees("#hint", "Closed");
        visit.page.route("**/events", Route::abort);
        visit.page.evaluate("dispatchEvent(new Event('offline'))");
        visit.sees("#connection", "Reconnecting");
        server.adminPost("/v1/sales/ticket/reopen", "");
        visit.buy("alice", 1).hasTicket("reserved");
    }

    /** Each line: what came, and the arrivals a second that are shown at some moment after it. */
    @Test
    void rates_fewReportsOrOtherNodesOrARestart_areNeverWorseThanUnknown() {
        Visit visit = visit(servers.start()).open();
        assertThat(visit.page.evaluate("""
                async () => {
                  const { Rates } = await import('./assets/rates.js');
                  const rates = new Rates();
                  const saw = (arrivals, at) =>
                    rates.saw({ node: { arrivals, refusals: 0 }, upMillis: 50000 + at }, at);
                  const shown = [];
                  const see = (at) => shown.push(rates.now(at)?.arrivals ?? '-');
                  see(0);
                  // A busy server: a report every 2.4 s, 1000 a second.
                  [0, 2400, 4800, 7200].forEach((at) => saw(at, at));
                  [7300, 8500, 9590, 12000].forEach(see);
                  saw(9600, 9600);
                  see(9600);
                  // Quiet for half a minute, and then 500 within a moment.
                  saw(9600, 9700);
                  saw(9600, 9800);
                  saw(10100, 40000);
                  see(40000);
                  see(44000);
                  // The counters began anew, though the clock went on.
                  saw(5, 44100);
                  see(44100);
                  rates.clear();
                  see(44200);
                  rates.saw({ available: 3 }, 44300);
                  see(44300);
                  return shown.join();
                }
                """)).isEqualTo("-,1000,1000,1000,1000,1000,500,0,0,-,-");
    }
}
