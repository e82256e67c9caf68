package dev.spike.http;

import java.util.Arrays;

/**
 * The server's main class, in a child that may die: its first argument is the verb under which it
 * starts, and each line of its standard input the next one.
 */
final class CrashingServer {

    private CrashingServer() {}

    public static void main(String[] args) {
        Thread verbs = new Thread(CrashingServer::hear, "verbs");
        verbs.setDaemon(true);
        verbs.start();
        CrashPoint.begin(args[0]);
        SpikeServer.main(Arrays.copyOfRange(args, 1, args.length));
    }

    private static void hear() {
        for (String verb = CrashPoint.hear(); !verb.isEmpty(); verb = CrashPoint.hear()) {
            CrashPoint.begin(verb);
            CrashPoint.say("verb " + verb);
        }
    }
}
