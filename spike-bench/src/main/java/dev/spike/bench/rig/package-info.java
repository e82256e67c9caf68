/** The servers that the benchmarks measure or measure with, and what they say of their own cost. */
@NullMarked
package dev.spike.bench.rig;

import org.jspecify.annotations.NullMarked;
