/**
 * The demo server: sells over HTTP. Not for embedding.
 *
 * <p>A request passes {@link dev.spike.http.RequestGuard}, then {@link dev.spike.http.BuyerRoutes}
 * or {@link dev.spike.http.AdminRoutes}, then the handler of its route. No handler blocks an I/O
 * thread: answers that are not there yet come back through {@link dev.spike.http.Handover},
 * blocking look-ups run in {@link dev.spike.http.StoreCalls}.
 */
@NullMarked
package dev.spike.http;

import org.jspecify.annotations.NullMarked;
