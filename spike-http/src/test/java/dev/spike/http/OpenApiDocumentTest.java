package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;

import dev.spike.http.ApiDocument.Listener;
import dev.spike.http.ApiDocument.Operation;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The OpenAPI document by itself, and beside the routes of both listeners. */
final class OpenApiDocumentTest {

    private static final String SPECIFICATION = "https://spec.openapis.org/oas/3.1/";
    private static final List<String> METHODS =
            List.of("GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND");

    @RegisterExtension
    final Servers servers = new Servers();

    private final ApiDocument document = ApiDocument.read();

    /** By the schema that the OpenAPI Initiative publishes, with that of its schemas. */
    @Test
    void document_isOpenApi31() {
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12,
                builder -> builder.schemaIdResolvers(resolvers -> resolvers.mapPrefix(
                        SPECIFICATION, "classpath:spec.openapis.org/oas/3.1/")));
        assertThat(registry.getSchema(SchemaLocation.of(SPECIFICATION + "schema-base/2022-10-07"))
                        .validate(document.root))
                .isEmpty();
    }

    @Test
    void references_leadSomewhere_andEveryComponentIsReferredTo() {
        Set<String> used = new TreeSet<>();
        document.root.findValuesAsText("$ref").forEach(reference -> {
            assertThat(document.root.at(reference.substring(1)))
                    .as(reference)
                    .isNotInstanceOf(MissingNode.class);
            used.add(reference);
        });
        Set<String> there = new TreeSet<>();
        document.root.get("components").properties().forEach(kind -> {
            if (!kind.getKey().equals("securitySchemes")) {
                kind.getValue()
                        .fieldNames()
                        .forEachRemaining(
                                name -> there.add("#/components/" + kind.getKey() + "/" + name));
            }
        });
        assertThat(used).isEqualTo(there);
    }

    @Test
    void everything_isNamedAndDescribed() {
        List<String> ids = document.operations().stream()
                .map(operation -> operation.node().path("operationId").asText())
                .toList();
        assertThat(ids).doesNotHaveDuplicates().allMatch(id -> id.matches("[a-z][A-Za-z]+"));
        for (Operation operation : document.operations()) {
            assertThat(operation.node().path("summary").asText())
                    .as(operation.name())
                    .endsWith(".");
            assertThat(operation.node().path("tags")).as(operation.name()).hasSize(1);
            document.parameters(operation)
                    .forEach(parameter -> assertThat(
                                    parameter.path("description").asText())
                            .as(operation.name() + parameter)
                            .isNotEmpty());
        }
        document.root.at("/components/schemas").properties().forEach(schema -> {
            assertThat(schema.getValue().path("description").asText())
                    .as(schema.getKey())
                    .isNotEmpty();
            schema.getValue()
                    .path("properties")
                    .properties()
                    .forEach(property -> assertThat(document.resolve(property.getValue())
                                    .path("description")
                                    .asText())
                            .as(schema.getKey() + "." + property.getKey())
                            .isNotEmpty());
            boolean isObject = schema.getValue().path("type").asText().equals("object");
            assertThat(schema.getValue().path("additionalProperties").isBoolean())
                    .as(schema.getKey() + " is closed")
                    .isEqualTo(isObject);
        });
    }

    @Test
    void examples_areValid() {
        List<JsonNode> contents = document.root.findParents("schema");
        int examples = 0;
        for (JsonNode content : contents) {
            List<JsonNode> values = new ArrayList<>();
            if (content.has("example")) {
                values.add(content.get("example"));
            }
            content.path("examples")
                    .forEach(one -> values.add(document.resolve(one).get("value")));
            examples += values.size();
            values.forEach(value -> document.requireValid(content.get("schema"), value, "example"));
        }
        assertThat(examples).isGreaterThan(40);
    }

    @Test
    void problems_areThoseOfTheServer() {
        Set<String> types = Arrays.stream(Problem.values())
                .map(problem -> problem.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> documented = new TreeSet<>();
        document.root
                .at("/components/schemas/Problem/properties/type/enum")
                .forEach(
                        type -> documented.add(type.textValue().replace("urn:spike:problem:", "")));
        assertThat(documented).isEqualTo(types);
        Set<String> examples = new TreeSet<>();
        document.root.at("/components/examples").fieldNames().forEachRemaining(examples::add);
        assertThat(examples).isEqualTo(types);
    }

    /** Paths are literals of the routes, or below a sale. */
    @Test
    void everyRoute_isDocumented() throws IOException {
        Set<String> documented =
                document.operations().stream().map(Operation::path).collect(Collectors.toSet());
        Set<String> routed = new TreeSet<>();
        for (String routes : List.of("BuyerRoutes", "AdminRoutes")) {
            Pattern.compile("\"(/[^\"]*)\"")
                    .matcher(Files.readString(
                            Path.of("src/main/java/dev/spike/http/" + routes + ".java")))
                    .results()
                    .forEach(literal -> routed.add(literal.group(1)));
        }
        for (SalePath.Kind kind : SalePath.Kind.values()) {
            String name = kind.name().toLowerCase(Locale.ROOT);
            routed.add("/v1/sales/{sale}"
                    + switch (kind) {
                        case SALE -> "";
                        case RESERVATION -> "/reservations/{id}";
                        case CONFIRM, EXTEND -> "/reservations/{id}/" + name;
                        default -> "/" + name;
                    });
        }
        routed.add(Route.BUYERS + "{buyer}/reservations");
        assertThat(routed).isEqualTo(new TreeSet<>(documented));
    }

    /** A path that a listener has answers other methods with those that the document gives it. */
    @ParameterizedTest
    @EnumSource(Listener.class)
    void undocumentedMethods_areRefused_withTheDocumentedOnes(Listener listener) {
        TestServer server = servers.start();
        Set<String> paths = document.operations().stream()
                .map(Operation::path)
                .collect(Collectors.toCollection(TreeSet::new));
        for (String path : paths) {
            Set<String> documented = document.operations().stream()
                    .filter(operation -> operation.path().equals(path))
                    .filter(operation -> operation.listeners().contains(listener))
                    .map(Operation::method)
                    .collect(Collectors.toCollection(TreeSet::new));
            for (String method : METHODS) {
                HttpResponse<String> answer = send(server, listener, method, concrete(path));
                String what = method + " " + path + " -> " + answer.statusCode();
                if (documented.isEmpty()) {
                    assertThat(answer.statusCode()).as(what).isEqualTo(404);
                } else if (path.equals("/buy/ticket")) {
                    // The ancestor's contract.
                    assertThat(answer.statusCode()).as(what).isEqualTo(200);
                } else if (documented.contains(method)) {
                    assertThat(answer.statusCode()).as(what).isNotEqualTo(405);
                } else {
                    assertThat(answer.statusCode()).as(what).isEqualTo(405);
                    assertThat(allowed(answer)).as(what).isEqualTo(withHead(documented));
                }
            }
            if (documented.contains("GET")) {
                assertHead(server, listener, concrete(path));
            }
        }
    }

    private static HttpResponse<String> send(
            TestServer server, Listener listener, String method, String path) {
        return listener == Listener.BUYERS
                ? server.send(method, path, null)
                : server.admin(method, path, null);
    }

    private static void assertHead(TestServer server, Listener listener, String path) {
        HttpResponse<String> head = send(server, listener, "HEAD", path);
        HttpResponse<String> get = send(server, listener, "GET", path);
        assertThat(head.statusCode()).as(path).isEqualTo(get.statusCode());
        assertThat(head.body()).as(path).isEmpty();
        assertThat(head.headers().map().keySet())
                .as(path)
                .isEqualTo(get.headers().map().keySet());
    }

    private static Set<String> allowed(HttpResponse<String> refused) {
        return new TreeSet<>(
                List.of(refused.headers().firstValue("Allow").orElse("").split(", ")));
    }

    private static Set<String> withHead(Set<String> methods) {
        Set<String> all = new TreeSet<>(methods);
        if (all.contains("GET")) {
            all.add("HEAD");
        }
        return all;
    }

    private static String concrete(String template) {
        return template.replace("{sale}", "ticket")
                .replace("{id}", "absent-1")
                .replaceAll("\\{\\w+}", "al");
    }
}
