package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** The page's files: these and no others, with what keeps them safe and fresh. */
final class PageHandlerTest {

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start("--sale=tour-2030");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource({
        "/,text/html; charset=utf-8",
        "/assets/page.css,text/css; charset=utf-8",
        "/assets/page.js,text/javascript; charset=utf-8",
        "/assets/elements.js,text/javascript; charset=utf-8",
        "/assets/words.js,text/javascript; charset=utf-8",
        "/assets/english.js,text/javascript; charset=utf-8",
        "/assets/chinese.js,text/javascript; charset=utf-8",
        "/assets/stream.js,text/javascript; charset=utf-8",
        "/assets/rates.js,text/javascript; charset=utf-8",
        "/assets/requests.js,text/javascript; charset=utf-8",
        "/assets/buy.js,text/javascript; charset=utf-8",
        "/assets/form.js,text/javascript; charset=utf-8",
        "/assets/ticket.js,text/javascript; charset=utf-8",
        "/assets/chart.js,text/javascript; charset=utf-8",
        "/assets/kept.js,text/javascript; charset=utf-8",
        "/assets/icon.svg,image/svg+xml",
        "/assets/uplot.js,text/javascript; charset=utf-8",
        "/assets/uplot.css,text/css; charset=utf-8"
    })
    void get_eachFile_withItsTypeAndPolicy(String path, String type) {
        HttpResponse<String> file = server.get(path);
        assertThat(file.statusCode()).isEqualTo(200);
        assertThat(file.body()).isNotBlank();
        assertHeader(file, "Content-Type", type);
        assertHeader(file, "Cache-Control", "no-cache");
        assertHeader(file, "X-Content-Type-Options", "nosniff");
        assertHeader(file, "Referrer-Policy", "no-referrer");
        assertHeader(file, "Vary", "Accept-Encoding");
        assertThat(file.headers().firstValue("Content-Security-Policy").orElseThrow())
                .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
                .doesNotContain("unsafe", "http", "*", "data:");
        HttpResponse<String> head = server.send("HEAD", path, null);
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.headers().firstValue("ETag")).isEqualTo(file.headers().firstValue("ETag"));
    }

    private static void assertHeader(HttpResponse<?> response, String name, String value) {
        assertThat(response.headers().firstValue(name)).contains(value);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/assets",
                "/assets/",
                "/assets/index.html",
                "/index.html",
                "/assets/version.txt",
                "/page/index.html",
                "/assets/page.css/",
                "/assets/PAGE.css",
                "/favicon.ico",
                "/META-INF/resources/webjars/uplot/1.6.30/package.json"
            })
    void get_anyOtherPath_notFound(String path) {
        assertThat(server.get(path).statusCode()).isEqualTo(404);
    }

    @Test
    void post_file_refused() {
        HttpResponse<String> refused = server.send("POST", "/", "x");
        assertThat(refused.statusCode()).isEqualTo(405);
        assertHeader(refused, "Allow", "GET, HEAD");
        assertThat(server.admin("GET", "/", null).statusCode()).isEqualTo(404);
    }

    @Test
    void get_theSaleOfTheServer_isNamedInThePage() {
        assertThat(server.get("/?sale=other").body())
                .contains("data-sale=\"tour-2030\"")
                .doesNotContain("{sale}");
    }

    @Test
    void get_knownTag_notModified() {
        HttpResponse<String> file = server.get("/assets/page.js");
        String tag = file.headers().firstValue("ETag").orElseThrow();
        for (String known : List.of(tag, "W/" + tag, "\"other\", " + tag)) {
            HttpResponse<String> again =
                    server.send("GET", "/assets/page.js", null, "If-None-Match", known);
            assertThat(again.statusCode()).as(known).isEqualTo(304);
            assertThat(again.body()).isEmpty();
            assertHeader(again, "ETag", tag);
        }
        assertThat(server.send("GET", "/assets/page.js", null, "If-None-Match", "\"other\"")
                        .statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gzip|true",
                "br, gzip|true",
                "gzip;q=0.5, br|true",
                "br|false",
                "gzip;q=0|false",
                "gzip;q=0.0, br|false",
                "xgzip|false",
                "identity|false"
            })
    void get_acceptEncoding_compressedOnlyIfTaken(String accepted, boolean compressed)
            throws Exception {
        HttpResponse<byte[]> file = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(
                                        "http://127.0.0.1:" + server.port() + "/assets/uplot.js"))
                                .header("Accept-Encoding", accepted)
                                .build(),
                        BodyHandlers.ofByteArray());
        HttpResponse<String> plain = server.get("/assets/uplot.js");
        assertThat(file.headers().firstValue("Content-Encoding").isPresent()).isEqualTo(compressed);
        assertThat(text(file.body(), compressed)).isEqualTo(plain.body());
        assertThat(file.headers().firstValue("ETag").equals(plain.headers().firstValue("ETag")))
                .isNotEqualTo(compressed);
    }

    private static String text(byte[] body, boolean compressed) throws IOException {
        return compressed
                ? new String(
                        new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes(), UTF_8)
                : new String(body, UTF_8);
    }

    /** Of both languages: what the one has, the other has, and the page uses no other. */
    @Test
    void words_eachInBothLanguages_andASentenceForEachProblem() {
        Set<String> english = names(server.get("/assets/english.js").body());
        assertThat(names(server.get("/assets/chinese.js").body())).isEqualTo(english);
        Arrays.stream(Problem.values())
                .map(problem -> problem.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .forEach(type -> assertThat(english).contains("problem." + type));
        for (String path :
                List.of("/", "/assets/page.js", "/assets/form.js", "/assets/ticket.js")) {
            Matcher used = Pattern.compile(
                            "(?:data-(?:word|label)=\"|word\\('|'(?=buy\\.))([^\"']+)")
                    .matcher(server.get(path).body());
            assertThat(used.results().map(result -> result.group(1)))
                    .as(path)
                    .isNotEmpty()
                    .isSubsetOf(english);
        }
    }

    private static Set<String> names(String words) {
        Set<String> names = new TreeSet<>();
        Matcher name = Pattern.compile("(?m)^  '([^']+)': ").matcher(words);
        while (name.find()) {
            assertThat(names.add(name.group(1))).as(name.group(1)).isTrue();
        }
        return names;
    }
}
