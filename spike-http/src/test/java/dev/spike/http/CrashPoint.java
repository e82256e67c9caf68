package dev.spike.http;

import redis.clients.jedis.CommandArguments;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * In a child: the points at which it may die. Each has a name, made of the verb that is running and
 * the place in the code, so that it is the same one in every run, however the threads interleave.
 * {@link Woven} classes pass them; a child is told to name all that it passes, or to die at one.
 */
public final class CrashPoint {

    /** The exit code of a child that died at its point. */
    static final int DIED = 77;

    /** Properties of a child: names its points; dies at this one. */
    static final String NAME_ALL = "spike.crash.name";

    static final String DIE_AT = "spike.crash.at";

    /** What a child prints before the name of each point. */
    static final String POINT = "point ";

    /** How long a verb goes on, so that what its background does comes to the point as well. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final boolean NAMES = Boolean.getBoolean(NAME_ALL);
    private static final String DIES_AT = System.getProperty(DIE_AT, "");
    private static final Set<String> NAMED = ConcurrentHashMap.newKeySet();
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);
    private static final BufferedReader IN =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final StackWalker STACK = StackWalker.getInstance();

    private static volatile String verb = "";
    private static volatile String pausesAt = "";

    /** The Redis command of a thread, while its reply has not begun to arrive. */
    private static final ThreadLocal<String> SENT = new ThreadLocal<>();

    private static final ThreadLocal<String> COMMAND = ThreadLocal.withInitial(() -> "");

    private CrashPoint() {}

    /** From now on this verb is running; empty: none. */
    static void begin(String next) {
        verb = next;
    }

    /** The verb has ended. If the child was to die in it, it waits a while for the background. */
    static void end() {
        if (DIES_AT.startsWith(verb + ": ")) {
            long end = System.nanoTime() + LINGER_NANOS;
            while (System.nanoTime() - end < 0) {
                LockSupport.parkNanos(LINGER_NANOS);
            }
        }
        verb = "";
    }

    /** The next pass of this point says so, and waits for a line on the standard input. */
    static void pauseAt(String point) {
        pausesAt = point;
    }

    /** Writes a line, which is out of this process when this returns. */
    static void say(String line) {
        try {
            OUT.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The next line of the standard input; empty at its end. */
    static String hear() {
        try {
            String line = IN.readLine();
            return line == null ? "" : line;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Woven into the entry and the end of each method. */
    public static void method(String type, String name, String where) {
        if (!verb.isEmpty()) {
            pass(simple(type) + "." + name + " " + where);
        }
    }

    /** Woven where something goes to a store or comes from one. */
    public static void boundary(String what) {
        if (!verb.isEmpty()) {
            pass(callers() + ": " + what);
        }
    }

    /** Woven where an answer has gone out. */
    public static void answered() {
        if (!verb.isEmpty()) {
            pass("HTTP answered");
        }
    }

    /** Woven before a Redis command. */
    public static void sending(Object arguments) {
        String command = new String(
                ((CommandArguments) arguments).getCommand().getRaw(), StandardCharsets.US_ASCII);
        COMMAND.set(command);
        boundary(command + " before send");
    }

    /** Woven after what was to be sent to Redis is sent. */
    public static void sent() {
        boundary(COMMAND.get() + " after send");
        SENT.set(COMMAND.get());
    }

    /** Woven where the bytes of Redis arrive: the command has run, and nobody here knows yet. */
    public static void arrived() {
        String command = SENT.get();
        if (command != null) {
            SENT.remove();
            boundary(command + " after execution");
        }
    }

    /** Woven after a reply of Redis. */
    public static void replied() {
        boundary(COMMAND.get() + " after reply");
    }

    private static void pass(String place) {
        String point = verb + ": " + place;
        if (NAMES && NAMED.add(point)) {
            say(POINT + point);
        }
        if (point.equals(DIES_AT)) {
            Runtime.getRuntime().halt(DIED);
        }
        if (point.equals(pausesAt)) {
            pausesAt = "";
            say("paused");
            hear();
        }
    }

    /** The innermost three methods of ours that are about something. */
    private static String callers() {
        return STACK.walk(
                frames -> frames.filter(frame -> frame.getClassName().startsWith("dev.spike."))
                        .filter(frame -> !frame.getClassName()
                                .matches(".*(Crash\\w+|Script|Failures|Telling)"))
                        .filter(frame -> !frame.getMethodName().startsWith("lambda$"))
                        .map(frame -> simple(frame.getClassName()) + "." + frame.getMethodName())
                        .distinct()
                        .limit(3)
                        .collect(Collectors.joining(" < ")));
    }

    private static String simple(String type) {
        return type.substring(type.lastIndexOf('.') + 1);
    }
}
