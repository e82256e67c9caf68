package dev.spike.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.jspecify.annotations.Nullable;

import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A TCP proxy before a Redis that sees each request and each whole reply, one after the other on
 * each connection, and mistreats those that a test chooses.
 */
final class RedisProxy implements AutoCloseable {

    /** A command as it came: its arguments, one char for each byte. */
    record Request(List<String> args) {

        /** Whether an argument contains that; a batch contains the buyers and keys in it. */
        boolean mentions(String text) {
            return args.stream().anyMatch(arg -> arg.contains(text));
        }

        /** Whether it is a call of this library, and not of the client when it connects. */
        boolean isCall() {
            return Set.of("EVALSHA", "EVAL", "HMGET").contains(args.get(0));
        }

        /** The arguments of a script, after its keys. */
        List<String> scriptArgs() {
            return args.subList(3 + Integer.parseInt(args.get(2)), args.size());
        }
    }

    /** What becomes of a request and of its reply. */
    interface Fault {

        /** Both go through. */
        Fault NONE = exchange -> exchange.reply(exchange.forward());

        /** Redis never sees the request, and nobody tells the client. */
        Fault SWALLOW_REQUEST = exchange -> {};

        /** The client never sees the reply. */
        Fault SWALLOW_REPLY = Exchange::forward;

        /** The connection is reset before Redis sees the request. */
        Fault RESET_REQUEST = Exchange::reset;

        /** Nothing is read or written any more, and the connection stays. */
        Fault HALF_OPEN = Exchange::hang;

        /** The first bytes of the reply, all but one at the most, and then the end. */
        static Fault cutReply(int bytes) {
            return exchange -> {
                exchange.replyFirst(bytes);
                exchange.close();
            };
        }

        /** The first bytes of the reply, all but one at the most, and then a reset. */
        static Fault resetReply(int bytes) {
            return exchange -> {
                exchange.replyFirst(bytes);
                exchange.reset();
            };
        }

        /** Something else in place of the reply. */
        static Fault replaceReply(String reply) {
            return exchange -> {
                exchange.forward();
                exchange.reply(reply.getBytes(ISO_8859_1));
            };
        }

        /** The client sees the reply later, if it is still there. */
        static Fault delayReply(CountDownLatch until) {
            return exchange -> {
                byte[] reply = exchange.forward();
                until.await();
                exchange.reply(reply);
            };
        }

        void happen(Exchange exchange) throws IOException, InterruptedException;
    }

    /** A request that came, and what can be done with it. */
    static final class Exchange {
        private final byte[] request;
        private final Socket client;
        private final OutputStream toRedis;
        private final InputStream fromRedis;

        private Exchange(byte[] request, Socket client, OutputStream toRedis, InputStream from) {
            this.request = request;
            this.client = client;
            this.toRedis = toRedis;
            this.fromRedis = from;
        }

        /** Hands the request to Redis, and answers the whole reply, which waits here. */
        byte[] forward() throws IOException {
            toRedis.write(request);
            ByteArrayOutputStream reply = new ByteArrayOutputStream();
            RespFrames.copy(fromRedis, reply);
            return reply.toByteArray();
        }

        void reply(byte[] bytes) throws IOException {
            client.getOutputStream().write(bytes);
        }

        void replyFirst(int bytes) throws IOException {
            byte[] reply = forward();
            client.getOutputStream().write(reply, 0, Math.min(bytes, reply.length - 1));
        }

        void close() throws IOException {
            client.close();
        }

        void reset() throws IOException {
            client.setSoLinger(true, 0);
            client.close();
        }

        void hang() throws InterruptedException {
            new CountDownLatch(1).await();
        }
    }

    private final int redisPort;

    /** Keeps the port while nobody listens on it, so that no other program gets it. */
    private final Socket reserved = new Socket();

    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger frozen = new AtomicInteger();
    private volatile Function<Request, Fault> faults = request -> Fault.NONE;
    private volatile int lastFrozen;
    private @Nullable ServerSocket listener;

    RedisProxy(int redisPort) {
        this.redisPort = redisPort;
        try {
            reserved.setReuseAddress(true);
            reserved.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        accept();
    }

    int port() {
        return reserved.getLocalPort();
    }

    String uri() {
        return "redis://127.0.0.1:" + port();
    }

    /** A client with so many connections at most, which waits so long for each reply. */
    RedisClient client(int most, Duration timeout) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(most);
        pool.setMaxWait(timeout);
        return RedisClient.builder()
                .hostAndPort(new HostAndPort("127.0.0.1", port()))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) timeout.toMillis())
                        .build())
                .poolConfig(pool)
                .build();
    }

    /** How many connections were made so far. */
    int connections() {
        return connections.get();
    }

    /** How many requests came on frozen connections so far. */
    int frozen() {
        return frozen.get();
    }

    /** From now on this is asked for each request, also those of the client when it connects. */
    void faults(Function<Request, Fault> chosen) {
        faults = chosen;
    }

    /** From now on all goes through, on connections that are not frozen. */
    void faultless() {
        faults(request -> Fault.NONE);
    }

    /**
     * From now on requests are neither forwarded nor answered, on no connection, but connections
     * stay, and new ones are accepted.
     */
    void freeze() {
        lastFrozen = Integer.MAX_VALUE;
    }

    /** New connections go through; those there are stay frozen, if they were. */
    void acceptUnfrozen() {
        lastFrozen = lastFrozen == 0 ? 0 : connections.get();
    }

    /** Resets all connections, and refuses new ones. */
    void refuse() {
        try {
            if (listener != null) {
                listener.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (Socket socket : sockets) {
            abort(socket);
        }
    }

    /** Listens, after {@link #refuse}. */
    void accept() {
        try {
            ServerSocket socket = new ServerSocket();
            socket.setReuseAddress(true);
            socket.bind(reserved.getLocalSocketAddress(), 100);
            listener = socket;
            start(() -> {
                while (true) {
                    Socket client = socket.accept();
                    int number = connections.incrementAndGet();
                    sockets.add(client);
                    if (socket.isClosed()) {
                        abort(client);
                    }
                    start(() -> serve(client, number));
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void serve(Socket client, int number) throws IOException, InterruptedException {
        try (client;
                Socket redis = new Socket(InetAddress.getLoopbackAddress(), redisPort)) {
            sockets.add(redis);
            client.setTcpNoDelay(true);
            redis.setTcpNoDelay(true);
            InputStream fromClient = new BufferedInputStream(client.getInputStream());
            InputStream fromRedis = new BufferedInputStream(redis.getInputStream());
            while (!client.isClosed()) {
                ByteArrayOutputStream frame = new ByteArrayOutputStream();
                List<String> args = RespFrames.copy(fromClient, frame);
                boolean isFrozen = number <= lastFrozen;
                if (isFrozen) {
                    frozen.incrementAndGet();
                }
                Fault fault = isFrozen ? Fault.HALF_OPEN : faults.apply(new Request(args));
                fault.happen(new Exchange(
                        frame.toByteArray(), client, redis.getOutputStream(), fromRedis));
            }
        } finally {
            sockets.remove(client);
            sockets.removeIf(Socket::isClosed);
        }
    }

    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    private void start(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException | InterruptedException ended) {
                        // The client or Redis went, or the proxy is closing.
                    } finally {
                        threads.remove(Thread.currentThread());
                    }
                },
                "redis-proxy");
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private static void abort(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException closed) {
            // Nothing to reset.
        }
        close(socket);
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        refuse();
        close(reserved);
        threads.forEach(Thread::interrupt);
    }
}
