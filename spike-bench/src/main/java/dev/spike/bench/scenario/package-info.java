/** Whole sales, played by simulated buyers. */
@NullMarked
package dev.spike.bench.scenario;

import org.jspecify.annotations.NullMarked;
