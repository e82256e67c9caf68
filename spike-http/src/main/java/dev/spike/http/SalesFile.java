package dev.spike.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The ids of the sales that this server has sold, one a line, in the data directory: so that after
 * a restart their holds expire and their orders are written, also when no buyer asks for them.
 */
final class SalesFile {

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    private final @Nullable Path file;
    private final Set<String> ids = new LinkedHashSet<>();

    private SalesFile(@Nullable Path file) {
        this.file = file;
        if (file != null && Files.exists(file)) {
            try {
                Files.readString(file, UTF_8)
                        .lines()
                        .filter(line -> ID.matcher(line).matches())
                        .forEach(ids::add);
            } catch (IOException failure) {
                warn("read", failure);
            }
        }
    }

    /** That of these options; over the in-memory store, one that remembers nothing. */
    static SalesFile in(Options options) {
        return new SalesFile(options.redis.equals("none") ? null : options.data.resolve("sales"));
    }

    synchronized Set<String> ids() {
        return Set.copyOf(ids);
    }

    synchronized void add(String saleId) {
        if (file != null && ids.add(saleId)) {
            try {
                Files.createDirectories(file.toAbsolutePath().getParent());
                Files.writeString(
                        file,
                        "\n" + saleId + "\n",
                        UTF_8,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            } catch (IOException failure) {
                warn("written", failure);
            }
        }
    }

    private void warn(String what, IOException failure) {
        System.getLogger(SpikeServer.class.getName())
                .log(
                        Level.WARNING,
                        file + " cannot be " + what + ": after a restart, sales but the first are "
                                + "swept and their orders written only once somebody asks for them",
                        failure);
    }
}
