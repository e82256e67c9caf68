/** Load over HTTP: the generator, what it is measured beside, and how much a server takes. */
@NullMarked
package dev.spike.bench.load;

import org.jspecify.annotations.NullMarked;
