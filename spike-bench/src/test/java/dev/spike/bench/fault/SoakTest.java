package dev.spike.bench.fault;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Real servers, Redis and PostgreSQL, with each kind of fault once; and for long, by hand. */
class SoakTest {

    /** All of them; at once where they last, to save time. */
    private static final String EACH_ONCE = "NODE_KILLED+ORDERS_PAUSED,SCRIPTS_FLUSHED,"
            + "CLIENTS_KILLED,REDIS_PAUSED,NODE_TERMINATED+ORDERS_CRASHED,SCRIPT_BUSY,"
            + "MEMORY_FULL,NODE_PAUSED+REDIS_KILLED";

    private final StringWriter printed = new StringWriter();

    private int soak(String... args) {
        return new CommandLine(new Soak())
                .setOut(new PrintWriter(printed))
                .setErr(new PrintWriter(printed))
                .execute(args);
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void main_eachFaultOnce_keepsEveryPromise() {
        assertThat(soak("--nodes=2", "--hold=2", "--faults=" + EACH_ONCE))
                .as(() -> printed.toString())
                .isZero();

        assertThat(printed.toString())
                .contains("0 promises broken")
                .contains("told RESERVE RESERVED", "reservation EXPIRED", "reservation CONFIRMED");
        for (Incident incident : Incident.values()) {
            assertThat(printed.toString()).contains("1 fault " + incident);
        }
    }

    @Test
    @Tag("slow")
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void main_tenMinutes_keepsEveryPromise() {
        assertThat(soak("--minutes=10")).as(() -> printed.toString()).isZero();
    }

    @Test
    void main_wrongFlags_areNamed() {
        for (String wrong : new String[] {
            "--minutes=0",
            "--nodes=0",
            "--hold=0",
            "--rate=0",
            "--faults=RAIN",
            "--faults=REDIS_KILLED+REDIS_PAUSED"
        }) {
            assertThat(soak(wrong)).as(wrong).isEqualTo(2);
            assertThat(printed.toString()).contains(wrong.substring(0, 6)).contains("must be ");
            printed.getBuffer().setLength(0);
        }
    }

    @Test
    void plan_manySteps_drawsEachFault() {
        int[] steps = {0};
        Iterator<Plan.Step> plan = Plan.drawn(7, 3, () -> steps[0]++ > 400);

        Set<Incident> drawn = new HashSet<>();
        Set<Integer> nodes = new HashSet<>();
        plan.forEachRemaining(step -> {
            drawn.addAll(step.incidents());
            nodes.add(step.node());
        });

        assertThat(drawn).containsExactlyInAnyOrder(Incident.values());
        assertThat(nodes).containsExactlyInAnyOrder(0, 1, 2);
        assertThat(Arrays.asList(EACH_ONCE.split("[,+]")))
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(Incident.values()).map(Enum::name).toList());
    }
}
