package dev.spike.core;

/**
 * Keeps a counter alone in its cache lines: what lies beside it would be fetched again after each
 * change by another thread. A superclass's fields lie before its subclass's.
 */
final class Padded {

    private Padded() {}

    /** 128 bytes, since processors fetch cache lines of 64 bytes in pairs. */
    @SuppressWarnings("unused")
    private static class Before {
        private long b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15;
    }

    /** The units, between the two. */
    static class Units extends Before {
        volatile long units;

        private Units() {}
    }

    /** To be extended by who counts. */
    @SuppressWarnings("unused")
    abstract static class Counter extends Units {
        private long a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15;
    }
}
