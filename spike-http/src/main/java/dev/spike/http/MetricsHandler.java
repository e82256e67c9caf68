package dev.spike.http;

import io.undertow.server.HttpServerExchange;

/** {@code /metrics}: what Prometheus reads. */
final class MetricsHandler {

    private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final ServerMetrics metrics;

    /** Of its own: a scrape is none of the requests under way that it tells of. */
    private final Handover handover = new Handover();

    MetricsHandler(ServerMetrics metrics) {
        this.metrics = metrics;
    }

    void get(HttpServerExchange exchange) throws Exception {
        handover.answer(
                exchange,
                metrics.scrape(),
                (same, text) -> Reply.of(200, CONTENT_TYPE, text).send(same));
    }
}
