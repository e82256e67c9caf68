// The events of a sale. fetch rather than EventSource, which hides heartbeats, statuses and
// Retry-After, and so could not tell whether the connection lives.

import { pause, problemOf, retryAfter } from './requests.js';

/** After so long without a heartbeat, which comes every 10 s, it is slow; and then it is dead. */
const SLOW_MILLIS = 13_000;
const SILENCE_MILLIS = 25_000;
const MOST_PAUSE_MILLIS = 15_000;
const MOST_TOLD_PAUSE_MILLIS = 60_000;

/** The store's clock is ahead of ours by at least this, as far as any report has shown. */
let ahead = -Infinity;

function ours() {
  return performance.timeOrigin + performance.now();
}

/** The store's clock now, in milliseconds of the epoch; NaN as long as nothing is known. */
export function storeNow() {
  return ahead === -Infinity ? NaN : ours() + ahead;
}

/** A report was made at this moment of the store's clock, or earlier than now in any case. */
function sawStoreAt(asOf) {
  ahead = Math.max(ahead, Date.parse(asOf) - ours());
}

function whenVisible() {
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', function seen() {
      if (!document.hidden) {
        document.removeEventListener('visibilitychange', seen);
        resolve();
      }
    });
  });
}

/** Splits the text of a stream into events; each has its fields. */
async function* events(body, onBytes) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    onBytes();
    const parts = (rest + value).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const fields = {};
      for (const line of part.split('\n')) {
        const colon = line.indexOf(':');
        if (colon > 0) {
          fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
        }
      }
      yield fields;
    }
  }
}

/** Watches a sale for as long as the page lives. */
export class Stream {
  /**
   * @param sale its id
   * @param onTick gets each report
   * @param onState gets connecting, live, slow, reconnecting, crowded, paused or absent
   */
  constructor(sale, onTick, onState) {
    this.path = `v1/sales/${encodeURIComponent(sale)}`;
    this.onTick = onTick;
    this.onState = onState;
    this.retryMillis = 2_000;
    this.failures = 0;
  }

  async run() {
    this.onState('connecting');
    for (;;) {
      if (document.hidden) {
        this.onState('paused');
        await whenVisible();
      }
      const wait = await this.once();
      await pause(wait * (0.75 + Math.random() / 2));
    }
  }

  /** One connection, to its end; how many milliseconds to wait for the next. */
  async once() {
    const ending = new AbortController();
    const end = () => ending.abort();
    const hidden = () => document.hidden && end();
    let slow;
    let dead;
    const alive = () => {
      clearTimeout(slow);
      clearTimeout(dead);
      slow = setTimeout(() => this.onState('slow'), SLOW_MILLIS);
      dead = setTimeout(end, SILENCE_MILLIS);
    };
    document.addEventListener('visibilitychange', hidden);
    addEventListener('offline', end);
    dead = setTimeout(end, SILENCE_MILLIS);
    try {
      const response = await fetch(`${this.path}/events`, {
        cache: 'no-store', headers: { Accept: 'text/event-stream' }, signal: ending.signal,
      });
      if (!response.ok) {
        return await this.refused(response, ending.signal);
      }
      for await (const { data, retry } of events(response.body, alive)) {
        this.failures = 0;
        this.onState('live');
        this.retryMillis = Number(retry) || this.retryMillis;
        if (data) {
          this.got(JSON.parse(data));
        }
      }
    } catch (ended) {
      // Aborted, cut, or garbled: it is made anew.
    } finally {
      // What was not read to its end would keep its connection, and a place to watch.
      end();
      clearTimeout(slow);
      clearTimeout(dead);
      document.removeEventListener('visibilitychange', hidden);
      removeEventListener('offline', end);
    }
    this.onState('reconnecting');
    if (document.hidden) {
      return 0;
    }
    this.failures++;
    return Math.min(MOST_PAUSE_MILLIS, this.retryMillis * 2 ** Math.min(this.failures - 1, 4));
  }

  async refused(response, signal) {
    const { type } = await problemOf(response) ?? {};
    const levels = type === 'unavailable' && await fetch(this.path, { cache: 'no-store', signal });
    if (levels.ok) {
      this.got(await levels.json());
      this.onState('crowded');
    } else {
      this.onState(type === 'not-found' || type === 'bad-request' ? 'absent' : 'reconnecting');
    }
    return Math.min(MOST_TOLD_PAUSE_MILLIS, Math.max(1_000, retryAfter(response, 10_000)));
  }

  got(tick) {
    sawStoreAt(tick.asOf);
    try {
      this.onTick(tick);
    } catch (failure) {
      // Ours, and no reason to end the connection.
      reportError(failure);
    }
  }
}
