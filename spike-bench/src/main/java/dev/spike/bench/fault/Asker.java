package dev.spike.bench.fault;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.spike.bench.fault.Told.Verb;
import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Sends requests to the nodes of an installation over HTTP, and keeps what is told in a history.
 * Safe for use by many threads; does not block.
 */
final class Asker {

    /** How long a response is waited for: longer than a node's timeout, shorter than a pause. */
    private static final Duration PATIENCE = Duration.ofMillis(2_500);

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PROBLEM = "urn:spike:problem:";

    /** Problems that are named in HTTP's terms, or by what they mean for one verb. */
    private static final Map<String, Outcome> NAMED = Map.of(
            "key-reused", Outcome.MISMATCH,
            "hold-too-long", Outcome.LIMIT_REACHED,
            "already-confirmed", Outcome.CONFIRMED,
            "already-cancelled", Outcome.CANCELLED,
            "already-expired", Outcome.EXPIRED);

    private final Installation site;
    private final String sale;
    private final History history;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();

    Asker(Installation site, String sale, History history) {
        this.site = site;
        this.sale = sale;
        this.history = history;
    }

    /** A buyer's request at a node. */
    CompletableFuture<Told> ask(Verb verb, int node, ReservationId id, int quantity) {
        String path = site.buyersUrl(node) + "/v1/sales/" + sale + "/reservations";
        HttpRequest.Builder request = HttpRequest.newBuilder();
        switch (verb) {
            case RESERVE ->
                post(request, path, Map.of("buyer", id.buyer(), "quantity", quantity))
                        .header("Idempotency-Key", id.key());
            case CONFIRM -> post(request, path + "/" + id + "/confirm", null);
            case EXTEND -> post(request, path + "/" + id + "/extend", null);
            case CANCEL -> request.uri(URI.create(path + "/" + id)).DELETE();
            case FIND -> request.uri(URI.create(path + "/" + id));
            default -> throw new IllegalArgumentException("not a buyer's: " + verb);
        }
        return send(verb, node, id.buyer(), id.key(), quantity, request);
    }

    /** Changes the total, once for each operation. */
    CompletableFuture<Told> restock(int node, String opId, long delta) {
        String path = site.adminUrl(node) + "/v1/sales/" + sale + "/total";
        HttpRequest.Builder request =
                post(HttpRequest.newBuilder(), path, Map.of("opId", opId, "delta", delta));
        return send(Verb.RESTOCK, node, "", opId, delta, request);
    }

    /** Closes the sale by hand, or opens it again. */
    CompletableFuture<Told> hours(Verb verb, int node) {
        String path = site.adminUrl(node) + "/v1/sales/" + sale + "/"
                + verb.name().toLowerCase(Locale.ROOT);
        return send(verb, node, "", "", 0, post(HttpRequest.newBuilder(), path, null));
    }

    /**
     * What a node tells its operators, blocking; not kept.
     *
     * @param path after that of the sale, such as {@code /audit}
     * @return null: it gave no such answer
     */
    @Nullable
    JsonNode look(int node, String path) {
        URI uri = URI.create(site.adminUrl(node) + "/v1/sales/" + sale + path);
        return client.sendAsync(
                        HttpRequest.newBuilder(uri)
                                .timeout(PATIENCE.multipliedBy(8))
                                .build(),
                        BodyHandlers.ofString())
                .thenApply(response -> response.statusCode() == 200 ? read(response.body()) : null)
                .exceptionally(noAnswer -> null)
                .join();
    }

    /** What a node says of itself, blocking: {@code ok}, or why it does not sell. */
    String readiness(int node) {
        return client.sendAsync(
                        HttpRequest.newBuilder(URI.create(site.adminUrl(node) + "/readyz"))
                                .timeout(PATIENCE)
                                .build(),
                        BodyHandlers.ofString())
                .thenApply(response -> response.body().strip())
                .exceptionally(Throwable::toString)
                .join();
    }

    private static HttpRequest.Builder post(
            HttpRequest.Builder request, String path, @Nullable Map<String, ?> body) {
        request.uri(URI.create(path));
        if (body == null) {
            return request.POST(BodyPublishers.noBody());
        }
        try {
            return request.header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(JSON.writeValueAsString(body)));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private CompletableFuture<Told> send(
            Verb verb,
            int node,
            String buyer,
            String key,
            long quantity,
            HttpRequest.Builder request) {
        long asked = System.currentTimeMillis();
        return client.sendAsync(request.timeout(PATIENCE).build(), BodyHandlers.ofString())
                .handle((response, failure) -> {
                    Told told = new Told(
                            asked,
                            System.currentTimeMillis(),
                            node,
                            verb,
                            buyer,
                            key,
                            quantity,
                            response == null ? 0 : response.statusCode(),
                            response == null ? Outcome.UNKNOWN : outcome(verb, response),
                            response == null ? String.valueOf(failure) : response.body());
                    history.add(told);
                    return told;
                });
    }

    private static @Nullable Outcome outcome(Verb verb, HttpResponse<String> response) {
        JsonNode body = read(response.body());
        int status = response.statusCode();
        if (body == null) {
            // While it stops, a server says 503 and no more.
            return status == 503 ? Outcome.UNKNOWN : null;
        } else if (status == 200 && !verb.isBuyers()) {
            return Outcome.CONFIRMED;
        } else if (status == 200 || status == 201) {
            return named(body.path("status").asText());
        }
        String type = body.path("type").asText();
        String problem = type.startsWith(PROBLEM) ? type.substring(PROBLEM.length()) : "";
        Outcome special = NAMED.get(problem);
        return special == null ? named(problem) : special;
    }

    private static @Nullable Outcome named(String name) {
        try {
            return Outcome.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (IllegalArgumentException unlikeAny) {
            return null;
        }
    }

    private static @Nullable JsonNode read(String body) {
        try {
            JsonNode read = JSON.readTree(body);
            return read.isObject() ? read : null;
        } catch (JsonProcessingException malformed) {
            return null;
        }
    }
}
