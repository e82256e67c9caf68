package dev.spike.bench.fault;

import dev.spike.bench.rig.Scratch;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Takes away each {@link Guard} in turn, in a copy of the repository, and runs the test that must
 * fail without it. Exits 1 if one passes all the same: then nothing watches over that guard. Needs
 * Maven, and what a build needs.
 */
@Command(
        name = "remove-guards",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Takes away each guard in turn; exits 1 if its test does not fail.")
public final class RemoveGuards implements Callable<Integer> {

    private static final Set<String> NOT_COPIED = Set.of(".git", "surefire-reports");
    private static final long MOST_MINUTES = 5;
    private static final String LOG = "test.log";
    private static final Pattern FAILED =
            Pattern.compile("<testsuite [^>]*(errors|failures)=\"[1-9]");

    @Option(names = "--root", paramLabel = "DIR", description = "the repository")
    private Path root = Path.of(".");

    @Option(names = "--only", paramLabel = "TEXT", description = "those whose name contains this")
    private String only = "";

    @Option(names = "--write", description = "write the table in the documents, and nothing else")
    private boolean write;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    /** With the defaults of the flags. */
    public RemoveGuards() {}

    /** Runs and exits: 0, 1 if a test does not fail, 2 for a wrong flag. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new RemoveGuards()).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (!Files.exists(root.resolve(Guard.LIST))) {
            throw new ParameterException(
                    spec.commandLine(), "must be the repository: --root " + root);
        }
        if (write) {
            Guard.writeDocument(root);
            return 0;
        }
        List<Guard> guards = Guard.all(root).stream()
                .filter(guard -> guard.guard().contains(only))
                .toList();
        if (guards.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "no guard is named so: --only " + only);
        }
        Path copy = Scratch.folder();
        try {
            copy(root, copy);
            return remove(guards, copy, spec.commandLine().getOut()) ? 0 : 1;
        } finally {
            Scratch.delete(copy);
        }
    }

    private static boolean remove(List<Guard> guards, Path copy, PrintWriter out)
            throws IOException, InterruptedException {
        List<String> wrong = new ArrayList<>();
        for (String module : guards.stream().map(Guard::module).distinct().toList()) {
            List<String> methods = guards.stream()
                    .filter(guard -> guard.module().equals(module))
                    .map(Guard::method)
                    .distinct()
                    .toList();
            Outcome outcome = test(copy, module, String.join(",", methods));
            if (outcome != Outcome.PASSED) {
                wrong.add("with every guard in its place, the tests of " + module + " " + outcome
                        + ": " + errors(copy));
            }
        }
        for (Guard guard : guards) {
            Path file = copy.resolve(guard.file());
            String source = Files.readString(file);
            Files.writeString(file, source.replace(guard.replace(), guard.by()));
            Outcome outcome = test(copy, guard.module(), guard.method());
            Files.writeString(file, source);
            out.println(outcome + "  " + guard.guard() + ": " + guard.test());
            out.flush();
            if (outcome != Outcome.FAILED) {
                wrong.add("without it, its test " + outcome + ": " + guard.guard());
            }
        }
        wrong.forEach(out::println);
        out.println(guards.size() + " guards, " + wrong.size() + " without a test that fails");
        out.flush();
        return wrong.isEmpty();
    }

    private enum Outcome {
        PASSED,
        FAILED,
        /** Not even that: it did not compile, or there is no such test. */
        DID_NOT_RUN,
        TOOK_TOO_LONG
    }

    private static Outcome test(Path copy, String module, String methods)
            throws IOException, InterruptedException {
        Path reports = copy.resolve(module).resolve("target").resolve("surefire-reports");
        if (Files.exists(reports)) {
            Scratch.delete(reports);
        }
        Path log = copy.resolve(LOG);
        Process maven = new ProcessBuilder(
                        "mvn",
                        "-B",
                        "-o",
                        "-q",
                        "-pl",
                        module,
                        "-am",
                        "test",
                        "-Dtest=" + methods,
                        "-Dsurefire.failIfNoSpecifiedTests=false")
                .directory(copy.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!maven.waitFor(MOST_MINUTES, TimeUnit.MINUTES)) {
            maven.descendants().forEach(ProcessHandle::destroyForcibly);
            maven.destroyForcibly().waitFor();
            return Outcome.TOOK_TOO_LONG;
        }
        if (maven.exitValue() == 0) {
            return Files.exists(reports) ? Outcome.PASSED : Outcome.DID_NOT_RUN;
        }
        return hasFailure(reports) ? Outcome.FAILED : Outcome.DID_NOT_RUN;
    }

    /** What Maven says of the tests that failed. */
    private static String errors(Path copy) throws IOException {
        return Files.readAllLines(copy.resolve(LOG)).stream()
                .filter(line -> line.startsWith("[ERROR]   "))
                .map(line -> line.substring("[ERROR]".length()).strip())
                .collect(Collectors.joining("; "));
    }

    private static boolean hasFailure(Path reports) throws IOException {
        if (!Files.exists(reports)) {
            return false;
        }
        try (Stream<Path> files = Files.list(reports)) {
            for (Path file :
                    files.filter(name -> name.toString().endsWith(".xml")).toList()) {
                if (FAILED.matcher(Files.readString(file)).find()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Also what is built, with its times, so that only what changes is built again. */
    private static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
                    throws IOException {
                if (NOT_COPIED.contains(String.valueOf(folder.getFileName()))) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(to.resolve(from.relativize(folder)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                    throws IOException {
                if (!file.toString().endsWith(".jar")) {
                    Files.copy(
                            file,
                            to.resolve(from.relativize(file)),
                            StandardCopyOption.COPY_ATTRIBUTES);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
