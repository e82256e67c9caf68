package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;

import dev.spike.http.ApiDocument.Listener;
import dev.spike.http.ApiDocument.Operation;

import org.jspecify.annotations.Nullable;

import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A client that holds each request and answer against the document, and notes what of the document
 * it has seen: statuses with their problems, headers, parameters, properties and their values.
 */
final class ApiClient {

    private static final Set<String> OF_HTTP =
            Set.of("connection", "content-length", "content-type", "date");

    private final ApiDocument document;
    private final TestServer server;
    private final String token;
    private final Set<String> seen = new TreeSet<>();

    ApiClient(ApiDocument document, TestServer server, String token) {
        this.document = document;
        this.server = server;
        this.token = token;
    }

    /** Sends a request to the buyers' listener; a body as JSON. */
    HttpResponse<String> buyers(
            String method, String path, @Nullable String body, String... headers) {
        return checked(
                Listener.BUYERS,
                method,
                path,
                body,
                headers,
                server.send(method, path, body, json(body, headers)));
    }

    /** Sends a request to the admin listener, with the token. */
    HttpResponse<String> admin(
            String method, String path, @Nullable String body, String... headers) {
        String[] all = Stream.concat(
                        Arrays.stream(json(body, headers)),
                        Stream.of("Authorization", "Bearer " + token))
                .toArray(String[]::new);
        return checked(
                Listener.ADMIN, method, path, body, headers, server.admin(method, path, body, all));
    }

    /** The same without the token. */
    HttpResponse<String> stranger(String method, String path) {
        return checked(
                Listener.ADMIN,
                method,
                path,
                null,
                new String[0],
                server.admin(method, path, null));
    }

    private static String[] json(@Nullable String body, String... headers) {
        return body == null || List.of(headers).contains("Content-Type")
                ? headers
                : Stream.concat(
                                Stream.of("Content-Type", "application/json"),
                                Arrays.stream(headers))
                        .toArray(String[]::new);
    }

    private HttpResponse<String> checked(
            Listener listener,
            String method,
            String path,
            @Nullable String body,
            String[] headers,
            HttpResponse<String> answer) {
        String what = listener + " " + method + " " + path + " -> " + answer.statusCode() + " "
                + answer.headers().map() + " " + answer.body();
        Operation operation = document.find(method, path).orElse(null);
        assertThat(operation).as(what).isNotNull();
        String name = operation.name() + " " + answer.statusCode();
        JsonNode response = document.resolve(
                operation.node().get("responses").path(String.valueOf(answer.statusCode())));
        assertThat(response.isMissingNode()).as("undocumented: " + what).isFalse();
        check(name, response.path("headers"), answer, what);
        String type = answer.headers().firstValue("Content-Type").orElse("none");
        JsonNode content = response.get("content").path(type);
        assertThat(content.isMissingNode()).as("undocumented: " + what).isFalse();
        if (!method.equals("HEAD")) {
            check(name, content, type, answer.body(), what);
        }
        if (answer.statusCode() < 300) {
            assertThat(operation.listeners()).as(what).contains(listener);
            seen.add(operation.name() + " at " + listener);
            accepted(operation, path, body, headers);
        }
        return answer;
    }

    private void check(String name, JsonNode documented, HttpResponse<String> answer, String what) {
        Set<String> others = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        others.addAll(answer.headers().map().keySet());
        others.removeAll(OF_HTTP);
        for (Map.Entry<String, JsonNode> one : documented.properties()) {
            JsonNode header = document.resolve(one.getValue());
            List<String> values = answer.headers().allValues(one.getKey());
            others.remove(one.getKey());
            assertThat(values)
                    .as(one.getKey() + " of " + what)
                    .hasSizeBetween(header.path("required").asBoolean() ? 1 : 0, 1);
            for (String value : values) {
                JsonNode schema = header.get("schema");
                document.requireValid(schema, document.typed(schema, value), what);
                seen.add(name + " [" + one.getKey() + "]");
            }
        }
        assertThat(others).as("undocumented headers: " + what).isEmpty();
    }

