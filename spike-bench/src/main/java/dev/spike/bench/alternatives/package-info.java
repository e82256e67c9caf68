/**
 * Other ways to count a node's quota, which lose against the one in use; measured by
 * {@link dev.spike.bench.LocalQuotaBenchmark}. None checks its arguments, as the one in use does.
 */
@NullMarked
package dev.spike.bench.alternatives;

import org.jspecify.annotations.NullMarked;
