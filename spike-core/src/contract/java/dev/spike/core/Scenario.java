package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.spike.core.RemoteSpike.Request;
import dev.spike.core.RemoteSpike.Settlement;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A table of steps and expected answers, run against one shared stock:
 *
 * <pre>
 * open TOTAL [limit UNITS] [hold MS] [longest MS] [opens MS] [closes MS]  -&gt; OPENED
 * openclosed ...          as open                               -&gt; OPENED
 * restore KEY:BUYER:QUANTITY:STATE ...                      -&gt; ADDED KNOWN
 * reserve KEY BUYER QUANTITY                                -&gt; RESERVED
 * batch KEY:BUYER:QUANTITY ...                              -&gt; RESERVED SOLD_OUT ...
 * confirm|cancel|extend KEY BUYER                           -&gt; CONFIRMED
 * settle KEY:BUYER:confirm|cancel|extend ...                    -&gt; CONFIRMED CANCELLED ...
 * expire                                                    -&gt; expired 2
 * restock ID DELTA                                          -&gt; APPLIED 100
 * close|reopen                                              -&gt; CLOSED
 * buyer BUYER                                               -&gt; a RESERVED, b CANCELLED; 2 units
 * find KEY BUYER                                            -&gt; RESERVED 2
 * levels                                                    -&gt; available 1, reserved 0, sold 2
 * late                    the next call comes after its last moment
 * pass MS                 time passes on the store's clock
 * </pre>
 *
 * <p>{@code opens} and {@code closes} are counted from now. An answer that says what was so before
 * carries a {@code =}: {@code =RESERVED}.
 */
public final class Scenario {

    private final RemoteSpike stock;
    private final Consumer<Duration> passTime;
    private long notAfter = Long.MAX_VALUE;

    Scenario(RemoteSpike stock, Consumer<Duration> passTime) {
        this.stock = stock;
        this.passTime = passTime;
    }

    /** The answer to one step of a table, without time passing. */
    public static String answer(RemoteSpike stock, String step) {
        return new Scenario(stock, time -> {}).answer(step.split("\\s+"));
    }

    void run(String table) {
        for (String line : table.lines().toList()) {
            String step = line.contains("#") ? line.substring(0, line.indexOf('#')) : line;
            if (!step.isBlank()) {
                String[] sides = step.split("->");
                String answer = answer(sides[0].trim().split("\\s+"));
                assertThat(answer).as(line).isEqualTo(sides.length > 1 ? sides[1].trim() : "");
            }
        }
    }

    private String answer(String[] step) {
        switch (step[0]) {
            case "late" -> notAfter = 1;
            case "pass" -> passTime.accept(Duration.ofMillis(Long.parseLong(step[1])));
            default -> {
                String answer = call(step);
                notAfter = Long.MAX_VALUE;
                return answer;
            }
        }
        return "";
    }

    private String call(String[] step) {
        return switch (step[0]) {
            case "open" -> stock.open(sale(step)).toString();
            case "openclosed" -> stock.openClosed(sale(step)).toString();
            case "restore" ->
                stock
                        .restore(List.of(step).subList(1, step.length).stream()
                                .map(Scenario::order)
                                .toList())
                        .effects()
                        .stream()
                        .map(Enum::name)
                        .collect(Collectors.joining(" "));
            case "reserve" -> reserve(List.of(step[1] + ":" + step[2] + ":" + step[3]));
            case "batch" -> reserve(List.of(step).subList(1, step.length));
            case "confirm", "cancel", "extend" ->
                settle(List.of(step[1] + ":" + step[2] + ":" + step[0]));
            case "settle" -> settle(List.of(step).subList(1, step.length));
            case "find" -> {
                Progress found = stock.find(new ReservationId(step[2], step[1]));
                yield found == null
                        ? "null"
                        : found.reservation().state() + " "
                                + found.reservation().quantity();
            }
            case "expire" -> "expired " + stock.expire().expired();
            case "restock" -> {
                RemoteSpike.Restock restock =
                        stock.restock(new RemoteSpike.Operation(step[1], Long.parseLong(step[2])));
                yield restock.effect() + " " + restock.applied();
            }
            case "close" -> stock.closeSale().phase().toString();
            case "reopen" -> stock.reopenSale().phase().toString();
            case "buyer" -> buyer(step[1]);
            case "levels" -> {
                Levels levels = stock.levels();
                yield "available " + levels.available() + ", reserved " + levels.reserved()
                        + ", sold " + levels.sold();
            }
            default -> throw new IllegalArgumentException(step[0]);
        };
    }

    private Sale sale(String[] step) {
        Map<String, Long> rules = new HashMap<>();
        for (int i = 2; i < step.length; i += 2) {
            rules.put(step[i], Long.parseLong(step[i + 1]));
        }
        Instant now = stock.levels().asOf();
        long hold = rules.getOrDefault("hold", 300_000L);
        return Sale.of(stock.saleId(), Long.parseLong(step[1]))
                .withPerBuyer(rules.getOrDefault("limit", 0L).intValue())
                .withHold(Duration.ofMillis(hold))
                .withMaxHold(Duration.ofMillis(rules.getOrDefault("longest", 2 * hold)))
                .withOpening(
                        rules.containsKey("opens") ? now.plusMillis(rules.get("opens")) : null,
                        rules.containsKey("closes") ? now.plusMillis(rules.get("closes")) : null);
    }

    private static OrderBook.Order order(String text) {
        String[] parts = text.split(":");
        return new OrderBook.Order(
                new ReservationId(parts[1], parts[0]),
                Integer.parseInt(parts[2]),
                Outcome.valueOf(parts[3]));
    }

    private String reserve(List<String> requests) {
        List<Request> batch = requests.stream()
                .map(request -> request.split(":"))
                .map(parts -> new Request(
                        new ReservationId(parts[1], parts[0]), Integer.parseInt(parts[2])))
                .toList();
        return text(stock.reserve(batch, notAfter));
    }

    private String settle(List<String> wishes) {
        List<Settlement> batch = wishes.stream()
                .map(wish -> wish.split(":"))
                .map(parts -> new Settlement(
                        new ReservationId(parts[1], parts[0]),
                        switch (parts[2]) {
                            case "confirm" -> Outcome.CONFIRMED;
                            case "cancel" -> Outcome.CANCELLED;
                            case "extend" -> Outcome.RESERVED;
                            default -> throw new IllegalArgumentException(parts[2]);
                        }))
                .toList();
        return text(stock.settle(batch, notAfter));
    }

    private String buyer(String buyer) {
        RemoteSpike.Page page = stock.reservationsOf(buyer, null);
        return page.reservations().stream()
                        .map(Progress::reservation)
                        .map(found -> found.id().key() + " " + found.state())
                        .collect(Collectors.joining(", "))
                + page.unitsOfBuyers().values().stream()
                        .map(units -> "; " + units + " units")
                        .collect(Collectors.joining());
    }

    private static String text(RemoteSpike.Reply reply) {
        return reply.late()
                ? "LATE"
                : reply.answers().stream()
                        .map(answer -> (answer.repeated() ? "=" : "") + answer.outcome())
                        .collect(Collectors.joining(" "));
    }
}
