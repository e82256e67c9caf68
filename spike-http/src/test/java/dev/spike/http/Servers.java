package dev.spike.http;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import java.util.ArrayDeque;
import java.util.Deque;

/** Starts servers for a test; after it, checks that no unit was lost or made, and stops them. */
final class Servers implements AfterEachCallback {

    private final Deque<TestServer> started = new ArrayDeque<>();

    TestServer start(String... flags) {
        TestServer server = TestServer.start(flags);
        started.push(server);
        return server;
    }

    /** Stops one before the end of the test, after a look at its levels. */
    void stop(TestServer server) {
        server.assertConserved();
        started.remove(server);
        server.close();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        try {
            if (context.getExecutionException().isEmpty()) {
                started.forEach(TestServer::assertConserved);
            }
        } finally {
            started.forEach(TestServer::close);
        }
    }
}
