package dev.spike.bench.scenario;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.spike.bench.report.Result;
import dev.spike.bench.rig.BenchRedis;
import dev.spike.bench.rig.RedisMeter;
import dev.spike.bench.scenario.Scenario.Outcomes;
import dev.spike.bench.scenario.Scenario.Settings;
import dev.spike.redis.RedisSpike;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import redis.clients.jedis.Jedis;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * Does Spike keep its promises in a whole flash sale, from the opening to the last unit? A million
 * buyers, ten thousand units, a hundred nodes, one real Redis; {@link Scenario} says what happens.
 *
 * <p>The nodes are in this JVM, each with a quota, threads and connections of its own, and get
 * uneven traffic. Buyers are method calls, not HTTP requests, and Redis has no persistence unless
 * {@code --redis} has: this shows that the answers are true, not what a server in between costs.
 *
 * <p>Every answer is held against the store's own history, the order log. A refusal, of a new key,
 * is false if it was true at no moment from {@link #STALENESS} before it was asked for until it was
 * answered. A repeat, of a key that holds a reservation, may be refused for as long after units
 * came back; it is asked again, and must be told of its reservation then.
 *
 * <p>Its last line is one JSON object. Exits 0; 1 if a promise was broken, which is told on stderr;
 * 2 for a wrong flag.
 */
@Command(
        name = "MillionBuyers",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false,
        description = "Plays a whole flash sale, and holds every answer against the store.")
public final class MillionBuyers implements Callable<Integer> {

    /** How old a node's own refusal may be: three sync intervals. */
    static final Duration STALENESS = Duration.ofSeconds(3);

    private static final int FEWEST_NODES = Incidents.KILLED + 1;

    @Option(names = "--buyers", paramLabel = "N", description = "each wants one unit; at least 10")
    private int buyers = 1_000_000;

    @Option(
            names = "--units",
            paramLabel = "N",
            description = "to sell, at least 10 and at most a fifth of the buyers; one tenth of "
                    + "them is added when they are sold")
    private int units = 10_000;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            description = "at first, at least 4; 3 are killed and 2 are started in mid-sale")
    private int nodes = 100;

    @Option(
            names = "--redis",
            paramLabel = "URI",
            description = "redis://...; its command statistics are reset; default: a server of "
                    + "its own")
    private @Nullable String redisUri;

    @Option(
            names = "--hold-millis",
            paramLabel = "MS",
            description = "how long a unit is held for a buyer who does not pay, at least 100")
    private long holdMillis = 5_000;

    @Option(names = "--seed", paramLabel = "N", description = "that makes the buyers")
    private long seed = 20_261_124;

    @Option(
            names = "--svg",
            paramLabel = "FILE",
            description = "where to draw the levels over time; not drawn if absent")
    private @Nullable Path svg;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "where to keep the result as a table of one row; not kept if absent")
    private @Nullable Path json;

    @Spec
    @SuppressWarnings("NullAway.Init") // Set by picocli before it calls.
    private CommandSpec spec;

    private final Consumer<RedisSpike> beforeCheck;

    /** With the default flags. */
    public MillionBuyers() {
        this(sale -> {});
    }

    /** @param beforeCheck see {@link Scenario#play} */
    MillionBuyers(Consumer<RedisSpike> beforeCheck) {
        this.beforeCheck = beforeCheck;
    }

    /** See {@code --help}. */
    public static void main(String... args) {
        System.exit(new CommandLine(new MillionBuyers()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        require(buyers >= 10, "--buyers must be >= 10: " + buyers);
        require(
                units >= 10 && units <= buyers / 5,
                "--units must be >= 10 and <= a fifth of the buyers: " + units);
        require(nodes >= FEWEST_NODES, "--nodes must be >= " + FEWEST_NODES + ": " + nodes);
        require(holdMillis >= 100, "--hold-millis must be >= 100: " + holdMillis);
        require(
                redisUri == null || isRedis(redisUri),
                "--redis must be redis://host:port: " + redisUri);
        try (BenchRedis redis = BenchRedis.at(redisUri);
                Jedis jedis = redis.jedis()) {
            Settings settings =
                    new Settings(buyers, units, nodes, seed, Duration.ofMillis(holdMillis));
            try (Scenario scenario =
                    new Scenario(settings, redis, "million-" + UUID.randomUUID())) {
                return report(scenario.play(beforeCheck), new RedisMeter(jedis).server());
            }
        }
    }

    private void require(boolean isSo, String message) {
        if (!isSo) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private static boolean isRedis(String uri) {
        try {
            URI parsed = URI.create(uri);
            return "redis".equals(parsed.getScheme()) && parsed.getHost() != null;
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private int report(Outcomes outcomes, String server) throws Exception {
        List<String> broken = broken(outcomes);
        Map<String, Object> figures = figures(outcomes);
        LevelsPicture picture = new LevelsPicture(outcomes.history(), outcomes.incidents());
        System.out.println(server + "\n");
        System.out.print(picture.text());
        tell(outcomes);
        if (svg != null) {
            Files.writeString(svg, picture.svg());
        }
        if (json != null) {
            result(outcomes, figures, server).write(json);
        }
        System.out.flush();
        broken.stream().limit(20).forEach(each -> System.err.println("broken: " + each));
        System.err.flush();
        System.out.println(line(figures));
        return broken.isEmpty() ? 0 : 1;
    }

    private static List<String> broken(Outcomes outcomes) {
        List<String> broken = new ArrayList<>();
        long sold = outcomes.levels().sold();
        if (outcomes.oversold() != 0) {
            broken.add("oversold by " + outcomes.oversold() + " units");
        }
        if (sold != outcomes.total()) {
            broken.add("sold " + sold + " of " + outcomes.total() + " units");
        }
        if (outcomes.refusals().wrong() != 0) {
            broken.add(outcomes.refusals().wrong() + " refusals were false");
        }
        broken.addAll(outcomes.broken());
        return broken;
    }

    private static Map<String, Object> figures(Outcomes outcomes) {
        Settings settings = outcomes.settings();
        long answered =
                outcomes.answers().values().stream().mapToLong(Long::longValue).sum();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("buyers", settings.buyers());
        figures.put("units", settings.units());
        figures.put("nodes", settings.nodes());
        figures.put("sold", outcomes.levels().sold());
        figures.put("total", outcomes.total());
        figures.put("oversold", outcomes.oversold());
        figures.put("falseSoldOut", outcomes.refusals().wrong());
        figures.put("brokenPromises", broken(outcomes).size());
        figures.put("refusals", outcomes.refusals().count());
        figures.put("oldestRefusalMillis", outcomes.refusals().oldestMillis());
        figures.put("reservations", outcomes.reservations());
        figures.put("repeats", outcomes.repeats());
        figures.put("repeatsRefusedAtFirst", outcomes.repeatsRefusedAtFirst());
        figures.put("lostAnswers", outcomes.lostAnswers());
        figures.put("moreBuyers", outcomes.moreBuyers());
        figures.put("redisCallsPerUnit", ratio(outcomes.scripts(), outcomes.total()));
        figures.put("bytesPerReservation", ratio(outcomes.bytes(), outcomes.reservations()));
        figures.put("answersPerSecond", Math.round(answered / outcomes.seconds()));
        figures.put("rushAnswersPerSecond", Math.round(settings.rush() / outcomes.rushSeconds()));
        figures.put("seconds", Math.round(outcomes.seconds() * 100) / 100.0);
        return figures;
    }

    private static double ratio(long all, long each) {
        return Math.round(100.0 * all / Math.max(1, each)) / 100.0;
    }

    private static void tell(Outcomes outcomes) {
        long from = outcomes.history().points().get(0).atMillis();
        System.out.println();
        outcomes.incidents()
                .forEach(incident -> System.out.printf(
                        "%7.2f s  %s; %,d units available%n",
                        (incident.atMillis() - from) / 1e3,
                        incident.what(),
                        outcomes.history().at(incident.atMillis()).available()));
        System.out.println();
        outcomes.answers()
                .forEach((outcome, count) -> System.out.printf("asked: %,d %s%n", count, outcome));
        outcomes.payments()
                .forEach((outcome, count) -> System.out.printf("paid: %,d %s%n", count, outcome));
        System.out.println();
    }

    private static Result result(Outcomes outcomes, Map<String, Object> figures, String server) {
        Result result = new Result("buyers", "units", "nodes");
        result.about(server + ".");
        Settings settings = outcomes.settings();
        result.about("Seed " + settings.seed() + ", a hold of "
                + settings.hold().toMillis() + " ms, " + Incidents.KILLED + " nodes killed, "
                + Incidents.ADDED + " added, a restock of " + settings.restock() + " units.");
        List<String> row = List.of(
                String.format(Locale.ROOT, "%,d", settings.buyers()),
                String.format(Locale.ROOT, "%,d", settings.units()),
                String.format(Locale.ROOT, "%,d", settings.nodes()));
        NAMES.forEach((figure, name) ->
                result.add(row, name, ((Number) figures.getOrDefault(figure, 0)).doubleValue()));
        return result;
    }

    /** The figures of the table, by their names in the JSON line. */
    private static final Map<String, String> NAMES = names();

    private static Map<String, String> names() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("sold", "sold, units");
        names.put("total", "total, units");
        names.put("oversold", "oversold, units");
        names.put("falseSoldOut", "false \"sold out\", answers");
        names.put("oldestRefusalMillis", "oldest refusal, ms");
        names.put("lostAnswers", "answers lost with their node");
        names.put("redisCallsPerUnit", "calls to Redis per unit sold");
        names.put("bytesPerReservation", "bytes in Redis per reservation");
        names.put("rushAnswersPerSecond", "the rush, buyers answered/s");
        names.put("answersPerSecond", "the whole, answers/s");
        names.put("seconds", "seconds");
        return names;
    }

    private static String line(Map<String, Object> figures) throws JsonProcessingException {
        return new ObjectMapper().writeValueAsString(figures);
    }
}
