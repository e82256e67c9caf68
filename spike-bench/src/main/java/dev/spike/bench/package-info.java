/**
 * What Spike costs, measured on the reader's own machine: one class for each question. The commands
 * and the figures are in {@code docs/benchmarks.md}.
 */
@NullMarked
package dev.spike.bench;

import org.jspecify.annotations.NullMarked;
