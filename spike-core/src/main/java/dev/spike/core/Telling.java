package dev.spike.core;

import dev.spike.core.RemoteSpikeException.Kind;
import dev.spike.core.SpikeListener.Call;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Tells a node's listener, if it has one; what that throws stays here. */
final class Telling {

    private static final Logger LOG = System.getLogger(Spike.class.getName());

    private final String saleId;
    private final @Nullable SpikeListener listener;
    private final LongSupplier nanoTime;
    private final AtomicBoolean hasThrown = new AtomicBoolean();

    Telling(String saleId, SpikeBuilder options) {
        this.saleId = saleId;
        this.listener = options.listener;
        this.nanoTime = options.nanoTime;
    }

    /** Whether anybody is told. */
    boolean isHeard() {
        return listener != null;
    }

    void answered(Outcome outcome, boolean local) {
        // Not by tell: refusing must not allocate.
        if (listener != null) {
            try {
                listener.answered(outcome, local);
            } catch (Throwable thrown) {
                warn(thrown);
            }
        }
    }

    void settled(Outcome wish, Outcome outcome) {
        tell(heard -> heard.settled(wish, outcome));
    }

    void halted(String reason) {
        tell(heard -> heard.halted(reason));
    }

    /** Makes a call to the shared stock, and tells of it; what the call throws goes on. */
    <T> T call(Call call, int size, boolean again, Supplier<T> remote) {
        if (listener == null) {
            return remote.get();
        }
        long startNanos = nanoTime.getAsLong();
        Kind failure = Kind.BROKEN;
        try {
            T reply = remote.get();
            failure = null;
            return reply;
        } catch (RemoteSpikeException noAnswer) {
            failure = noAnswer.kind();
            throw noAnswer;
        } finally {
            long nanos = nanoTime.getAsLong() - startNanos;
            Kind certain = failure;
            tell(heard -> heard.called(call, size, again, nanos, certain));
        }
    }

    private void tell(Consumer<SpikeListener> news) {
        if (listener != null) {
            try {
                news.accept(listener);
            } catch (Throwable thrown) {
                // Also a checked one, which other languages of the JVM do not ask to be declared.
                warn(thrown);
            }
        }
    }

    private void warn(Throwable thrown) {
        if (hasThrown.compareAndSet(false, true)) {
            LOG.log(
                    Level.WARNING,
                    "the listener of " + saleId + " failed; further failures are not logged",
                    thrown);
        }
    }
}
