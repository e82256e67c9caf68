// Arrivals and refusals a second, from counts that only grow.

/** Over how long they are reckoned, at least. */
const RATE_MILLIS = 1_000;
/** How long the last rates count when no report comes, at least. */
const KEPT_MILLIS = 3_000;

export class Rates {
  constructor() {
    this.clear();
  }

  /** What comes next is no continuation: another connection, maybe to another node. */
  clear() {
    this.seen = [];
    this.gaps = [];
  }

  /**
   * @param report of the stream, or of a look at the levels, which has no counts
   * @param at when it came, in milliseconds
   */
  saw({ node, upMillis }, at = performance.now()) {
    const last = this.seen.at(-1);
    if (!node || last?.upMillis > upMillis || last?.arrivals > node.arrivals
        || last?.refusals > node.refusals) {
      this.clear();
    }
    if (!node) {
      return;
    }
    if (this.seen.length > 0) {
      this.gaps = [...this.gaps.slice(-1), upMillis - last.upMillis];
    }
    this.seen.push({ ...node, upMillis, at });
    while (this.seen.length > 2 && this.seen[1].upMillis <= upMillis - RATE_MILLIS) {
      this.seen.shift();
    }
  }

  /** By how much two reports lie apart while something happens: a busy server makes fewer. */
  usualGap() {
    return this.gaps.length === 2 ? Math.min(...this.gaps) : 0;
  }

  /** null if they are not known. */
  now(at = performance.now()) {
    const last = this.seen.at(-1);
    if (!last) {
      return null;
    }
    if (this.seen.length === 1 || at - last.at > Math.max(KEPT_MILLIS, 2.5 * this.usualGap())) {
      return { arrivals: 0, refusals: 0 };
    }
    const [first, second] = this.seen;
    // A long gap was quiet until shortly before its end: else there had been a report.
    const longest = Math.max(RATE_MILLIS, 2 * this.usualGap());
    const began = Math.max(first.upMillis, second.upMillis - longest);
    const seconds = Math.max(RATE_MILLIS, last.upMillis - began) / 1000;
    const rate = (name) => Math.round((last[name] - first[name]) / seconds);
    return { arrivals: rate('arrivals'), refusals: rate('refusals') };
  }
}
