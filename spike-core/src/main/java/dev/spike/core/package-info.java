/**
 * Sells a fixed stock of identical units to far more buyers than units, from many nodes, exactly.
 *
 * <p>The idea is <em>pre-deduction</em>: take the stock first, in memory and then in one shared
 * store, answer the buyer, and let the order be created asynchronously.
 *
 * <pre>
 * buyer ──&gt; node: Spike ──&gt; LocalSpike    this node's quota, in memory: may say NO by itself
 *                   │
 *                   └─────&gt; RemoteSpike   the stock all nodes share: the only one that may say YES
 * </pre>
 *
 * <p>Read {@link dev.spike.core.Spike} first, then {@link dev.spike.core.RemoteSpike};
 * {@link dev.spike.core.InMemorySpike} is the executable specification that every other
 * implementation is tested against.
 *
 * <p>Refusals are values ({@link dev.spike.core.Outcome}), never exceptions; an
 * {@link java.lang.IllegalArgumentException} names a misuse, a
 * {@link dev.spike.core.RemoteSpikeException} says that the shared stock gave no answer. Nothing is
 * null unless it is annotated so.
 */
@NullMarked
package dev.spike.core;

import org.jspecify.annotations.NullMarked;
