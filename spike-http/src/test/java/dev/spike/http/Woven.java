package dev.spike.http;

import static net.bytebuddy.matcher.ElementMatchers.isAbstract;
import static net.bytebuddy.matcher.ElementMatchers.isMethod;
import static net.bytebuddy.matcher.ElementMatchers.nameStartsWith;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import io.undertow.server.HttpServerExchange;

import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.matcher.ElementMatcher;
import net.bytebuddy.pool.TypePool;

import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.util.RedisInputStream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Copies of the main classes of modules, and of those through which they speak to their stores,
 * that pass a {@link CrashPoint} wherever something begins or ends. They go to a directory, for the
 * head of a child's class path; the classes themselves stay as they are.
 */
final class Woven {

    /** They make values of values: nothing outside can tell a death in them from one before. */
    private static final Set<String> COMPUTE = Set.of(
            "Answer",
            "Check",
            "Findings",
            "Levels",
            "LogReader",
            "MessagePack",
            "Outcome",
            "Records",
            "Replies",
            "ReservationId",
            "Sale",
            "Tally",
            "Json",
            "Query");

    private final ClassFileLocator files =
            ClassFileLocator.ForClassLoader.of(Woven.class.getClassLoader());
    private final TypePool types = TypePool.Default.of(files);
    private final Path directory;

    private Woven(Path directory) {
        this.directory = directory;
    }

    /** Weaves the modules of these classes, and the boundaries, into this directory. */
    static void into(Path directory, Class<?>... modules) {
        new Woven(directory).weave(modules);
    }

    private void weave(Class<?>... modules) {
        Stream.of(modules)
                .flatMap(Woven::classesBeside)
                .filter(name -> !COMPUTE.contains(name.substring(name.lastIndexOf('.') + 1)))
                .map(name -> types.describe(name).resolve())
                .filter(Woven::hasCode)
                .forEach(type -> write(type, Advice.to(Methods.class), hasSubstance(type)));
        weave(
                Connection.class.getName(),
                Map.of(
                        Sending.class,
                                named("sendCommand").and(takesArguments(CommandArguments.class)),
                        Sent.class, named("flush"),
                        Replied.class, named("readProtocolWithCheckingBroken")));
        weave(RedisInputStream.class.getName(), Map.of(Arrived.class, named("ensureFill")));
        String pool = "com.zaxxer.hikari.pool.Proxy";
        weave(pool + "Connection", Map.of(Boundary.class, named("commit")));
        weave(pool + "Statement", Map.of(Boundary.class, named("execute")));
        weave(pool + "PreparedStatement", Map.of(Boundary.class, nameStartsWith("execute")));
        weave(
                HttpServerExchange.class.getName(),
                Map.of(Answered.class, named("invokeExchangeCompleteListeners")));
    }

    private void weave(
            String type, Map<Class<?>, ElementMatcher<? super MethodDescription>> places) {
        TypeDescription described = types.describe(type).resolve();
        var woven = new ByteBuddy().decorate(described, files);
        for (Map.Entry<Class<?>, ElementMatcher<? super MethodDescription>> place :
                places.entrySet()) {
            // A place that is no more must not go unnoticed.
            if (described.getDeclaredMethods().filter(place.getValue()).isEmpty()) {
                throw new IllegalStateException(type + " has no " + place.getValue());
            }
            woven = woven.visit(Advice.to(place.getKey()).on(place.getValue()));
        }
        save(woven.make());
    }

    private void write(
            TypeDescription type, Advice advice, ElementMatcher<? super MethodDescription> where) {
        save(new ByteBuddy().decorate(type, files).visit(advice.on(where)).make());
    }

    private void save(net.bytebuddy.dynamic.DynamicType.Unloaded<?> woven) {
        try {
            woven.saveIn(directory.toFile());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static boolean hasCode(TypeDescription type) {
        return !type.getDeclaredMethods().filter(not(isAbstract())).isEmpty();
    }

    /** All but what the compiler makes for a record: reading a value is no place to die at. */
    private static ElementMatcher<? super MethodDescription> hasSubstance(TypeDescription type) {
        ElementMatcher.Junction<MethodDescription> code =
                isMethod().and(not(isAbstract())).and(not(named("$values")));
        if (!type.isRecord()) {
            return code;
        }
        return code.and(not(namedOneOf("toString", "hashCode", "equals")))
                .and(method -> type.getRecordComponents()
                        .filter(component -> component.getActualName().equals(method.getName()))
                        .isEmpty());
    }

    /** The names of all classes in the place that this one comes from, a directory or a jar. */
    private static Stream<String> classesBeside(Class<?> one) {
        try {
            URI place = one.getProtectionDomain().getCodeSource().getLocation().toURI();
            Path path = Path.of(place);
            if (Files.isDirectory(path)) {
                return classes(path);
            }
            try (FileSystem jar = FileSystems.newFileSystem(path)) {
                return classes(jar.getPath("/"));
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Stream<String> classes(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            return all
                    .map(file -> root.relativize(file).toString())
                    .filter(name -> name.startsWith("dev") && name.endsWith(".class"))
                    .filter(name -> !name.endsWith("-info.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .map(name -> name.replace('/', '.'))
                    .toList()
                    .stream();
        }
    }

    /** What is woven into a method's entry and end. */
    static final class Methods {
        @Advice.OnMethodEnter
        static void enter(@Advice.Origin("#t") String type, @Advice.Origin("#m") String name) {
            CrashPoint.method(type, name, "begins");
        }

        @Advice.OnMethodExit(onThrowable = Throwable.class)
        static void exit(@Advice.Origin("#t") String type, @Advice.Origin("#m") String name) {
            CrashPoint.method(type, name, "ends");
        }
    }

    static final class Boundary {
        @Advice.OnMethodEnter
        static void enter(@Advice.Origin("#m") String name) {
            CrashPoint.boundary("before " + name);
        }

        @Advice.OnMethodExit(onThrowable = Throwable.class)
        static void exit(@Advice.Origin("#m") String name) {
            CrashPoint.boundary("after " + name);
        }
    }

    static final class Sending {
        @Advice.OnMethodEnter
        static void enter(@Advice.Argument(0) CommandArguments arguments) {
            CrashPoint.sending(arguments);
        }
    }

    static final class Sent {
        @Advice.OnMethodExit
        static void exit() {
            CrashPoint.sent();
        }
    }

    static final class Arrived {
        @Advice.OnMethodExit
        static void exit() {
            CrashPoint.arrived();
        }
    }

    static final class Replied {
        @Advice.OnMethodExit(onThrowable = Throwable.class)
        static void exit() {
            CrashPoint.replied();
        }
    }

    static final class Answered {
        @Advice.OnMethodEnter
        static void enter() {
            CrashPoint.answered();
        }
    }
}
