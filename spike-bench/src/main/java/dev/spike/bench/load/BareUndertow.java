package dev.spike.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.undertow.Undertow;
import io.undertow.util.Headers;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * The fastest answer that this server library can give: constant bytes, to every request. They are
 * those with which the demo server says "sold out".
 *
 * <p>Usage: {@code BareUndertow PORT [IO_THREADS]}; port 0 is a free one.
 */
public final class BareUndertow {

    private BareUndertow() {}

    /** Serves on loopback until the process is ended. */
    public static void main(String[] args) {
        int port = Integer.parseInt(args[0]);
        int ioThreads = args.length > 1 ? Integer.parseInt(args[1]) : defaultIoThreads();
        Undertow server = start(port, ioThreads);
        System.out.println(
                "bare Undertow on 127.0.0.1:" + port(server) + ", I/O threads: " + ioThreads);
    }

    static int defaultIoThreads() {
        return Math.max(2, Runtime.getRuntime().availableProcessors());
    }

    static int port(Undertow server) {
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    static Undertow start(int port, int ioThreads) {
        byte[] body = "{\"code\":-1,\"msg\":\"已售罄\"}".getBytes(UTF_8);
        ByteBuffer constant = ByteBuffer.allocateDirect(body.length).put(body).flip();
        Undertow server = Undertow.builder()
                .addHttpListener(port, "127.0.0.1")
                .setIoThreads(ioThreads)
                .setHandler(exchange -> {
                    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
                    exchange.getResponseSender().send(constant.duplicate());
                })
                .build();
        server.start();
        return server;
    }
}
