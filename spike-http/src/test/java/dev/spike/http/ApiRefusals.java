package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.jspecify.annotations.Nullable;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;

/** What every operation refuses alike, and what each answers while there is no Redis. */
final class ApiRefusals {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SALES = "/v1/sales/";
    private static final String TICKET = SALES + "ticket";

    private static final Set<String> KNOWN = Set.of(SALES + "many", SALES + "many/events");

    private final ApiClient api;

    ApiRefusals(ApiClient api) {
        this.api = api;
    }

    private record Call(
            boolean isAdmin,
            String method,
            String path,
            @Nullable String body) {}

    private static Call buyers(String method, String path) {
        return new Call(false, method, path, null);
    }

    private static Call admin(String method, String path, @Nullable String body) {
        return new Call(true, method, path, body);
    }

    /** One of each operation that asks the store, about this sale and reservation. */
    private static List<Call> calls(String sale, String id) {
        String reservation = SALES + sale + "/reservations/" + id;
        return List.of(
                new Call(false, "POST", SALES + sale + "/reservations", "{\"buyer\":\"al\"}"),
                buyers("GET", reservation),
                buyers("DELETE", reservation),
                buyers("POST", reservation + "/confirm"),
                buyers("POST", reservation + "/extend"),
                buyers("GET", "/v1/buyers/al/reservations?sale=" + sale),
                buyers("GET", SALES + sale),
                buyers("GET", SALES + sale + "/events"),
                admin("PUT", SALES + sale, "{\"total\":1}"),
                admin("POST", SALES + sale + "/total", "{\"opId\":\"x\",\"delta\":1}"),
                admin("POST", SALES + sale + "/close", null),
                admin("POST", SALES + sale + "/reopen", null),
                admin("GET", SALES + sale + "/orders", null),
                admin("GET", SALES + sale + "/audit", null),
                admin("POST", SALES + sale + "/repair", "{\"dryRun\":true}"));
    }

    private HttpResponse<String> send(Call call, String... headers) {
        return call.isAdmin()
                ? api.admin(call.method(), call.path(), call.body(), headers)
                : api.buyers(call.method(), call.path(), call.body(), headers);
    }

    /** Sales and reservations that are not there, ids that cannot be, no token, other bodies. */
    void strangersAndTypos() {
        for (Call call : calls("absent", "absent-1")) {
            if (!call.path().endsWith("/reservations") && !call.method().equals("PUT")) {
                expect(send(call), 404);
            }
        }
        expect(api.admin("PUT", SALES + "a.b", "{\"total\":1}"), 404);
        for (Call call : calls("a!b", "absent-1")) {
            expect(send(call, "Idempotency-Key", "order-0001"), 400);
        }
        for (Call call : calls("ticket", "absent-1")) {
            boolean isOfBoth = call.method().equals("GET") && !call.path().endsWith("/events");
            if (call.isAdmin() || isOfBoth) {
                expect(api.stranger(call.method(), call.path()), 401);
            }
            if (call.isAdmin() && call.body() != null) {
                expect(send(call, "Content-Type", "text/plain"), 415);
                expect(api.admin(call.method(), call.path(), " ".repeat(5_000)), 413);
            }
        }
        expect(api.buyers("PUT", TICKET, "{\"total\":1}"), 405);
        expect(api.admin("DELETE", TICKET + "/reservations/absent-1", null), 405);
    }

    /**
     * Until each call is answered with this problem: connections that are left over give another.
     */
    void withoutRedis(String type) {
        for (Call one : calls("many", "absent-1")) {
            // What this server knows of a sale it tells without asking.
            Call call = one.method().equals("GET") && KNOWN.contains(one.path())
                    ? buyers("GET", one.path().replace("many", newKey()))
                    : one;
            awaitTrue(() -> {
                HttpResponse<String> answer = send(call, "Idempotency-Key", newKey());
                return answer.statusCode() == 503 && answer.body().contains(":" + type);
            });
        }
        for (String method : List.of("GET", "POST")) {
            awaitTrue(() -> {
                HttpResponse<String> answer = api.buyers(method, "/buy/ticket", null);
                boolean isUnknown = answer.headers().map().containsKey("Location");
                return answer.statusCode() == 503 && isUnknown == type.equals("unknown");
            });
        }
        awaitTrue(() -> api.buyers("GET", "/readyz", null).statusCode() == 503);
    }

    private static void expect(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    }

    private static void awaitTrue(Callable<Boolean> condition) {
        await().atMost(PATIENCE).until(condition);
    }

    private static String newKey() {
        return UUID.randomUUID().toString();
    }
}
