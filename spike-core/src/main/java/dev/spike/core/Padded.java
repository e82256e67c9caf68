package dev.spike.core;

/**
 * Keeps a counter alone in its cache lines: what lies beside it would be fetched again after each
 * change by another thread. A superclass's fields lie before its subclass's, so a counter is padded
 * by a superclass and by the fields of its subclass.
 */
final class Padded {

    private Padded() {}

    /** 128 bytes, since processors fetch cache lines of 64 bytes in pairs. */
    @SuppressWarnings("unused")
    private static class Before {
        private long b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15;
    }

    /** To be extended by who counts, with 128 bytes of fields behind. */
    abstract static class Counter extends Before {
        volatile long units;
    }
}
