package dev.spike.http;

import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;

import java.io.IOException;
import java.time.Duration;

/** {@code /v1/sales/{sale}/events}: the sale as it changes, as server-sent events. */
final class EventsHandler {

    private static final HttpString ACCEL_BUFFERING = new HttpString("X-Accel-Buffering");
    private static final Duration LATER = Duration.ofSeconds(5);

    private final Sales sales;
    private final Handover handover;
    private final Watchers watchers;

    /** However an exchange ends, its place is free then. */
    private final ExchangeCompletionListener gone;

    EventsHandler(Sales sales, Handover handover, Watchers watchers) {
        this.sales = sales;
        this.handover = handover;
        this.watchers = watchers;
        this.gone = (exchange, next) -> {
            watchers.giveBack();
            next.proceed();
        };
    }

    /** {@code GET …/events}. */
    void watch(HttpServerExchange exchange, String saleId) throws Exception {
        handover.begin(exchange, sales.find(saleId), (same, found) -> {
            if (!same.isRequestComplete()) {
                // Its rest would have to be read before the end of the connection is noticed.
                Problem.BAD_REQUEST.send(same, "events take no body");
            } else if (found.isEmpty()) {
                Problem.NOT_FOUND.send(same);
            } else if (!watchers.takePlace()) {
                Problem.UNAVAILABLE.send(same, "as many watch as this server lets", LATER);
            } else {
                same.addExchangeCompleteListener(gone);
                begin(same, found.get());
            }
        });
    }

    private void begin(HttpServerExchange exchange, OpenSale sale) {
        exchange.getResponseHeaders()
                .put(Headers.CONTENT_TYPE, "text/event-stream")
                .put(Headers.CACHE_CONTROL, "no-store")
                // Nginx would keep back what is less than its buffer.
                .put(ACCEL_BUFFERING, "no");
        // So the end of the stream is the end of the connection, and no write needs a chunk's head.
        exchange.setPersistent(false);
        if (exchange.getRequestMethod().equals(Methods.HEAD)) {
            // Else Undertow would say that there are 0 bytes.
            exchange.getResponseChannel();
            exchange.endExchange();
        } else {
            exchange.dispatch(SameThreadExecutor.INSTANCE, () -> add(exchange, sale));
        }
    }

    private void add(HttpServerExchange exchange, OpenSale sale) {
        boolean watches = false;
        try {
            watches = watchers.add(sale, new Watcher(exchange));
        } catch (IOException ended) {
            // Nobody is there any more.
        } finally {
            if (!watches) {
                exchange.endExchange();
            }
        }
    }
}
