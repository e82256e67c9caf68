package dev.spike.redis;

/**
 * A stock hash that somebody prepared by hand, over which a sale is opened. Its total must be the
 * sale's, its units sold count as sold from the start, and that field is kept at the units reserved
 * and sold from then on. Every node must name the same hash. In a cluster the hash must be in the
 * slot of the sale's keys.
 *
 * @param key the key of the hash
 * @param totalField its field with all the units
 * @param soldField its field with the units sold
 */
public record Adoption(String key, String totalField, String soldField) {

    /**
     * The hash under this key, with the fields {@code ticket_total_nums} and
     * {@code ticket_sold_nums}.
     *
     * @param key the key of the hash
     * @return with those two fields
     */
    public static Adoption of(String key) {
        return new Adoption(key, "ticket_total_nums", "ticket_sold_nums");
    }
}
