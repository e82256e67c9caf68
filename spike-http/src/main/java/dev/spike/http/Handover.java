package dev.spike.http;

import io.undertow.server.Connectors;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;

import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Brings answers that come later, on any thread, back to the I/O thread of their exchange.
 *
 * <p>An exchange may be touched by one thread at a time. Its handler marks it as dispatched and
 * returns; the answer is then sent by a task of the same I/O thread, so the two never overlap. Many
 * answers come at once (a group commit), so each I/O thread has one queue and is woken once for all
 * that it holds.
 */
final class Handover {

    /** Sends an answer. */
    interface Sending<T> {
        void send(HttpServerExchange exchange, T answer) throws Exception;
    }

    private final Map<XnioIoThread, Lane> lanes = new ConcurrentHashMap<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private final ExchangeCompletionListener done = (exchange, next) -> {
        underWay.decrementAndGet();
        next.proceed();
    };

    /**
     * Sends the answer: at once if it is there already, else when it comes. To be called on the
     * exchange's I/O thread, as the last thing its handler does.
     */
    <T> void answer(HttpServerExchange exchange, CompletionStage<T> stage, Sending<T> sending)
            throws Exception {
        CompletableFuture<T> future = stage.toCompletableFuture();
        if (future.isDone() && !future.isCompletedExceptionally()) {
            sending.send(exchange, future.join());
            return;
        }
        underWay.incrementAndGet();
        exchange.addExchangeCompleteListener(done);
        later(exchange, future, sending);
    }

    /** Like {@link #answer}, where sending does not end: it is not counted as under way. */
    <T> void begin(HttpServerExchange exchange, CompletionStage<T> stage, Sending<T> sending)
            throws Exception {
        CompletableFuture<T> future = stage.toCompletableFuture();
        if (future.isDone() && !future.isCompletedExceptionally()) {
            sending.send(exchange, future.join());
        } else {
            later(exchange, future, sending);
        }
    }

    private <T> void later(
            HttpServerExchange exchange, CompletableFuture<T> future, Sending<T> sending) {
        Lane lane = lanes.computeIfAbsent(exchange.getIoThread(), Lane::new);
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> future.whenComplete((answer, failure) ->
                        lane.add(new Arrived<>(exchange, sending, answer, failure))));
    }

    /** How many exchanges wait for their answer, or for it to be written. */
    int underWay() {
        return underWay.get();
    }

    private record Arrived<T>(
            HttpServerExchange exchange,
            Sending<T> sending,
            @Nullable T answer,
            @Nullable Throwable failure)
            implements HttpHandler {

        @Override
        public void handleRequest(HttpServerExchange same) {
            try {
                if (answer != null) {
                    sending.send(same, answer);
                } else {
                    Problem.send(same, failure != null ? failure : new NullPointerException());
                }
            } catch (Exception bug) {
                Problem.send(same, bug);
            }
        }
    }

    private static final class Lane implements Runnable {
        private final XnioIoThread thread;
        private final Queue<Arrived<?>> arrived = new ConcurrentLinkedQueue<>();
        private final AtomicBoolean woken = new AtomicBoolean();

        Lane(XnioIoThread thread) {
            this.thread = thread;
        }

        void add(Arrived<?> one) {
            arrived.add(one);
            if (!woken.get() && woken.compareAndSet(false, true)) {
                thread.execute(this);
            }
        }

        @Override
        public void run() {
            do {
                for (Arrived<?> one = arrived.poll(); one != null; one = arrived.poll()) {
                    Connectors.executeRootHandler(one, one.exchange());
                }
                woken.set(false);
            } while (!arrived.isEmpty() && woken.compareAndSet(false, true));
        }
    }
}
