package dev.spike.redis;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * A TLS port in front of a redis-server, which need not be built with TLS. Like Redis it hangs up
 * on who does not speak TLS, unless plain connections are let in, as between Redis and its
 * Sentinels.
 */
final class TlsPort implements AutoCloseable {

    private static final int TLS_HANDSHAKE = 0x16;

    private final SSLContext context;
    private final int target;
    private final boolean plainToo;
    private final boolean wantsClientCertificate;
    private final ServerSocket listener;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    private TlsPort(SSLContext context, int target, int port, boolean plain, boolean client)
            throws IOException {
        this.context = context;
        this.target = target;
        this.plainToo = plain;
        this.wantsClientCertificate = client;
        this.listener = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    static TlsPort open(SSLContext context, int target) throws IOException {
        return new TlsPort(context, target, 0, false, false);
    }

    static TlsPort wantingClientCertificates(SSLContext context, int target) throws IOException {
        return new TlsPort(context, target, 0, false, true);
    }

    static TlsPort alsoPlain(SSLContext context, int port, int target) throws IOException {
        return new TlsPort(context, target, port, true, false);
    }

    int port() {
        return listener.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                sockets.add(client);
                daemon(() -> serve(client));
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
            sockets.add(server);
            int first = client.getInputStream().read();
            if (first == TLS_HANDSHAKE || plainToo) {
                InputStream seen = new ByteArrayInputStream(new byte[] {(byte) first});
                Socket decrypted = first == TLS_HANDSHAKE ? tls(client, seen) : client;
                if (decrypted == client) {
                    server.getOutputStream().write(first);
                }
                daemon(() -> copy(server, decrypted));
                copy(decrypted, server);
            }
        } catch (IOException refused) {
            // By the one or the other: both are closed.
        }
    }

    private Socket tls(Socket client, InputStream seen) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(client, seen, true);
        socket.setUseClientMode(false);
        socket.setNeedClientAuth(wantsClientCertificate);
        socket.startHandshake();
        return socket;
    }

    private static void copy(Socket from, Socket to) {
        try (from;
                to) {
            byte[] bytes = new byte[8192];
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
                out.write(bytes, 0, read);
                out.flush();
            }
        } catch (IOException ended) {
            // So does the other direction.
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "tls-port");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
