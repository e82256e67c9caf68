package dev.spike.http;

import static org.awaitility.Awaitility.await;

import dev.spike.core.Outcome;
import dev.spike.core.ReservationId;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Goes through all that a server does, one verb after the other, as a client that notes what it
 * asks and what it is answered, until the server dies or is told to drain.
 */
final class CrashBuyer {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** How long a verb goes on in which the server is to die in the background. */
    private static final Duration LINGER = Duration.ofSeconds(2);

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<String> told = new ArrayList<>();
    private final Child child;
    private final String diesIn;

    /** @param diesIn the verb in which the server is to die; empty: none, it names its points */
    CrashBuyer(Child child, String diesIn) {
        this.child = child;
        this.diesIn = diesIn;
    }

    static ReservationId id(String key) {
        return new ReservationId(key, key);
    }

    CrashHistory history() {
        return new CrashHistory(told);
    }

    /** Ends when the server has ended. */
    void run() {
        if (child.sells()) {
            linger("start");
            linger("restart");
            verb("buy", () -> ask("reserve t/request-a", "GET", "/buy/ticket?rid=request-a"));
            verb(
                    "reserve",
                    () -> ask("reserve t/request-b", "POST", "/v1/sales/ticket/reservations"));
            ask("reserve t/request-c", "GET", "/buy/ticket?rid=request-c");
            verb(
                    "confirm",
                    () -> ask("confirm t/request-a", "POST", path("request-a") + "/confirm"));
            verb("cancel", () -> ask("cancel t/request-b", "DELETE", path("request-b")));
            verb("write orders", () -> {
                ask("reserve t/request-d", "GET", "/buy/ticket?rid=request-d");
                awaitWritten();
            });
            ask("reserve t/request-e", "GET", "/buy/ticket?rid=request-e");
            verb("drain", child::terminate);
        }
        child.exitCode(PATIENCE);
    }

    private static String path(String key) {
        return "/v1/sales/ticket/reservations/" + id(key);
    }

    private void verb(String name, Runnable body) {
        child.say(name);
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !child.isAlive() || child.out().contains("verb " + name + "\n"));
        body.run();
        if (diesIn.isEmpty()) {
            // The answer may be here before the server has passed what comes after it.
            await().atMost(PATIENCE)
                    .until(() -> !child.isAlive()
                            || child.out().contains(CrashPoint.POINT + name + ": HTTP answered"));
        }
        linger(name);
    }

    private void linger(String verb) {
        if (verb.equals(diesIn)) {
            child.ends(LINGER);
        }
    }

    private void ask(String what, String method, String path) {
        told.add("asked " + what);
        String answer = send(method, path);
        if (!answer.isEmpty()) {
            told.add("answered " + what + " " + answer);
        }
    }

    /** The outcome; empty if none came, or the server did not know it. */
    private String send(String method, String path) {
        String body = body(method, path);
        if (body.isEmpty() || body.contains("\"code\":-2,") || body.contains("problem:un")) {
            return "";
        }
        if (body.contains("problem:not-found")) {
            return Outcome.NOT_FOUND.name();
        }
        return body.contains("\"code\":1,")
                ? Outcome.RESERVED.name()
                : TestServer.json(body).path("status").asText(body).toUpperCase(Locale.ROOT);
    }

    private String body(String method, String path) {
        if (!child.isAlive()) {
            return "";
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + child.port() + path))
                .timeout(PATIENCE);
        if (path.endsWith("/reservations")) {
            request.header("Idempotency-Key", "request-b")
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString("{\"buyer\":\"request-b\"}"));
        } else {
            request.method(method, BodyPublishers.noBody());
        }
        try {
            return client.send(request.build(), BodyHandlers.ofString()).body();
        } catch (IOException dead) {
            return "";
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private void awaitWritten() {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> !child.isAlive()
                        || body("GET", path("request-d")).contains("\"order\":\"written\""));
    }
}
