package dev.spike.redis;

import dev.spike.core.Answer;
import dev.spike.core.RemoteSpikeException;
import dev.spike.core.Sale;
import dev.spike.core.Spike;

import java.time.Duration;

/** A node in a JVM of its own, since a JVM's trust is a matter of system properties. */
final class TlsClient {

    /** How its lines begin; others are of a log. */
    static final String SAYS = "node: ";

    private TlsClient() {}

    /** Sells a unit over each URI, and prints a line for it: the outcome, or why not. */
    public static void main(String... uris) {
        for (String uri : uris) {
            System.out.println(SAYS + sell(uri));
        }
    }

    private static String sell(String uri) {
        String saleId = TestRedis.newSaleId();
        try (RedisStore store = RedisStore.connect(uri);
                Spike spike = Spike.builder(store.sale(saleId))
                        .timeout(Duration.ofSeconds(10))
                        .start()) {
            spike.open(Sale.of(saleId, 1));
            Answer answer = spike.reserve("alice", "key-1", 1);
            return answer.outcome().toString();
        } catch (RemoteSpikeException | IllegalStateException failure) {
            return failure.getClass().getSimpleName() + ": "
                    + String.valueOf(failure.getMessage()).replace('\n', ' ');
        }
    }
}
