package dev.spike.http;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The browser of this machine, for the tests of a class. After each test it looks whether any page
 * had an error, or asked another server for anything.
 */
final class Chromium implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

    private static final String PACKAGES = "chromium fonts-noto-cjk apache2-utils";

    private final List<Visit> visits = new ArrayList<>();
    private Playwright playwright;
    private Browser browser;

    @Override
    public void beforeAll(ExtensionContext context) {
        Path chromium = program("chromium", "chromium-browser", "google-chrome");
        playwright = Playwright.create();
        browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(chromium)
                        .setArgs(List.of(
                                // It cannot make one when it runs as root; its pages are ours.
                                "--no-sandbox",
                                "--disable-gpu",
                                "--disable-quic",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--disable-component-update",
                                "--disable-sync")));
    }

    /** A program of the PATH under one of these names; a test without it fails. */
    static Path program(String... names) {
        Optional<Path> found = Stream.of(names)
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
        return found.orElseThrow(() -> new AssertionError(
                names[0] + " is not on the PATH; Debian's packages are: " + PACKAGES));
    }

    /** Someone before a screen, who has not opened a page yet. */
    Visit visit(TestServer server, Screen screen) {
        BrowserContext context = browser.newContext(new Browser.NewContextOptions()
                .setLocale(screen.locale())
                .setColorScheme(screen.dark() ? ColorScheme.DARK : ColorScheme.LIGHT)
                .setViewportSize(screen.width(), screen.height()));
        Visit visit = new Visit(context, "http://127.0.0.1:" + server.port());
        visits.add(visit);
        return visit;
    }

    /** What a visitor looks at. */
    record Screen(int width, int height, boolean dark, String locale) {

        static final Screen DESK = new Screen(1280, 800, false, "en-US");
        static final Screen PHONE = new Screen(390, 844, false, "en-US");
        static final Screen NARROW = new Screen(320, 640, false, "en-US");

        Screen inDark() {
            return new Screen(width, height, true, locale);
        }

        Screen inChinese() {
            return new Screen(width, height, dark, "zh-CN");
        }

        @Override
        public String toString() {
            return (width < 360 ? "narrow" : width < 600 ? "phone" : "desk")
                    + (dark ? "-dark" : "-light")
                    + (locale.startsWith("zh") ? "-zh" : "-en");
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        try {
            if (context.getExecutionException().isEmpty()) {
                visits.forEach(Visit::assertClean);
            }
        } finally {
            visits.forEach(Visit::close);
            visits.clear();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (playwright != null) {
            playwright.close();
        }
    }
}
