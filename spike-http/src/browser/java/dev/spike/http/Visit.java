package dev.spike.http;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.assertions.PlaywrightAssertions;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Someone who has the page of a server open. */
final class Visit {

    private static final double PATIENCE_MILLIS = 30_000;

    private final BrowserContext context;
    private final String origin;
    private final List<String> errors = new ArrayList<>();
    private final List<String> elsewhere = new ArrayList<>();
    private Predicate<String> expected = error -> false;
    final Page page;

    Visit(BrowserContext context, String origin) {
        this.context = context;
        this.origin = origin;
        PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE_MILLIS);
        context.setDefaultTimeout(PATIENCE_MILLIS);
        page = context.newPage();
        page.onConsoleMessage(message -> {
            if (List.of("error", "warning").contains(message.type())) {
                errors.add(message.text());
            }
        });
        page.onPageError(errors::add);
        page.onRequest(request -> {
            if (!request.url().startsWith(origin + "/")) {
                elsewhere.add(request.url());
            }
        });
    }

    /** Opens the page; waits until it is live. */
    Visit open() {
        page.navigate(origin + "/");
        assertThat(at("#connection")).hasAttribute("data-state", "live");
        return this;
    }

    Locator at(String selector) {
        return page.locator(selector);
    }

    /** Waits until an element shows this text. */
    Visit sees(String selector, String text) {
        assertThat(at(selector))
                .hasText(text, new LocatorAssertions.HasTextOptions().setUseInnerText(true));
        return this;
    }

    /** Waits until the ticket has this status. */
    Visit hasTicket(String status) {
        assertThat(at("#ticket")).hasAttribute("data-status", status);
        return this;
    }

    Visit click(String selector) {
        at(selector).click();
        return this;
    }

    /** Buys so many under this name. */
    Visit buy(String buyer, int quantity) {
        at("#buyer").fill(buyer);
        at("#quantity").fill("" + quantity);
        return click("#reserve");
    }

    /** Some errors belong to the test: the browser itself notes each answer of 400 and above. */
    Visit expecting(Predicate<String> errors) {
        expected = errors;
        return this;
    }

    void assertClean() {
        assertThat(elsewhere).as("requests to other servers").isEmpty();
        assertThat(errors).as("errors of the page").allMatch(expected);
    }

    void close() {
        context.close();
    }
}
