package dev.spike.http;

import io.undertow.server.HttpServerExchange;

import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Closes the connection of an exchange that takes too long. */
final class Deadline {

    private Deadline() {}

    /**
     * Sets it, until the exchange ends.
     *
     * @param within how long from now
     * @param met whether the connection is to be left alone then
     * @return false if it cannot be set, because the server is about to close all connections
     */
    static boolean set(
            HttpServerExchange exchange, Duration within, Predicate<HttpServerExchange> met) {
        XnioExecutor.Key deadline;
        try {
            deadline = exchange.getIoThread()
                    .executeAfter(
                            () -> {
                                if (!met.test(exchange)) {
                                    IoUtils.safeClose(exchange.getConnection());
                                }
                            },
                            within.toMillis(),
                            TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException stopping) {
            return false;
        }
        exchange.addExchangeCompleteListener((same, rest) -> {
            deadline.remove();
            rest.proceed();
        });
        return true;
    }
}
