/**
 * Programs that look for a fault that loses a unit, a buyer or a promise.
 *
 * <ul>
 *   <li>{@link dev.spike.bench.fault.Simulate}: a {@code Simulation} of a {@code World} in virtual
 *       time; its {@code Scheduler} and {@code Fiber}s let the real nodes run one step at a time.
 *   <li>{@link dev.spike.bench.fault.Soak}: a {@code SoakRun} on an {@code Installation} of real
 *       processes, whose {@code History} a {@code Judge} reads afterwards.
 *   <li>{@link dev.spike.bench.fault.RemoveGuards}: takes away each {@code Guard}, and runs the
 *       test that must notice.
 * </ul>
 */
@NullMarked
package dev.spike.bench.fault;

import org.jspecify.annotations.NullMarked;
