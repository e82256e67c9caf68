package dev.spike.bench.load;

import dev.spike.bench.load.Template.Expected;
import dev.spike.bench.report.BenchCommand;
import dev.spike.bench.report.Result;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How long do buyers wait for a server that gets requests at a constant rate, whether it keeps up
 * or not? One HTTP/1.1 server, reached over keep-alive connections; latencies in milliseconds from
 * when each request was due (see {@link Load}), the rate in requests per second.
 *
 * <p>Unlike ab and wrk it does not wait for an answer before the next request is due. It reads
 * status, Content-Length and nothing else; it speaks no TLS and reads no chunked answers.
 */
@Command(name = "open-loop", description = "Sends requests at a constant rate.")
public final class OpenLoop extends BenchCommand {

    private static final Duration DRAIN = Duration.ofSeconds(5);

    @Option(
            names = "--url",
            required = true,
            paramLabel = "URL",
            description =
                    "http://HOST[:PORT]/PATH; in it, in a header and in the body, {n} becomes the request's number, as ten digits")
    private String url = "";

    @Option(names = "--rate", paramLabel = "N", description = "requests due each second")
    private double rate = 1000;

    @Option(names = "--seconds", paramLabel = "N", description = "for how long")
    private double seconds = 10;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "seconds of the same before the first round, not counted")
    private double warmUp = 2;

    @Option(names = "--connections", paramLabel = "N", description = "open at the same time")
    private int connections = 100;

    @Option(names = "--threads", paramLabel = "N", description = "of the generator")
    private int threads = 1;

    @Option(names = "--method", paramLabel = "NAME", description = "of all requests")
    private String method = "GET";

    @Option(names = "--header", paramLabel = "'NAME: VALUE'", description = "one more header")
    private List<String> headers = new ArrayList<>();

    @Option(names = "--body", paramLabel = "TEXT", description = "of all requests; none if absent")
    private @Nullable String body;

    @Option(
            names = "--first",
            paramLabel = "N",
            description =
                    "number of the first request; a number that was used before may be the same buyer and key again")
    private long first = 0;

    @Option(
            names = "--expect",
            paramLabel = "STATUS",
            split = ",",
            description = "statuses that are no errors; 200 to 299 if absent")
    private Set<Integer> expect = new HashSet<>();

    /** Of one round, unless told otherwise. */
    public OpenLoop() {
        rounds = 1;
    }

    /** Measures and prints; exits 1 if not all requests were answered as expected. */
    public static void main(String[] args) {
        runAndExit(new OpenLoop(), args);
    }

    @Override
    protected Result measure() throws InterruptedException {
        Template template =
                new Template(method, url, headers, body, new Expected(Set.copyOf(expect), ""));
        Result result = new Result("url");
        result.about("Requests due at a constant rate over " + connections
                + " connections; latencies from when each was due.");
        long number = first;
        if (warmUp > 0) {
            Load load = load(template, number, warmUp);
            number += load.count();
            load.run();
        }
        for (int round = 0; round < rounds; round++) {
            Load load = load(template, number, seconds);
            number += load.count();
            LoadReport report = load.run();
            add(result, report);
            if (!report.isClean()) {
                System.out.print(result.toMarkdown());
                throw new IllegalStateException(report.summary());
            }
        }
        return result;
    }

    private Load load(Template template, long number, double time) {
        return new Load(
                List.of(template),
                number,
                rate,
                Duration.ofNanos((long) (time * 1e9)),
                connections,
                threads,
                DRAIN,
                Duration.ZERO);
    }

    private void add(Result result, LoadReport report) {
        List<String> row = List.of(url);
        result.add(row, "due, 1/s", rate);
        result.add(row, "answered, 1/s", report.answersPerSecond());
        latencies(result, row, report);
        report.statuses()
                .forEach((status, count) ->
                        result.add(row, "status " + status + ", answers", count));
        result.add(row, "not as expected, answers", report.unexpected() + report.busy());
        result.add(row, "failed, requests", report.failed());
        result.add(row, "lost, requests", report.lost());
    }

    /** Adds what is always told of the latencies. */
    static void latencies(Result result, List<String> row, LoadReport report) {
        result.add(row, "p50, ms", report.millis(0.5));
        result.add(row, "p99, ms", report.millis(0.99));
        result.add(row, "p99.9, ms", report.millis(0.999));
        result.add(row, "max, ms", report.maxMillis());
    }
}
