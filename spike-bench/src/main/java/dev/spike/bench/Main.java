package dev.spike.bench;

import dev.spike.bench.report.Report;

import java.util.Arrays;

/**
 * The main class of {@code benchmarks.jar}: {@code report} makes the tables and charts of the
 * documentation ({@link Report}); anything else is for JMH.
 */
public final class Main {

    private Main() {}

    /** Runs one of the two. */
    public static void main(String... args) throws Exception {
        if (args.length > 0 && args[0].equals("report")) {
            Report.main(Arrays.copyOfRange(args, 1, args.length));
        } else {
            org.openjdk.jmh.Main.main(args);
        }
    }
}
