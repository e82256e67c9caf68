package dev.spike.bench.fault;

import dev.spike.bench.fault.SoakRun.Outcomes;
import dev.spike.bench.rig.Scratch;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Sells on real processes, servers, Redis and PostgreSQL, while faults are done to them, and then
 * holds every answer against the store, its log and the orders. Prints what happened, and the seed;
 * exits 1 if a promise was broken, and then keeps all files.
 */
@Command(
        name = "soak",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Sells on real processes with faults; exits 1 if a promise is broken.")
public final class Soak implements Callable<Integer> {

    private static final int MOST_TOLD = 50;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            description = "how long faults are done, above 0; fractions are allowed")
    private double minutes = 10;

    @Option(names = "--seed", paramLabel = "S", description = "of the faults. Default: any")
    private long seed = ThreadLocalRandom.current().nextLong(1_000_000);

    @Option(names = "--nodes", paramLabel = "N", description = "servers, at least 1")
    private int nodes = 3;

    @Option(names = "--hold", paramLabel = "S", description = "hold time in seconds, at least 1")
    private int holdSeconds = 3;

    @Option(names = "--rate", paramLabel = "N", description = "buyers per second, 1 to 1000")
    private int perSecond = 40;

    @Option(
            names = "--faults",
            split = ",",
            paramLabel = "F",
            description = "these once each, in this order, instead of --minutes of drawn ones; "
                    + "those joined by + at once")
    private List<String> faults = List.of();

    @Option(names = "--keep", description = "keep the history and all logs")
    private boolean keep;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    /** With the defaults of the flags. */
    public Soak() {}

    /** Runs and exits: 0, 1 if a promise was broken, 2 for a wrong flag. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Soak()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        require(minutes > 0, "> 0: --minutes " + minutes);
        require(nodes >= 1, ">= 1: --nodes " + nodes);
        require(holdSeconds >= 1, ">= 1: --hold " + holdSeconds);
        require(perSecond >= 1 && perSecond <= 1000, "1 to 1000: --rate " + perSecond);
        List<List<Incident>> given = faults.stream().map(this::together).toList();
        PrintWriter out = spec.commandLine().getOut();
        Path folder = Scratch.folder();
        out.println("seed " + seed + ", files in " + folder);
        long start = System.nanoTime();
        boolean isWell = false;
        try (SoakRun run =
                new SoakRun(folder, nodes, Duration.ofSeconds(holdSeconds), perSecond, what -> {
                    out.printf("%7.1f s  %s%n", (System.nanoTime() - start) / 1e9, what);
                    out.flush();
                })) {
            Outcomes outcomes = run.run(given.isEmpty() ? drawn() : Plan.of(given, nodes));
            outcomes.counts().forEach((what, count) -> out.printf("%,12d %s%n", count, what));
            isWell = outcomes.broken().isEmpty();
            outcomes.broken().stream()
                    .limit(MOST_TOLD)
                    .forEach(broken -> out.println("broken: " + broken));
            out.println(outcomes.broken().size() + " promises broken; seed " + seed + "; "
                    + (System.nanoTime() - start) / 1_000_000 + " ms");
        } finally {
            if (isWell && !keep) {
                Scratch.delete(folder);
            } else {
                out.println("kept: " + folder.resolve("history.jsonl") + ", and the logs there");
            }
            out.flush();
        }
        return isWell ? 0 : 1;
    }

    private Iterator<Plan.Step> drawn() {
        long end = System.nanoTime() + (long) (minutes * 60e9);
        return Plan.drawn(seed, nodes, () -> System.nanoTime() - end >= 0);
    }

    private List<Incident> together(String joined) {
        List<Incident> together = new ArrayList<>();
        for (String name : joined.split("\\+", -1)) {
            try {
                together.add(Incident.valueOf(name));
            } catch (IllegalArgumentException unknown) {
                throw new ParameterException(
                        spec.commandLine(),
                        "must be of " + List.of(Incident.values()) + ": --faults " + name);
            }
        }
        require(
                together.stream().map(each -> each.where).distinct().count() == together.size(),
                "done to different parts: --faults " + joined);
        return together;
    }

    private void require(boolean valid, String message) {
        if (!valid) {
            throw new ParameterException(spec.commandLine(), "must be " + message);
        }
    }
}
