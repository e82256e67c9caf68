package dev.spike.bench.fault;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The list of guards is true; and, in the long form, so is what it says of each. */
class GuardsTest {

    private static final Path ROOT = Path.of("..");

    @Test
    void everyGuard_isInItsPlace_andHasItsTest() throws IOException {
        List<Guard> guards = Guard.all(ROOT);
        Set<String> names = new HashSet<>();
        for (Guard guard : guards) {
            assertThat(names.add(guard.guard())).as(guard.guard()).isTrue();
            assertThat(guard.occurrences(ROOT)).as(guard.guard()).isEqualTo(1);
            assertThat(guard.by()).as(guard.guard()).isNotEqualTo(guard.replace());
            String method = guard.method().replaceFirst(".*#", "");
            assertThat(sources(guard)).as(guard.guard()).contains(" " + method + "(");
        }
        assertThat(guards).hasSizeGreaterThan(40);
    }

    /** The tests of its module, and those that every stock must pass. */
    private static String sources(Guard guard) throws IOException {
        StringBuilder sources = new StringBuilder();
        for (String folder : List.of(guard.module() + "/src/test", "spike-core/src/contract")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
                for (Path file :
                        files.filter(name -> name.toString().endsWith(".java")).toList()) {
                    sources.append(Files.readString(file));
                }
            }
        }
        return sources.toString();
    }

    @Test
    void table_isThatOfTheList() throws IOException {
        assertThat(Files.readString(ROOT.resolve("docs/guarantees.md")))
                .as("remove-guards --write makes it")
                .isEqualTo(Guard.document(ROOT));
    }

    @Test
    void root_thatIsNoRepository_isNamed() {
        StringWriter err = new StringWriter();
        int code = new CommandLine(new RemoveGuards())
                .setErr(new PrintWriter(err))
                .execute("--root", "nowhere");
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("must be the repository: --root nowhere");
    }

    /** About half a minute each on a slow machine. */
    @Test
    @Tag("slow")
    @Timeout(5_400)
    void everyGuard_isMissed() {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new RemoveGuards())
                .setOut(new PrintWriter(out))
                .execute("--root", "..");
        assertThat(code).as(out.toString()).isZero();
    }
}