    private void check(String name, JsonNode content, String type, String body, String what) {
        boolean isStream = type.equals("text/event-stream");
        JsonNode schema = content.get("schema");
        schema = isStream ? schema.get("contentSchema") : schema;
        JsonNode value = isStream
                ? TestServer.json(FirstEvent.data(body))
                : type.contains("json") ? TestServer.json(body) : TextNode.valueOf(body);
        document.requireValid(schema, value, what);
        document.walk(schema, value, this::property);
        if (!content.has("examples")) {
            seen.add(name);
            return;
        }
        boolean known = false;
        for (Map.Entry<String, JsonNode> one : content.get("examples").properties()) {
            JsonNode example = document.resolve(one.getValue()).get("value");
            if (example.path("type").equals(value.path("type"))
                    && example.path("code").equals(value.path("code"))) {
                known = true;
                seen.add(name + " " + one.getKey());
                assertThat(value.get("title")).as(what).isEqualTo(example.get("title"));
                assertThat(value.get("status")).as(what).isEqualTo(example.get("status"));
                if (example.path("detail").equals(value.path("detail"))
                        && example.path("msg").equals(value.path("msg"))) {
                    seen.add("example " + one.getKey());
                }
            }
        }
        assertThat(known).as("undocumented: " + what).isTrue();
    }

    private void property(String name, JsonNode value) {
        seen.add(name);
        if (value.isTextual() || value.isInt()) {
            seen.add(ApiDocument.value(name, value));
        }
    }

    /** What the server took must be what the document tells clients to send. */
    private void accepted(
            Operation operation, String path, @Nullable String body, String[] headers) {
        for (JsonNode parameter : document.parameters(operation)) {
            String name = parameter.get("name").textValue();
            String given = switch (parameter.get("in").textValue()) {
                case "header" -> headers.length > 1 && headers[0].equals(name) ? headers[1] : "";
                case "query" ->
                    path.matches(".*[?&]" + name + "=.*")
                            ? path.replaceFirst(".*[?&]" + name + "=([^&]*).*", "$1")
                            : "";
                default -> segment(operation.path(), path, name);
            };
            if (given.isEmpty()) {
                assertThat(parameter.path("required").asBoolean()).as(name).isFalse();
            } else {
                document.requireValid(parameter.get("schema"), TextNode.valueOf(given), name);
                seen.add(operation.name() + " with " + name);
            }
        }
        JsonNode schema = operation.node().at("/requestBody/content/application~1json/schema");
        if (!schema.isMissingNode()) {
            JsonNode value = TestServer.json(body);
            document.requireValid(schema, value, operation.name());
            document.walk(schema, value, this::property);
        }
    }

    private static String segment(String template, String path, String name) {
        int index = List.of(template.split("/")).indexOf("{" + name + "}");
        return path.replaceFirst("\\?.*", "").split("/")[index];
    }

    /** What was seen. */
    Set<String> seen() {
        Set<String> documented = documented();
        Set<String> relevant = new TreeSet<>(seen);
        // Values of texts and numbers that may be any.
        relevant.removeIf(one -> one.matches("\\w+\\.\\w+=.*") && !documented.contains(one));
        return relevant;
    }

    /** What there is to be seen. */
    Set<String> documented() {
        Set<String> all = document.properties();
        for (Operation operation : document.operations()) {
            operation.listeners().forEach(one -> all.add(operation.name() + " at " + one));
            document.parameters(operation)
                    .forEach(one -> all.add(
                            operation.name() + " with " + one.get("name").textValue()));
            for (Map.Entry<String, JsonNode> one :
                    operation.node().get("responses").properties()) {
                String name = operation.name() + " " + one.getKey();
                JsonNode response = document.resolve(one.getValue());
                response.path("headers")
                        .fieldNames()
                        .forEachRemaining(header -> all.add(name + " [" + header + "]"));
                response.get("content").forEach(content -> {
                    if (!content.has("examples")) {
                        all.add(name);
                    }
                    content.path("examples").fieldNames().forEachRemaining(example -> {
                        all.add(name + " " + example);
                        all.add("example " + example);
                    });
                });
            }
        }
        return all;
    }
}
