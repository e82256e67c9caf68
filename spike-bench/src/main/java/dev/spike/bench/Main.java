package dev.spike.bench;

import dev.spike.bench.report.Report;

import java.util.Arrays;
import java.util.List;

/**
 * The main class of {@code benchmarks.jar}: {@code report} makes the tables and charts of the
 * documentation ({@link Report}); anything else is for JMH.
 */
public final class Main {

    private static final String HELP = """
            report [NAME...]   measures, and makes docs/benchmarks.md; report --help tells more
            REGEXP [OPTION...] runs the JMH benchmarks that match; -l lists them, -foe true ends at
                               the first error; REGEXP -h tells JMH's options

            The others have a main class each: java -cp benchmarks.jar dev.spike.bench.RedisCpu --help
            """;

    private Main() {}

    /** Runs one of the two. */
    public static void main(String... args) throws Exception {
        if (args.length == 0 || List.of("-h", "--help").contains(args[0])) {
            System.out.println(HELP);
        } else if (args[0].equals("report")) {
            Report.main(Arrays.copyOfRange(args, 1, args.length));
        } else {
            org.openjdk.jmh.Main.main(args);
        }
    }
}
