package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** The application in docs/example: compiles, runs, and adds up; its project is up to date. */
@Timeout(180)
final class ExampleTest {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Path EXAMPLE = Path.of("../docs/example");

    private static final Pattern OUTPUT = Pattern.compile("""
            shop-[0-9a-f]{8}: 1000 units, 3000 buyers
            buyers: \\{CONFIRMED=\\d+, CANCELLED=\\d+, EXPIRED=\\d+.*}
            levels: available \\d+, reserved 0, sold \\d+
            orders: \\{CONFIRMED=.*, CANCELLED=.*, EXPIRED=.*}
            adds up
            """);

    @TempDir
    Path dir;

    @Test
    void shop_runsAsItsReadmeSays_andAddsUp() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(data());
                Child shop = start(redis)) {
            assertThat(shop.exitCode(PATIENCE)).as(shop.out() + shop.err()).isZero();
            assertThat(shop.out()).matches(OUTPUT);
        }
        assertThat(Files.readString(EXAMPLE.resolve("README.md"))).containsPattern(OUTPUT);
    }

    @Test
    void redisStandsStillWhileItSells_addsUpAllTheSame() throws Exception {
        try (EmbeddedRedis redis = EmbeddedRedis.start(data());
                Child shop = start(redis)) {
            await().pollInterval(Duration.ofMillis(5))
                    .atMost(PATIENCE)
                    .until(() -> shop.out().contains("3000 buyers"));
            Signals.stop(data());
            try {
                await().atMost(PATIENCE)
                        .until(() -> (shop.out() + shop.err()).contains("gives no answer"));
            } finally {
                Signals.resume(data());
            }
            assertThat(shop.exitCode(PATIENCE)).as(shop.out() + shop.err()).isZero();
            assertThat(shop.out()).endsWith("adds up\n");
        }
    }

    private Path data() {
        return dir.resolve("data");
    }

    private Child start(EmbeddedRedis redis) throws Exception {
        Path classes = compile();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
            return Child.start(
                    dir,
                    Map.of(),
                    classes + File.pathSeparator + System.getProperty("java.class.path"),
                    Map.of(),
                    loader.loadClass("dev.example.shop.Shop"),
                    redis.uri());
        }
    }

    /** With the libraries alone, and what they bring along. */
    private Path compile() throws IOException {
        String classPath = Arrays.stream(
                        System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.matches(".*[/\\\\](spike-core|spike-redis|jedis)[-/\\\\].*"))
                .collect(Collectors.joining(File.pathSeparator));
        Path classes = Files.createDirectory(dir.resolve("classes"));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
                Stream<Path> sources = Files.walk(EXAMPLE.resolve("src/main/java"))) {
            List<String> options = List.of(
                    "-d", classes.toString(), "-cp", classPath, "--release", "17", "-Xlint:all");
            boolean compiled = compiler.getTask(
                            said,
                            files,
                            null,
                            options,
                            null,
                            files.getJavaFileObjectsFromPaths(
                                    sources.filter(file -> file.toString().endsWith(".java"))
                                            .toList()))
                    .call();
            assertThat(said.toString()).isEmpty();
            assertThat(compiled).isTrue();
        }
        return classes;
    }

    @Test
    void pom_importsTheBomOfThisVersion_andPinsWhatTheBuildPins() throws Exception {
        Pom build = Pom.read(Path.of("../pom.xml"));
        Pom example = Pom.read(EXAMPLE.resolve("pom.xml"));
        assertThat(example.hasParent()).isFalse();
        assertThat(example.managed()).isEqualTo(Map.of("dev.spike:spike-bom", build.version()));
        assertThat(example.dependencies())
                .containsEntry("dev.spike:spike-redis", "")
                .containsEntry("com.h2database:h2", build.managed().get("com.h2database:h2"))
                .containsEntry("org.slf4j:slf4j-jdk14", build.managed().get("org.slf4j:slf4j-api"))
                .hasSize(3);
        assertThat(build.plugins()).containsAllEntriesOf(example.plugins());
    }
}
