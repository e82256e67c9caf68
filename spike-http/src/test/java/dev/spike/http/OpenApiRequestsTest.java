package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

import dev.spike.http.ApiDocument.Listener;
import dev.spike.http.ApiDocument.Operation;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the document calls malformed is what the server refuses as malformed, to the limits. */
final class OpenApiRequestsTest {

    /** So that each field can have its least value. */
    private static final Map<String, String> BASES = Map.of(
            "createReservation", "{\"buyer\":\"al\"}",
            "openSale", "{\"total\":1,\"holdSeconds\":1}",
            "changeTotal", "{\"opId\":\"a\",\"delta\":1}",
            "repairSale", "{\"dryRun\":true}");

    private static final List<JsonNode> ANYTHING = List.of(
            NullNode.getInstance(),
            BooleanNode.TRUE,
            IntNode.valueOf(0),
            IntNode.valueOf(1),
            IntNode.valueOf(-1),
            DoubleNode.valueOf(1.5),
            LongNode.valueOf(Long.MAX_VALUE),
            TextNode.valueOf(""),
            TextNode.valueOf("1"),
            TextNode.valueOf("a b"),
            TextNode.valueOf("a\u0007b"),
            TextNode.valueOf("a\u0085b"),
            TextNode.valueOf("李雷"),
            TextNode.valueOf("a".repeat(64)),
            TextNode.valueOf("a".repeat(65)),
            TextNode.valueOf("a".repeat(128)),
            TextNode.valueOf("a".repeat(129)),
            TextNode.valueOf("yesterday"),
            TextNode.valueOf("2030-01-31"),
            TextNode.valueOf("2030-01-31T10:00:00"),
            TextNode.valueOf("2030-01-31T10:00:00Z"),
            TextNode.valueOf("2030-01-31T10:00:00.5+08:00"),
            TextNode.valueOf("2030-02-30T10:00:00Z"),
            new ObjectNode(null));

    @RegisterExtension
    final Servers servers = new Servers();

    private final ApiDocument document = ApiDocument.read();

    @Test
    void bodies_malformedByTheDocument_areThoseThatTheServerRefuses() {
        TestServer server = servers.start("--total=2000000");
        int refused = 0;
        int accepted = 0;
        for (Operation operation : document.operations()) {
            JsonNode schema = operation.node().at("/requestBody/content/application~1json/schema");
            if (schema.isMissingNode()) {
                continue;
            }
            for (JsonNode body : bodies(operation, schema)) {
                boolean isValid = document.errors(schema, body).isEmpty();
                HttpResponse<String> answer = send(server, operation, body);
                assertThat(answer.statusCode() != 400)
                        .as(operation.name() + " " + body + " -> " + answer.body())
                        .isEqualTo(isValid);
                accepted += isValid ? 1 : 0;
                refused += isValid ? 0 : 1;
            }
        }
        assertThat(refused).isGreaterThan(150);
        assertThat(accepted).isGreaterThan(30);
    }

    private HttpResponse<String> send(TestServer server, Operation operation, JsonNode body) {
        String path = operation.path().replace("{sale}", "tour");
        String[] headers = {
            "Content-Type", "application/json", "Idempotency-Key", "order-" + body.hashCode()
        };
        return operation.listeners().contains(Listener.ADMIN)
                ? server.admin(operation.method(), path, body.toString(), headers)
                : server.send(operation.method(), path, body.toString(), headers);
    }

    /** The base, without each field, with a field more, and with each field at any value. */
    private List<JsonNode> bodies(Operation operation, JsonNode schema) {
        String base = BASES.get(operation.node().get("operationId").textValue());
        List<JsonNode> bodies = new ArrayList<>(ANYTHING);
        bodies.add(TestServer.json(base));
        bodies.add(((ObjectNode) TestServer.json(base)).put("more", 1));
        for (Map.Entry<String, JsonNode> property :
                document.resolve(schema).get("properties").properties()) {
            ObjectNode without = (ObjectNode) TestServer.json(base);
            without.remove(property.getKey());
            bodies.add(without);
            List<JsonNode> values = new ArrayList<>(ANYTHING);
            JsonNode type = document.resolve(property.getValue());
            for (String limit : Set.of("minimum", "maximum")) {
                if (type.has(limit)) {
                    long at = type.get(limit).longValue();
                    List.of(at - 1, at, at + 1)
                            .forEach(value -> values.add(LongNode.valueOf(value)));
                }
            }
            for (JsonNode value : values) {
                bodies.add(((ObjectNode) TestServer.json(base)).set(property.getKey(), value));
            }
        }
        return bodies;
    }

    @Test
    void keysAndIds_malformedByTheDocument_areThoseThatTheServerRefuses() {
        TestServer server = servers.start("--total=2000000");
        for (String text : List.of(
                "a",
                "1234567",
                "12345678",
                "\"1234567\"",
                "\"12345678\"",
                "\"12345678",
                "a".repeat(64),
                "a".repeat(65),
                "a.b.c.d.e",
                "a b c d e",
                "a~b~c~d~e",
                "abcdefgh_-XYZ")) {
            boolean isKey = isValid("IdempotencyKey", text);
            assertThat(server.reserve("ticket", text, "{\"buyer\":\"al\"}").statusCode())
                    .as(text)
                    .isEqualTo(isKey ? 201 : 400);
            String query = URLEncoder.encode(text, UTF_8);
            assertThat(server.buy("?rid=" + query).statusCode())
                    .as(text)
                    .isEqualTo(isKey ? 200 : 400);
            boolean isSale = isValid("SaleId", text);
            assertThat(server.get("/v1/buyers/al/reservations?sale=" + query).statusCode())
                    .as(text)
                    .isEqualTo(isSale ? 404 : 400);
        }
        for (String buyer : List.of("a", "a".repeat(128), "a".repeat(129), "a\tb", "李 雷/%")) {
            String encoded = URLEncoder.encode(buyer, UTF_8);
            boolean isBuyer = isValid("Buyer", buyer);
            assertThat(server.buy("?buyer=" + encoded).statusCode())
                    .as(buyer)
                    .isEqualTo(isBuyer ? 200 : 400);
            assertThat(server.get("/v1/buyers/" + encoded.replace("+", "%20")
                                    + "/reservations?sale=ticket")
                            .statusCode())
                    .as(buyer)
                    .isEqualTo(isBuyer ? 200 : 400);
        }
    }

    private boolean isValid(String schema, String text) {
        JsonNode named = document.root.at("/components/schemas/" + schema);
        return document.errors(named, TextNode.valueOf(text)).isEmpty();
    }
}
