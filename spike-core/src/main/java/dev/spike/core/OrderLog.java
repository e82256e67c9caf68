package dev.spike.core;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The order log of a sale, as one consumer of a group sees it: what a relay reads. Every group gets
 * all entries; its consumers share them, each taken by one at a time until it is acknowledged.
 *
 * <p>Every call blocks, and is one atomic step; one that gets no answer throws a
 * {@link RemoteSpikeException}, and may have taken entries all the same. Calls that take make the
 * group, from the start of the log, if there is none. Null is answered when there is no such sale.
 *
 * <p>An entry stays in the log until every group has acknowledged it and its holds have ended.
 */
public interface OrderLog {

    /** The most entries that are acknowledged at once. */
    int MAX_ACKNOWLEDGED = 1_000;

    /** A sale that has an order log. */
    interface Source {
        /**
         * The id of the sale.
         *
         * @return 1 to 64 of {@code A-Z a-z 0-9 _ -}
         */
        String saleId();

        /**
         * The order log as this consumer of this group sees it; without a call.
         *
         * @param group 1 to 128 visible ASCII characters
         * @param consumer the same; its own name among all that run at a time
         * @return the log of this sale, which need not be open yet
         */
        OrderLog orderLog(String group, String consumer);
    }

    /**
     * Entries that were taken.
     *
     * @param total the most units, without those sold before it was opened, that the sale had after
     *     any of them, or has now: a sale whose total was reduced since had more orders then
     * @param entries ascending
     * @param unreadable the sequences of those that make no sense, each with why
     */
    record Taken(long total, List<LogEntry> entries, Map<Long, String> unreadable) {

        /**
         * Whether nothing was taken.
         *
         * @return false also when all that was taken is unreadable
         */
        public boolean isEmpty() {
            return entries.isEmpty() && unreadable.isEmpty();
        }

        /**
         * The sequence of the last of them.
         *
         * @return the highest
         * @throws java.util.NoSuchElementException if nothing was taken
         */
        public long last() {
            return Stream.concat(
                            entries.stream().map(LogEntry::sequence), unreadable.keySet().stream())
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    /**
     * What a group has not acknowledged.
     *
     * @param events how many order events, from the oldest of them on: those after it count even if
     *     they are acknowledged
     * @param age how long ago the oldest of them was logged
     * @param deadLetters how many events of the sale, of all groups, lie in the dead letters
     */
    record Lag(long events, Duration age, long deadLetters) {}

    /**
     * An event that cannot be written.
     *
     * @param event the event; null: that of an entry which cannot be read
     * @param error why, in words
     */
    record Dead(@Nullable OrderEvent event, String error) {}

    /** What {@link #bury} did. */
    enum Burial {
        /** The events are in the dead letters, and their entry is acknowledged. */
        DONE,
        /** Nothing: another entry, which this one may depend on, is not acknowledged yet. */
        NOT_YET,
        /** Nothing: somebody acknowledged the entry meanwhile, or there is no such group. */
        NOT_NEEDED
    }

    /**
     * Entries that this consumer took before and has not acknowledged, as if it took them now.
     *
     * @param after the sequence after which to read; 0: from the oldest
     * @param most at least 1
     * @return those after it, ascending; null if there is no such sale
     */
    @Nullable
    Taken takeOwn(long after, int most);

    /**
     * The sequences of entries that this consumer has taken and not acknowledged, without taking
     * them again: also those of a call whose reply got lost, and that ran late. None if there is no
     * such sale or group.
     *
     * @param after the sequence after which to read; 0: from the oldest
     * @param most at least 1
     * @return ascending; empty if there are none
     */
    List<Long> pending(long after, int most);

    /**
     * Entries that others of the group took and have not acknowledged.
     *
     * @param idle how long ago they were taken last, at least
     * @param most at least 1
     * @return ascending; they are this consumer's now. Null if there is no such sale
     */
    @Nullable
    Taken takeIdle(Duration idle, int most);

    /**
     * Entries that nobody of the group has taken.
     *
     * @param most at least 1
     * @return ascending; null if there is no such sale
     */
    @Nullable
    Taken takeNew(int most);

    /**
     * Acknowledges entries, whoever took them, trims the log, and tells what is left to the group.
     *
     * @param sequences of the entries, at most {@value #MAX_ACKNOWLEDGED}
     * @return what is left to all consumers of the group; null if there is no such sale
     */
    @Nullable
    Lag acknowledge(List<Long> sequences);

    /**
     * Puts events of an entry into the dead letters and acknowledges it, in one step, unless
     * another entry of the group must be waited for: an older one that is not acknowledged, or one
     * that another consumer took before these tries and has not acknowledged.
     *
     * @param sequence of the entry
     * @param events those that could not be written, at least one; the other events of the entry
     *     are written
     * @param triedFor how long this consumer has tried to write them; null: long enough, whatever
     *     others have taken
     * @return whether it was done, and if not, why not
     */
    Burial bury(long sequence, List<Dead> events, @Nullable Duration triedFor);
}
