package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.ETag;
import io.undertow.util.ETagUtils;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * {@code /}: a page of the sale for people, and its files below {@code /assets/}. They are few,
 * come from the jar, and are read once; no other path is ever looked up.
 */
final class PageHandler {

    /** Nothing but what this server itself gave: no other host, nothing inline. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; "
            + "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'";

    private static final HttpString CONTENT_SECURITY_POLICY =
            new HttpString("Content-Security-Policy");
    private static final HttpString REFERRER_POLICY = new HttpString("Referrer-Policy");

    private static final List<String> MODULES = List.of(
            "page",
            "elements",
            "words",
            "english",
            "chinese",
            "stream",
            "rates",
            "requests",
            "buy",
            "form",
            "ticket",
            "chart",
            "kept");

    /** Of the version in the POM; another is missed at the start. */
    private static final String CHART = "/META-INF/resources/webjars/uplot/1.6.30/dist/";

    private static final String HTML = "text/html; charset=utf-8";
    private static final String CSS = "text/css; charset=utf-8";
    private static final String SCRIPT = "text/javascript; charset=utf-8";
    private static final Pattern GZIP =
            Pattern.compile("(^|[,\\s])gzip\\s*(,|$|;\\s*q=(1|0\\.0*[1-9]))");

    private final Map<String, File> files = new HashMap<>();

    /**
     * One file.
     *
     * @param tag of its content; that of the compressed form differs, as RFC 9110 wants
     */
    private record File(Reply plain, Reply compressed, String tag) {}

    /** @param saleId the sale that the page shows if its address names no other */
    PageHandler(String saleId) {
        String page = new String(read("page/index.html"), UTF_8).replace("{sale}", saleId);
        add("/", HTML, page.getBytes(UTF_8));
        add("/assets/page.css", CSS, read("page/page.css"));
        for (String module : MODULES) {
            add("/assets/" + module + ".js", SCRIPT, read("page/" + module + ".js"));
        }
        add("/assets/icon.svg", "image/svg+xml", read("page/icon.svg"));
        add("/assets/uplot.css", CSS, read(CHART + "uPlot.min.css"));
        add("/assets/uplot.js", SCRIPT, read(CHART + "uPlot.iife.min.js"));
    }

    private static byte[] read(String name) {
        try (InputStream in = PageHandler.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("missing in the jar: " + name);
            }
            return in.readAllBytes();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void add(String path, String type, byte[] bytes) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            ByteArrayOutputStream zipped = new ByteArrayOutputStream();
            try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
                out.write(bytes);
            }
            files.put(
                    path,
                    new File(
                            Reply.encoded(200, type, bytes),
                            Reply.encoded(200, type, zipped.toByteArray()),
                            HexFormat.of().formatHex(hash, 0, 8)));
        } catch (IOException | NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Whether there is such a file. */
    boolean has(String path) {
        return files.containsKey(path);
    }

    /** Sends a file that there is, unless the client has it as it is. */
    void send(HttpServerExchange exchange, String path) {
        File file = files.get(path);
        if (file == null) {
            Problem.NOT_FOUND.send(exchange);
            return;
        }
        boolean compressed = takesGzip(exchange.getRequestHeaders().get(Headers.ACCEPT_ENCODING));
        ETag tag = new ETag(false, compressed ? file.tag + "-gzip" : file.tag);
        HeaderMap headers = exchange.getResponseHeaders();
        headers.put(Headers.ETAG, tag.toString());
        // Asked for anew each time, so that a page never meets the scripts of another version.
        headers.put(Headers.CACHE_CONTROL, "no-cache");
        headers.put(Headers.VARY, Headers.ACCEPT_ENCODING_STRING);
        headers.put(CONTENT_SECURITY_POLICY, POLICY);
        headers.put(Headers.X_CONTENT_TYPE_OPTIONS, "nosniff");
        headers.put(REFERRER_POLICY, "no-referrer");
        if (!ETagUtils.handleIfNoneMatch(exchange, tag, true)) {
            exchange.setStatusCode(304);
            exchange.endExchange();
        } else if (compressed) {
            headers.put(Headers.CONTENT_ENCODING, "gzip");
            file.compressed.send(exchange);
        } else {
            file.plain.send(exchange);
        }
    }

    private static boolean takesGzip(@Nullable HeaderValues accepted) {
        return accepted != null
                && accepted.stream().anyMatch(line -> GZIP.matcher(line).find());
    }
}
