/** What the load scripts measure the demo server beside. */
@NullMarked
package dev.spike.bench.load;

import org.jspecify.annotations.NullMarked;
