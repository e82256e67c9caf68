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

    /** What there is to write. */
    record Changes(List<Change> inserts, List<Change> updates) {

        /** Whether more units are reserved or confirmed afterwards. */
        boolean addsUnits() {
            return inserts.stream()
                    .map(change -> change.event().state())
                    .anyMatch(state -> state == Outcome.RESERVED || state == Outcome.CONFIRMED);
        }
    }

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
     * @param written the status of each reservation that it has
     */
    Changes against(Map<String, Outcome> written) {
        List<Change> inserts = new ArrayList<>();
        List<Change> updates = new ArrayList<>();
        events.forEach((id, event) -> {
            Outcome before = written.get(id);
            if (before == null) {
                inserts.add(new Change(id, event));
            } else if (!before.isFinal() && event.state().isFinal()) {
                updates.add(new Change(id, event));
            }
        });
        return new Changes(inserts, updates);
    }

    /** A column of these changes. */
    static Object[] column(List<Change> changes, Function<Change, Object> value) {
        return changes.stream().map(value).toArray();
    }
}
