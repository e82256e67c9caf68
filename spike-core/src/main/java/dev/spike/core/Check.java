package dev.spike.core;

/** The one grammar of misuse messages: {@code must be > 0: quantity=-1}. */
final class Check {

    private Check() {}

    static void that(boolean valid, String rule, String name, Object value) {
        if (!valid) {
            throw new IllegalArgumentException("must be " + rule + ": " + name + "=" + value);
        }
    }

    /**
     * Apart from {@link #that}, because boxing the quantity would allocate on the path that must
     * not.
     */
    static void quantity(int quantity) {
        if (quantity <= 0) {
            throw new IllegalArgumentException("must be > 0: quantity=" + quantity);
        }
    }

    static void stateOfReservation(Outcome state) {
        that(
                state == Outcome.RESERVED || state.isFinal(),
                "a state of a reservation",
                "state",
                state);
    }
}
