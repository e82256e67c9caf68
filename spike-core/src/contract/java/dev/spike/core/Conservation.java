package dev.spike.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;

/** What must hold of a shared stock at every moment, and what must hold when all is sold. */
public final class Conservation {

    private Conservation() {}

    /** The levels are the sums over the reservations, and total = available + reserved + sold. */
    public static void check(RemoteSpike stock) {
        Sale sale = stock.sale();
        Levels levels = stock.levels();
        if (sale == null) {
            assertThat(levels).isEqualTo(Levels.absent(levels.asOf()));
            return;
        }
        Map<ReservationId, Reservation> reservations = reservations(stock);
        assertThat(levels.total()).as("total").isEqualTo(sale.total());
        assertThat(levels.conservationError()).as("conservation error").isZero();
        assertThat(levels.reservations()).as("reservations").isEqualTo(reservations.size());
        assertThat(levels.sold())
                .as("sold")
                .isEqualTo(units(reservations, Outcome.CONFIRMED) + stock.soldBefore());
        assertThat(levels.reserved())
                .as("reserved")
                .isEqualTo(units(reservations, Outcome.RESERVED));
    }

    /**
     * Sells all that is left, one unit a buyer, and demands that reserved + sold is exactly the
     * total.
     */
    public static void drain(RemoteSpike stock) {
        long available = stock.levels().available();
        for (long sold = 0; sold < available; sold++) {
            ReservationId id = new ReservationId("drain" + sold, "drain" + sold);
            assertThat(stock.reserve(
                                    java.util.List.of(new RemoteSpike.Request(id, 1)),
                                    Long.MAX_VALUE)
                            .answers()
                            .get(0)
                            .outcome())
                    .isEqualTo(Outcome.RESERVED);
        }
        Levels levels = stock.levels();
        assertThat(levels.available()).isZero();
        assertThat(levels.reserved() + levels.sold()).isEqualTo(levels.total());
        check(stock);
    }

    public static Map<ReservationId, Reservation> reservations(RemoteSpike stock) {
        Map<ReservationId, Reservation> all = new HashMap<>();
        @Nullable String cursor = null;
        do {
            RemoteSpike.Page page = stock.reservations(cursor);
            page.reservations().stream()
                    .map(Progress::reservation)
                    .forEach(reservation -> all.put(reservation.id(), reservation));
            cursor = page.next();
        } while (cursor != null);
        return all;
    }

    private static long units(Map<ReservationId, Reservation> reservations, Outcome state) {
        return reservations.values().stream()
                .filter(reservation -> reservation.state() == state)
                .mapToLong(Reservation::quantity)
                .sum();
    }
}
