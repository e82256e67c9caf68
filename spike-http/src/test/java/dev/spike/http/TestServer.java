package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** A real server in this process, on free ports, and a client of it. */
final class TestServer implements AutoCloseable {

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<String, Long> totals = new HashMap<>();
    private final RunningServer server;

    private TestServer(RunningServer server, Options options) {
        this.server = server;
        totals.put(options.saleId, options.total);
    }

    /** Starts it with these flags; unless they say otherwise with the in-memory store. */
    static TestServer start(String... flags) {
        List<String> args = new ArrayList<>(List.of("--host=127.0.0.1"));
        if (Arrays.stream(flags).noneMatch(flag -> flag.startsWith("--port"))) {
            args.add("--port=0");
        }
        if (Arrays.stream(flags).noneMatch(flag -> flag.startsWith("--redis"))) {
            args.add("--redis=none");
        }
        args.addAll(List.of(flags));
        CommandLine parser = Options.commandLine(Map.of());
        parser.parseArgs(args.toArray(String[]::new));
        Options options = parser.getCommand();
        options.check();
        return new TestServer(RunningServer.start(options), options);
    }

    int port() {
        return server.port();
    }

    int adminPort() {
        return server.adminPort();
    }

    /** How many requests are being answered. */
    int underWay() {
        return server.underWay();
    }

    /** How many watch a sale. */
    int watching() {
        return server.watching();
    }

    /** How many connections its buyers' listener has now. */
    int connections() {
        return connections(server.port());
    }

    static int connections(int port) {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        try {
            int sum = 0;
            for (ObjectName name : beans.queryNames(new ObjectName("org.xnio:type=Xnio,*"), null)) {
                if (name.toString().matches(".*:" + port + "\\W.*")) {
                    sum += (Integer) beans.getAttribute(name, "ConnectionCount");
                }
            }
            return sum;
        } catch (JMException failure) {
            throw new AssertionError(failure);
        }
    }

    /** What it prints at its start. */
    String description() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        server.describe(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** The Redis it uses. */
    String redis() {
        String uri = description().replaceFirst("(?s).*Redis: (\\S+).*", "$1");
        assertThat(uri).startsWith("redis://");
        return uri;
    }

    HttpResponse<String> get(String path) {
        return send("GET", path, null);
    }

    HttpResponse<String> buy(String query) {
        return get("/buy/ticket" + query);
    }

    /** Asks for units of a sale. */
    HttpResponse<String> reserve(String sale, String key, String body) {
        return send(
                "POST",
                reservations(sale),
                body,
                "Idempotency-Key",
                key,
                "Content-Type",
                "application/json");
    }

    static String reservations(String sale) {
        return "/v1/sales/" + sale + "/reservations";
    }

    /** @param headers names and values, in turn */
    HttpResponse<String> send(
            String method, String path, @Nullable String body, String... headers) {
        return send(server.port(), method, path, body, headers);
    }

    HttpResponse<String> admin(
            String method, String path, @Nullable String body, String... headers) {
        return send(server.adminPort(), method, path, body, headers);
    }

    /** Opens a sale; the rules are a JSON object with {@code total}. */
    HttpResponse<String> open(String sale, String rules) {
        HttpResponse<String> opened =
                admin("PUT", "/v1/sales/" + sale, rules, "Content-Type", "application/json");
        if (opened.statusCode() == 201) {
            totals.put(sale, json(rules).get("total").longValue());
        }
        return opened;
    }

    /** Changes the total of a sale. */
    HttpResponse<String> restock(String sale, String opId, long delta) {
        HttpResponse<String> done = adminPost(
                "/v1/sales/" + sale + "/total",
                "{\"opId\":\"" + opId + "\",\"delta\":" + delta + "}");
        if (done.statusCode() == 200 && !json(done.body()).get("repeated").booleanValue()) {
            totals.merge(sale, json(done.body()).get("applied").longValue(), Long::sum);
        }
        return done;
    }

    HttpResponse<String> adminPost(String path, String body) {
        return admin("POST", path, body, "Content-Type", "application/json");
    }

    private HttpResponse<String> send(
            int port, String method, String path, @Nullable String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + port + path))
                .method(
                        method,
                        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            return client.send(request.build(), FirstEvent.orWhole());
        } catch (IOException failure) {
            throw new AssertionError(method + " " + path, failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException malformed) {
            throw new AssertionError(text, malformed);
        }
    }

    /** {@code available reserved sold} of a sale. */
    String levels(String sale) {
        JsonNode body = json(get("/v1/sales/" + sale).body());
        return body.get("available") + " " + body.get("reserved") + " " + body.get("sold");
    }

    /** In every sale opened here: total = available + reserved + sold, none negative. */
    void assertConserved() {
        totals.forEach((sale, total) -> {
            JsonNode body = json(get("/v1/sales/" + sale).body());
            long sum = 0;
            for (String level : List.of("available", "reserved", "sold")) {
                assertThat(body.get(level).longValue()).as(sale + " " + level).isNotNegative();
                sum += body.get(level).longValue();
            }
            assertThat(sum).as("levels of " + sale + ": " + body).isEqualTo(total);
        });
    }

    @Override
    public void close() {
        server.close();
    }
}
