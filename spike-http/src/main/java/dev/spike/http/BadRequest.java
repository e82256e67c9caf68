package dev.spike.http;

/** A request that cannot be understood; the message names the field, for the client. */
final class BadRequest extends Exception {

    private static final long serialVersionUID = 1L;

    BadRequest(String detail) {
        super(detail, null, false, false);
    }

    String detail() {
        return String.valueOf(getMessage());
    }
}
