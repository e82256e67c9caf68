package dev.spike.bench.fault;

import dev.spike.bench.fault.Simulation.BrokenPromise;
import dev.spike.bench.fault.Simulation.Run;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.LongStream;

/**
 * Runs many simulated sales, each with its own seed: nodes and relays that die, pause, close and
 * are cut off; calls and replies that are late, lost or delivered twice; a store that goes away,
 * loses what it wrote last or everything, fails over, and whose clock jumps; an order book that
 * goes away, refuses orders, or fails after it wrote them. Prints what they met, and the seed of
 * each run that broke a promise; exits 1 if one did.
 */
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Runs simulated sales with faults; exits 1 if one breaks a promise.")
public final class Simulate implements Callable<Integer> {

    @Option(names = "--seeds", paramLabel = "N", description = "how many runs, at least 1")
    private long seeds = 1_000;

    @Option(names = "--seed", paramLabel = "S", description = "of the first run; the next is S + 1")
    private long first = 1;

    @Option(names = "--trace", description = "tell all that happens; one run at a time")
    private boolean trace;

    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    /** With the defaults of the flags. */
    public Simulate() {}

    /** Runs and exits: 0, 1 if a promise was broken, 2 for a wrong flag. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Simulate()).execute(args));
    }

    @Override
    public Integer call() {
        if (seeds < 1) {
            throw new ParameterException(spec.commandLine(), "must be >= 1: --seeds " + seeds);
        }
        // Nodes that stop selling say so; here that is expected, and checked.
        Logger.getLogger("dev.spike").setLevel(Level.OFF);
        PrintWriter out = spec.commandLine().getOut();
        long start = System.nanoTime();
        Map<Long, Run> runs = new ConcurrentSkipListMap<>();
        Map<Long, BrokenPromise> broken = new ConcurrentSkipListMap<>();
        LongStream all = LongStream.range(first, first + seeds);
        (trace ? all : all.parallel()).forEach(seed -> {
            try {
                runs.put(seed, new Simulation(seed, trace ? out::println : line -> {}).run());
            } catch (BrokenPromise promise) {
                broken.put(seed, promise);
            }
        });
        broken.forEach((seed, promise) -> out.println("seed " + seed + " broke a promise at "
                + promise.getMessage() + "\n    again: --seeds 1 --seed " + seed + " --trace"));
        print(out, runs);
        out.println(broken.size() + " of " + seeds + " runs broke a promise; "
                + (System.nanoTime() - start) / 1_000_000 + " ms");
        out.flush();
        return broken.isEmpty() ? 0 : 1;
    }

    private static void print(PrintWriter out, Map<Long, Run> runs) {
        Map<String, Long> sums = new TreeMap<>();
        runs.values().forEach(run -> {
            sums.merge("steps", run.steps(), Long::sum);
            sums.merge("nodes that ended", (long) run.ended(), Long::sum);
            run.happened()
                    .forEach((what, count) -> sums.merge("happened " + what, count, Long::sum));
            run.calls().forEach((fate, count) -> sums.merge("calls " + fate, count, Long::sum));
            run.answers()
                    .forEach((answer, count) -> sums.merge("answers " + answer, count, Long::sum));
        });
        sums.forEach((what, count) -> out.printf("%,12d %s%n", count, what));
    }
}
