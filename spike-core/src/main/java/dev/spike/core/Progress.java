package dev.spike.core;

/**
 * How far a reservation has come.
 *
 * @param reservation as it is
 * @param sequence of its last change
 * @param orderWritten whether everyone who reads the order log has acknowledged that change, and so
 *     the order is written as the reservation is
 */
public record Progress(Reservation reservation, long sequence, boolean orderWritten) {}
