package dev.spike.http;

import dev.spike.core.OrderEvent;
import dev.spike.core.Outcome;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** What the events of a batch come to, at most one for each reservation, by the text of its id. */
final class OrderBatch {

    /**
     * What there is to write.
     *
     * @param added units that become reserved or confirmed
     * @param freed units that no longer are
     */
    record Changes(List<Change> inserts, List<Change> updates, long added, long freed) {}

    /** An order that a book has. */
    record Written(int quantity, Outcome status) {}

    /** An event and its reservation's text. */
    record Change(String id, OrderEvent event) {}

    // Sorted: neighbours in the index are written together, and everybody locks in one order.
    private final Map<String, OrderEvent> events = new TreeMap<>();

    OrderBatch(Collection<OrderEvent> batch) {
        for (OrderEvent event : batch) {
            events.merge(
                    event.id().toString(),
                    event,
                    (first, second) -> first.state().isFinal() ? first : second);
        }
    }

    /** The text of each reservation. */
    Collection<String> ids() {
        return events.keySet();
    }

    /**
     * What is new to a book.
     *
     * @param written the orders that it has of these reservations
     */
    Changes against(Map<String, Written> written) {
        List<Change> inserts = new ArrayList<>();
        List<Change> updates = new ArrayList<>();
        long added = 0;
        long freed = 0;
        for (Map.Entry<String, OrderEvent> entry : events.entrySet()) {
            OrderEvent event = entry.getValue();
            Written before = written.get(entry.getKey());
            if (before == null) {
                inserts.add(new Change(entry.getKey(), event));
                added += isActive(event.state()) ? event.quantity() : 0;
            } else if (!before.status().isFinal() && event.state().isFinal()) {
                updates.add(new Change(entry.getKey(), event));
                freed += isActive(event.state()) ? 0 : before.quantity();
            }
        }
        return new Changes(inserts, updates, added, freed);
    }

    private static boolean isActive(Outcome status) {
        return status == Outcome.RESERVED || status == Outcome.CONFIRMED;
    }

    /** A column of these changes. */
    static Object[] column(List<Change> changes, Function<Change, Object> value) {
        return changes.stream().map(value).toArray();
    }
}
