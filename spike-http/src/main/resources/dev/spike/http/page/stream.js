// The events of a sale. fetch rather than EventSource, which hides heartbeats, statuses and
// Retry-After, and so could not tell whether the connection lives.

const SILENCE_MILLIS = 25_000;
const MOST_PAUSE_MILLIS = 15_000;

/** The store's clock is ahead of ours by at least this, as far as any report has shown. */
let ahead = -Infinity;

function ours() {
  return performance.timeOrigin + performance.now();
}

/** The store's clock now, in milliseconds of the epoch; ours as long as nothing is known. */
export function storeNow() {
  return ours() + (ahead === -Infinity ? 0 : ahead);
}

/** A report was made at this moment of the store's clock, or earlier than now in any case. */
function sawStoreAt(asOf) {
  ahead = Math.max(ahead, Date.parse(asOf) - ours());
}

function pause(millis, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
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
   * @param onState gets connecting, live, reconnecting, crowded, paused or absent
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
    let watchdog;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => ending.abort(), SILENCE_MILLIS);
    };
    const hidden = () => document.hidden && ending.abort();
    document.addEventListener('visibilitychange', hidden);
    alive();
    try {
      const response = await fetch(`${this.path}/events`, {
        cache: 'no-store', headers: { Accept: 'text/event-stream' }, signal: ending.signal,
      });
      if (!response.ok) {
        return await this.refused(response);
      }
      for await (const { data, retry } of events(response.body, alive)) {
        this.failures = 0;
        this.onState('live');
        if (retry) {
          this.retryMillis = Number(retry);
        }
        if (data) {
          this.got(JSON.parse(data));
        }
      }
    } catch (ended) {
      // Aborted, or cut: it is made anew.
    } finally {
      clearTimeout(watchdog);
      document.removeEventListener('visibilitychange', hidden);
    }
    if (document.hidden) {
      return 0;
    }
    this.onState('reconnecting');
    this.failures++;
    return Math.min(MOST_PAUSE_MILLIS, this.retryMillis * 2 ** Math.min(this.failures - 1, 4));
  }

  async refused(response) {
    const wait = 1000 * Number(response.headers.get('Retry-After') ?? 10);
    if (response.status === 404 || response.status === 400) {
      this.onState('absent');
    } else if (response.status === 503) {
      const levels = await fetch(this.path, { cache: 'no-store' });
      if (levels.ok) {
        this.got({ phase: 'open', ...(await levels.json()) });
        this.onState('crowded');
      } else {
        this.onState('reconnecting');
      }
    } else {
      this.onState('reconnecting');
    }
    return Math.max(1_000, wait);
  }

  got(tick) {
    sawStoreAt(tick.asOf);
    this.onTick(tick);
  }
}
