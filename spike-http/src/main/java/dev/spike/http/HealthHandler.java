package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.undertow.server.HttpServerExchange;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** {@code /healthz} and {@code /readyz}. */
final class HealthHandler {

    private static final Reply OK = text(200, "ok");
    private static final Duration FRESH = Duration.ofMillis(250);
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final OpenSale main;
    private final StoreCalls calls;
    private final Handover handover;
    private final BooleanSupplier draining;
    private CompletableFuture<Boolean> look = CompletableFuture.completedFuture(true);
    private long lookedNanos = System.nanoTime() - FRESH.toNanos();

    /**
     * @param main the sale whose levels are looked at to see whether the store answers
     * @param draining whether the server is about to stop
     */
    HealthHandler(OpenSale main, StoreCalls calls, Handover handover, BooleanSupplier draining) {
        this.main = main;
        this.calls = calls;
        this.handover = handover;
        this.draining = draining;
    }

    void live(HttpServerExchange exchange) {
        OK.send(exchange);
    }

    void ready(HttpServerExchange exchange) throws Exception {
        if (draining.getAsBoolean()) {
            text(503, "stopping").send(exchange);
            return;
        }
        Optional<String> halted = main.spike().haltReason();
        if (halted.isPresent()) {
            text(503, "stopped selling " + main.rules().id() + ": " + halted.get())
                    .send(exchange);
            return;
        }
        handover.answer(exchange, storeAnswers(), (same, answers) -> {
            (answers ? OK : text(503, "the store does not answer")).send(same);
        });
    }

    /** One look at a time, however many ask. */
    private synchronized CompletableFuture<Boolean> storeAnswers() {
        long now = System.nanoTime();
        if (look.isDone() && now - lookedNanos >= FRESH.toNanos()) {
            lookedNanos = now;
            look = calls.call(() -> main.spike().sync().isPresent())
                    .toCompletableFuture()
                    .completeOnTimeout(false, PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        }
        return look.exceptionally(tooMany -> false);
    }

    private static Reply text(int status, String text) {
        return Reply.of(status, "text/plain; charset=utf-8", text.getBytes(UTF_8));
    }
}
