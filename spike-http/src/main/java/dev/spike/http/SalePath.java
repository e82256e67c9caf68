package dev.spike.http;

import org.jspecify.annotations.Nullable;

import java.util.Locale;

/**
 * A path below {@code /v1/sales/}.
 *
 * @param sale the sale id, well-formed
 * @param kind which of them
 * @param reservation the reservation id as it came; empty if the path has none
 */
record SalePath(String sale, Kind kind, String reservation) {

    enum Kind {
        /** {@code {sale}}. */
        SALE,
        /** {@code {sale}/events}. */
        EVENTS,
        /** {@code {sale}/reservations}. */
        RESERVATIONS,
        /** {@code {sale}/reservations/{id}}. */
        RESERVATION,
        /** {@code {sale}/reservations/{id}/confirm}. */
        CONFIRM,
        /** {@code {sale}/reservations/{id}/extend}. */
        EXTEND,
        /** {@code {sale}/total}, and so on, each under its own name. */
        TOTAL,
        CLOSE,
        REOPEN,
        ORDERS,
        AUDIT,
        REPAIR
    }

    private static final String PREFIX = "/v1/sales/";

    /** The path; null if it is none of these. */
    static @Nullable SalePath parse(String path) {
        if (!path.startsWith(PREFIX)) {
            return null;
        }
        String[] parts = path.substring(PREFIX.length()).split("/", 5);
        Kind kind = isSaleId(parts[0]) ? kind(parts) : null;
        return kind == null ? null : new SalePath(parts[0], kind, parts.length > 2 ? parts[2] : "");
    }

    private static @Nullable Kind kind(String[] parts) {
        boolean isReservation = parts.length > 2 && parts[1].equals("reservations");
        return switch (parts.length) {
            case 1 -> Kind.SALE;
            case 2 ->
                named(
                        parts[1],
                        Kind.EVENTS,
                        Kind.RESERVATIONS,
                        Kind.TOTAL,
                        Kind.CLOSE,
                        Kind.REOPEN,
                        Kind.ORDERS,
                        Kind.AUDIT,
                        Kind.REPAIR);
            case 3 -> isReservation ? Kind.RESERVATION : null;
            case 4 -> isReservation ? named(parts[3], Kind.CONFIRM, Kind.EXTEND) : null;
            default -> null;
        };
    }

    private static @Nullable Kind named(String name, Kind... kinds) {
        for (Kind kind : kinds) {
            if (kind.name().toLowerCase(Locale.ROOT).equals(name)) {
                return kind;
            }
        }
        return null;
    }

    private static boolean isSaleId(String text) {
        return !text.isEmpty()
                && text.length() <= 64
                && text.indexOf('.') < 0
                && text.indexOf('~') < 0;
    }
}
