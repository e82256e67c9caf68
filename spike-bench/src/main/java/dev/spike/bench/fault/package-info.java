/** Programs that look for a fault that loses a unit, a buyer or a promise. */
@NullMarked
package dev.spike.bench.fault;

import org.jspecify.annotations.NullMarked;
