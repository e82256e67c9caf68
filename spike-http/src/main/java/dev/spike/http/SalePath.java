package dev.spike.http;

import org.jspecify.annotations.Nullable;

/**
 * A path below {@code /v1/sales/}: {@code {sale}}, {@code {sale}/reservations},
 * {@code {sale}/reservations/{id}} or {@code {sale}/reservations/{id}/confirm}.
 *
 * @param sale the sale id, well-formed
 * @param kind which of them
 * @param reservation the reservation id as it came; empty if the path has none
 */
record SalePath(String sale, Kind kind, String reservation) {

    enum Kind {
        SALE,
        RESERVATIONS,
        RESERVATION,
        CONFIRM
    }

    private static final String PREFIX = "/v1/sales/";

    /** The path; null if it is none of these. */
    static @Nullable SalePath parse(String path) {
        if (!path.startsWith(PREFIX)) {
            return null;
        }
        String[] parts = path.substring(PREFIX.length()).split("/", 5);
        if (!isSaleId(parts[0]) || parts.length > 1 && !parts[1].equals("reservations")) {
            return null;
        }
        return switch (parts.length) {
            case 1 -> new SalePath(parts[0], Kind.SALE, "");
            case 2 -> new SalePath(parts[0], Kind.RESERVATIONS, "");
            case 3 -> new SalePath(parts[0], Kind.RESERVATION, parts[2]);
            case 4 ->
                parts[3].equals("confirm") ? new SalePath(parts[0], Kind.CONFIRM, parts[2]) : null;
            default -> null;
        };
    }

    private static boolean isSaleId(String text) {
        return !text.isEmpty()
                && text.length() <= 64
                && text.indexOf('.') < 0
                && text.indexOf('~') < 0;
    }
}
