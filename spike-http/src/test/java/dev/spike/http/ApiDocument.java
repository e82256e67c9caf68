package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.networknt.schema.Error;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialect;
import com.networknt.schema.dialect.Dialects;
import com.networknt.schema.keyword.NonValidationKeyword;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/** The OpenAPI document: its operations, and whether a value is what one of its schemas says. */
final class ApiDocument {

    enum Listener {
        BUYERS,
        ADMIN
    }

    /** A method of a path, and which listeners have it. */
    record Operation(String path, String method, Set<Listener> listeners, JsonNode node) {

        String name() {
            return method + " " + path;
        }

        private boolean matches(String otherMethod, String concretePath) {
            return method.equals(otherMethod)
                    && concretePath.matches(
                            path.replace(".", "\\.").replaceAll("\\{\\w+}", "[^/]+"));
        }
    }

    private static final List<String> METHODS =
            List.of("get", "put", "post", "delete", "options", "head", "patch", "trace");

    private static final SchemaRegistry SCHEMAS = SchemaRegistry.withDefaultDialect(
            Dialect.builder(Dialects.getDraft202012())
                    .keyword(new NonValidationKeyword("components"))
                    .build(),
            builder -> builder.schemaRegistryConfig(
                    SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));

    final JsonNode root;
    private final List<Operation> operations = new ArrayList<>();

    private ApiDocument(JsonNode root) {
        this.root = root;
        root.get("paths")
                .properties()
                .forEach(path -> METHODS.forEach(method -> {
                    JsonNode operation = path.getValue().get(method);
                    if (operation != null) {
                        JsonNode servers = operation.has("servers")
                                ? operation.get("servers")
                                : path.getValue().has("servers")
                                        ? path.getValue().get("servers")
                                        : root.get("servers");
                        operations.add(new Operation(
                                path.getKey(),
                                method.toUpperCase(Locale.ROOT),
                                listeners(servers),
                                operation));
                    }
                }));
    }

    private static Set<Listener> listeners(JsonNode servers) {
        Set<Listener> listeners = EnumSet.noneOf(Listener.class);
        servers.forEach(server -> listeners.add(
                Listener.valueOf(server.get("description").textValue().toUpperCase(Locale.ROOT))));
        return listeners;
    }

    /** As it lies among the resources. */
    static ApiDocument read() {
        try (InputStream document = OpenApi.class.getResourceAsStream("openapi.json")) {
            return new ApiDocument(new ObjectMapper().readTree(document));
        } catch (IOException damaged) {
            throw new UncheckedIOException(damaged);
        }
    }

    List<Operation> operations() {
        return operations;
    }

    /** What a request is an instance of; HEAD is a GET. */
    Optional<Operation> find(String method, String pathAndQuery) {
        String path = pathAndQuery.replaceFirst("\\?.*", "");
        String known = method.equals("HEAD") ? "GET" : method;
        return operations.stream().filter(one -> one.matches(known, path)).findAny();
    }

    /** The parameters of an operation and of its path. */
    List<JsonNode> parameters(Operation operation) {
        List<JsonNode> parameters = new ArrayList<>();
        root.get("paths")
                .get(operation.path())
                .path("parameters")
                .forEach(one -> parameters.add(resolve(one)));
        operation.node().path("parameters").forEach(one -> parameters.add(resolve(one)));
        return parameters;
    }

    /** What a reference leads to; anything else as it is. */
    JsonNode resolve(JsonNode node) {
        return node.has("$ref") && node.get("$ref").textValue().startsWith("#/")
                ? resolve(root.at(node.get("$ref").textValue().substring(1)))
                : node;
    }

    /** What is wrong with a value, by this schema. */
    List<Error> errors(JsonNode schema, JsonNode value) {
        // References are to the root, which is the schema itself for the validator.
        ObjectNode whole = ((ObjectNode) schema).deepCopy();
        whole.set("components", root.get("components"));
        return SCHEMAS.getSchema(whole).validate(value);
    }

    void requireValid(JsonNode schema, JsonNode value, String what) {
        assertThat(errors(schema, value)).as(what + ": " + value).isEmpty();
    }

    /** A text from a header, a path or a query, as the schema takes it. */
    JsonNode typed(JsonNode schema, String text) {
        boolean isNumber = resolve(schema).path("type").asText().equals("integer");
        return isNumber ? IntNode.valueOf(Integer.parseInt(text)) : TextNode.valueOf(text);
    }

    /** Tells each property of a named schema that occurs in a value, with its value. */
    void walk(JsonNode schema, JsonNode value, BiConsumer<String, JsonNode> found) {
        String name = schema.path("$ref").asText().replaceFirst(".*/", "");
        JsonNode resolved = resolve(schema);
        resolved.path("oneOf").forEach(one -> {
            if (errors(one, value).isEmpty()) {
                walk(one, value, found);
            }
        });
        value.forEach(item -> {
            if (resolved.has("items")) {
                walk(resolved.get("items"), item, found);
            }
        });
        resolved.path("properties").properties().forEach(property -> {
            JsonNode part = value.get(property.getKey());
            if (part != null) {
                if (!name.isEmpty()) {
                    found.accept(name + "." + property.getKey(), part);
                }
                walk(property.getValue(), part, found);
            }
        });
    }

    /** All properties of named schemas, and each value of those that have few. */
    Set<String> properties() {
        Set<String> properties = new TreeSet<>();
        root.at("/components/schemas").properties().forEach(schema -> {
            for (Map.Entry<String, JsonNode> property :
                    schema.getValue().path("properties").properties()) {
                String name = schema.getKey() + "." + property.getKey();
                properties.add(name);
                property.getValue()
                        .path("enum")
                        .forEach(value -> properties.add(value(name, value)));
            }
        });
        return properties;
    }

    static String value(String property, JsonNode value) {
        return property + "=" + value.asText();
    }
}
