package dev.spike.bench.report;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What something was measured on.
 *
 * @param processor its model, or its architecture where the system does not tell
 * @param cores that this process may use
 * @param memoryGib of the machine, GiB
 * @param system the operating system
 * @param java the virtual machine
 */
record Machine(String processor, int cores, long memoryGib, String system, String java) {

    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

    /** The one that this runs on. */
    static Machine here() throws IOException {
        com.sun.management.OperatingSystemMXBean memory =
                ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        return new Machine(
                processorHere(),
                Runtime.getRuntime().availableProcessors(),
                Math.round(memory.getTotalMemorySize() / (double) (1 << 30)),
                System.getProperty("os.name") + " "
                        + System.getProperty("os.version").replaceFirst("-.*", ""),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    }

    private static String processorHere() throws IOException {
        String architecture = System.getProperty("os.arch");
        if (!Files.exists(PROCESSORS)) {
            return architecture;
        }
        try (Stream<String> lines = Files.lines(PROCESSORS)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(architecture);
        }
    }

    @Override
    public String toString() {
        return cores + " cores of " + processor + ", " + memoryGib + " GiB, " + system + ", "
                + java;
    }
}
