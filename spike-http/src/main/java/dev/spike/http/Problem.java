package dev.spike.http;

import com.fasterxml.jackson.annotation.JsonInclude;

import dev.spike.core.Answer;
import dev.spike.core.Outcome;
import dev.spike.core.RemoteSpikeException;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletionException;

/** The ways in which a request can fail, as RFC 9457 problems with pre-encoded bodies. */
enum Problem {
    SOLD_OUT(409, "Sold out", "fewer units are available than were asked for"),
    ALL_RESERVED(409, "All reserved", "no unit is available now; reserved ones may come back"),
    LIMIT_REACHED(409, "Limit reached", "buyer would exceed the sale's limit of units per buyer"),
    NOT_OPEN(409, "Not open", "the sale does not exist, or its opening time has not come"),
    CLOSED(410, "Closed", "the sale's closing time has passed, or it was closed"),
    OTHER_RULES(409, "Other rules", "the sale is open already, under other rules"),
    ALREADY_CONFIRMED(409, "Already confirmed", "the reservation was confirmed before"),
    ALREADY_CANCELLED(409, "Already cancelled", "the reservation was cancelled before"),
    ALREADY_EXPIRED(409, "Already expired", "the reservation's hold time passed unconfirmed"),
    KEY_MISSING(400, "Key missing", "the header Idempotency-Key is required"),
    KEY_REUSED(422, "Key reused", "Idempotency-Key was used before with another quantity"),
    OPERATION_REUSED(422, "Operation reused", "opId was used before with another delta"),
    HOLD_TOO_LONG(409, "Hold too long", "the sale allows no longer hold"),
    BAD_REQUEST(400, "Bad request", "the request is malformed"),
    UNAUTHORIZED(401, "Unauthorized", "the header Authorization must carry the admin's token"),
    NOT_FOUND(404, "Not found", "there is nothing under this path"),
    METHOD_NOT_ALLOWED(405, "Method not allowed", "the header Allow lists the methods"),
    TOO_LARGE(413, "Too large", "body must be at most 4096 bytes"),
    UNSUPPORTED_MEDIA_TYPE(
            415, "Unsupported media type", "Content-Type must be application/json in UTF-8"),
    INTERNAL(500, "Internal error", "the server failed; its log says why"),
    UNAVAILABLE(503, "Unavailable", "nothing was done; try again later"),
    UNKNOWN(503, "Unknown", "done or not is not known yet; repeat with the same key to learn it");

    /** The body; without {@code retryAfterMillis} when it is null. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Body(
            String type,
            String title,
            int status,
            String detail,
            @Nullable Long retryAfterMillis) {}

    static final String CONTENT_TYPE = "application/problem+json";

    private static final Logger LOG = System.getLogger(SpikeServer.class.getName());

    final int status;
    private final String title;
    private final String detail;
    private final Reply encoded;

    Problem(int status, String title, String detail) {
        this.status = status;
        this.title = title;
        this.detail = detail;
        this.encoded = Reply.encoded(status, CONTENT_TYPE, Json.write(body(detail, null)));
    }

    private Body body(String detail, @Nullable Long retryAfterMillis) {
        String type = "urn:spike:problem:" + name().toLowerCase(Locale.ROOT).replace('_', '-');
        return new Body(type, title, status, detail, retryAfterMillis);
    }

    void send(HttpServerExchange exchange) {
        encoded.send(exchange);
    }

    void send(HttpServerExchange exchange, String detail) {
        Reply.of(status, CONTENT_TYPE, Json.write(body(detail, null))).send(exchange);
    }

    /** Sends it with a delay before the next try. */
    void send(HttpServerExchange exchange, String detail, Duration retryAfter) {
        retryAfter(exchange, retryAfter);
        Reply.of(status, CONTENT_TYPE, Json.write(body(detail, retryAfter.toMillis())))
                .send(exchange);
    }

    /** Sends the problem that a refusing answer is. */
    static void send(HttpServerExchange exchange, Answer answer) {
        Problem problem = of(answer.outcome());
        if (problem.status == UNAVAILABLE.status) {
            problem.send(exchange, problem.detail, answer.retryAfter());
        } else {
            problem.send(exchange);
        }
    }

    /** Sends the problem that a failure is, unless a response is under way already. */
    static void send(HttpServerExchange exchange, Throwable failure) {
        Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
        if (exchange.isResponseStarted()) {
            LOG.log(Level.ERROR, "failed while answering", cause);
            exchange.endExchange();
        } else if (cause instanceof BadRequest bad) {
            BAD_REQUEST.send(exchange, bad.detail());
        } else if (cause instanceof RemoteSpikeException noAnswer) {
            boolean unknown = noAnswer.kind() == RemoteSpikeException.Kind.UNKNOWN
                    || noAnswer.kind() == RemoteSpikeException.Kind.BROKEN;
            send(exchange, later(unknown ? Outcome.UNKNOWN : Outcome.UNAVAILABLE));
        } else {
            LOG.log(Level.ERROR, "failed: " + exchange.getRequestMethod(), cause);
            INTERNAL.send(exchange);
        }
    }

    /** Sets {@code Retry-After}, in whole seconds, at least 1. */
    static void retryAfter(HttpServerExchange exchange, Duration delay) {
        long seconds = Math.max(1, (delay.toMillis() + 999) / 1000);
        exchange.getResponseHeaders().put(Headers.RETRY_AFTER, seconds);
    }

    private static Answer later(Outcome outcome) {
        return Answer.later(outcome, Duration.ofSeconds(1));
    }

    private static Problem of(Outcome outcome) {
        return switch (outcome) {
            case SOLD_OUT -> SOLD_OUT;
            case ALL_RESERVED -> ALL_RESERVED;
            case LIMIT_REACHED -> LIMIT_REACHED;
            case MISMATCH -> KEY_REUSED;
            case NOT_OPEN -> NOT_OPEN;
            case CLOSED -> CLOSED;
            case NOT_FOUND -> NOT_FOUND;
            case CONFIRMED -> ALREADY_CONFIRMED;
            case CANCELLED -> ALREADY_CANCELLED;
            case EXPIRED -> ALREADY_EXPIRED;
            case UNAVAILABLE -> UNAVAILABLE;
            case UNKNOWN -> UNKNOWN;
            case RESERVED -> throw new IllegalStateException("must be a refusal: " + outcome);
        };
    }
}
