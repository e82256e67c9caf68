package dev.spike.http;

import dev.spike.core.Sale;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;

/**
 * The options of the server: flags, else environment ({@code SPIKE_PORT} for {@code --port}, and so
 * on for every flag), else defaults.
 */
@Command(
        name = "spike-http",
        description = "Sells a fixed stock of units over HTTP.",
        mixinStandardHelpOptions = true,
        versionProvider = Options.Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        footer = {
            "",
            "Each option may also be given in the environment: SPIKE_PORT for --port.",
            "rebuild --help tells how a sale that Redis lost is made anew from its orders."
        })
class Options {

    static final int ADMIN_PORT_DISTANCE = 10_000;
    private static final int DEFAULT_WATCHERS = 1000;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Buyers' port; 0: a free one. Default ${DEFAULT-VALUE}.")
    int port = 3005;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            description = "Buyers' address. Default ${DEFAULT-VALUE}.")
    String host = "0.0.0.0";

    @Option(
            names = "--admin-port",
            paramLabel = "PORT",
            description = "Admin port; 0: a free one. Default: port + 10000.")
    @Nullable
    Integer adminPort;

    @Option(
            names = "--admin-host",
            paramLabel = "HOST",
            description =
                    "Admin address. Default ${DEFAULT-VALUE}; another than loopback needs a token file.")
    String adminHost = "127.0.0.1";

    @Option(
            names = "--admin-token-file",
            paramLabel = "FILE",
            description =
                    "File with the admin's bearer token: 32 visible ASCII characters or more.")
    @Nullable
    Path adminTokenFile;

    @Option(
            names = "--connections",
            paramLabel = "N",
            description =
                    "How many connections each listener has at most; further ones wait. Default ${DEFAULT-VALUE}.")
    int connections = 10_000;

    @Option(
            names = "--watchers",
            paramLabel = "N",
            description =
                    "How many may watch sales at the same time; further ones are told to come later. At most half of --connections. Default 1000, or that half if it is fewer.")
    @Nullable
    Integer watchers;

    @Option(
            names = "--redis",
            paramLabel = "STORE",
            description =
                    "embedded, none, or the URI of a server: redis://h:p, redis+sentinel://h:p,h:p/master, redis+cluster://h:p,h:p; over TLS rediss instead of redis. Default ${DEFAULT-VALUE}.")
    String redis = "embedded";

    @Option(
            names = "--redis-replicas",
            paramLabel = "N",
            description =
                    "How many replicas of Redis must have a change before it is answered. Default ${DEFAULT-VALUE}.")
    int redisReplicas = 0;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "What the server keeps. Default ${DEFAULT-VALUE}.")
    Path data = Path.of("./spike-data");

    @Option(
            names = "--orders",
            paramLabel = "URL",
            description =
                    "Where the orders are written: jdbc:postgresql://HOST:PORT/DATABASE?user=USER&password=PASSWORD, jdbc:h2:file:PATH, or none. Default: an H2 file in --data; servers that sell together need PostgreSQL.")
    @Nullable
    String orders;

    @Option(
            names = "--order-backlog",
            paramLabel = "EVENTS",
            description =
                    "From how many unwritten order events on nothing new is reserved. Default ${DEFAULT-VALUE}.")
    long orderBacklog = 1_000_000;

    @Option(
            names = "--adopt",
            paramLabel = "KEY",
            description = "Sell from this stock hash, prepared by hand in Redis.")
    @Nullable
    String adopt;

    @Option(
            names = "--sale",
            paramLabel = "ID",
            description =
                    "The sale that /buy/ticket sells; opened if it is not open yet. Default ${DEFAULT-VALUE}.")
    String saleId = "ticket";

    @Option(
            names = "--total",
            paramLabel = "UNITS",
            description = "Its stock. Default ${DEFAULT-VALUE}.")
    long total = 10_000;

    @Option(
            names = "--per-buyer",
            paramLabel = "UNITS",
            description = "Its limit per buyer; 0: none. Default ${DEFAULT-VALUE}.")
    int perBuyer = 0;

    @Option(
            names = "--hold",
            paramLabel = "TIME",
            description = "Its hold time: 500ms, 30s, 5m, 2h or PT5M. Default 5m.")
    Duration hold = Sale.DEFAULT_HOLD;

    @Option(
            names = "--max-hold",
            paramLabel = "TIME",
            description = "The longest that a hold may be extended to. Default: twice --hold.")
    @Nullable
    Duration maxHold;

    @Option(
            names = "--opens-at",
            paramLabel = "INSTANT",
            description = "When it opens: 2030-01-31T10:00:00+08:00. Default: at once.")
    @Nullable
    Instant opensAt;

    @Option(
            names = "--closes-at",
            paramLabel = "INSTANT",
            description = "When it closes, written the same way. Default: never.")
    @Nullable
    Instant closesAt;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            description = "How many servers share the stock. Default ${DEFAULT-VALUE}.")
    int nodes = 1;

    @Option(
            names = "--buffer",
            paramLabel = "FRACTION",
            description = "By how much all quotas exceed the stock. Default ${DEFAULT-VALUE}.")
    double buffer = 0.5;

    @Option(
            names = "--quota",
            paramLabel = "UNITS",
            description =
                    "This server's quota; 0: derived from nodes and buffer. Default ${DEFAULT-VALUE}.")
    long quota = 0;

    @Option(
            names = "--stat-log",
            paramLabel = "FILE",
            description = "A line for each answer of /buy/ticket. Default: off.")
    @Nullable
    Path statLog;

    @Option(
            names = "--access-log",
            paramLabel = "FILE",
            description = "A line of JSON for each request. Default: off.")
    @Nullable
    Path accessLog;

    /** The admin's token; null: none is asked for. */
    @Nullable
    String adminToken;

    /** The rules of the sale that {@code /buy/ticket} sells. */
    Sale sale() {
        Sale sale = Sale.of(saleId, total)
                .withPerBuyer(perBuyer)
                .withHold(hold)
                .withOpening(opensAt, closesAt);
        return maxHold == null ? sale : sale.withMaxHold(maxHold);
    }

    int adminPort() {
        if (adminPort != null) {
            return adminPort;
        }
        return port == 0 ? 0 : port + ADMIN_PORT_DISTANCE;
    }

    /** A parser that fills in new options from flags, this environment and the defaults. */
    static CommandLine commandLine(Map<String, String> environment) {
        return commandLine(new Options(), environment);
    }

    /** A parser that fills in these options. */
    static CommandLine commandLine(Options options, Map<String, String> environment) {
        CommandLine parser = new CommandLine(options);
        parser.registerConverter(Duration.class, Times::durationOfFlag);
        parser.registerConverter(Instant.class, Times::instantOfFlag);
        parser.setDefaultValueProvider(arg -> {
            if (!arg.isOption()) {
                return null;
            }
            String flag = ((CommandLine.Model.OptionSpec) arg).longestName();
            String name = flag.substring(2).replace('-', '_').toUpperCase(Locale.ROOT);
            String value = environment.get("SPIKE_" + name);
            return value == null || value.isEmpty() ? null : value;
        });
        return parser;
    }

    /** How many may watch. */
    int watchers() {
        return watchers != null ? watchers : Math.min(DEFAULT_WATCHERS, connections / 2);
    }

    /**
     * Checks what the parser cannot, and reads the token.
     *
     * @throws IllegalArgumentException with one line that names the flag and says what is valid
     */
    void check() {
        new OptionRules(this).check();
    }

    /** The version that the build wrote. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            try (var in = Options.class.getResourceAsStream("version.txt")) {
                String text = in == null
                        ? "unknown"
                        : new String(in.readAllBytes(), StandardCharsets.UTF_8);
                return new String[] {"spike-http " + text.strip()};
            }
        }
    }
}
