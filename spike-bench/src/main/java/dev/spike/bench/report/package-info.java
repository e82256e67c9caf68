/** What a benchmark has measured, and how that becomes tables and charts in the documents. */
@NullMarked
package dev.spike.bench.report;

import org.jspecify.annotations.NullMarked;
