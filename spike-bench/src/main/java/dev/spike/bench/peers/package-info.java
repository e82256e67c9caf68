/** Designs that sell from one shared stock, ours and others', each behind {@link Peer}. */
@NullMarked
package dev.spike.bench.peers;

import org.jspecify.annotations.NullMarked;
