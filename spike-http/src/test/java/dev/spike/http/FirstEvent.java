package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/** The body of a stream of events up to its first message: the stream itself does not end. */
final class FirstEvent implements BodySubscriber<String> {

    private static final String DATA = "data: ";

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CompletableFuture<String> body = new CompletableFuture<>();
    private Subscription subscription;

    /** Takes the first message of a stream of events, and the whole of any other body. */
    static BodyHandler<String> orWhole() {
        return info -> info.headers()
                        .firstValue("Content-Type")
                        .filter("text/event-stream"::equals)
                        .isPresent()
                ? new FirstEvent()
                : BodySubscribers.ofString(UTF_8);
    }

    /** The data of the first message. */
    static String data(String body) {
        return body.lines()
                .filter(line -> line.startsWith(DATA))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no message: " + body))
                .substring(DATA.length());
    }

    @Override
    public CompletionStage<String> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Subscription newSubscription) {
        subscription = newSubscription;
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> parts) {
        for (ByteBuffer part : parts) {
            byte[] some = new byte[part.remaining()];
            part.get(some);
            bytes.writeBytes(some);
        }
        String text = bytes.toString(UTF_8);
        int start = text.indexOf(DATA);
        if (start >= 0 && text.indexOf("\n\n", start) >= 0 && body.complete(text)) {
            subscription.cancel();
        }
    }

    @Override
    public void onError(Throwable failure) {
        body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        body.complete(bytes.toString(UTF_8));
    }
}
