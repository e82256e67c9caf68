// What the page asks of the server, again and again while it is not known whether it was done.

const MOST_TRIES = 8;
const MOST_MILLIS = 30_000;
const PATIENCE_MILLIS = 5_000;

/** The server said no: a problem of RFC 9457. */
export class Refused extends Error {
  constructor(type) {
    super(type);
    this.type = type;
  }
}

/** No answer came; it may have been done. */
export class Unsure extends Error {}

/** A key that nobody can guess: whoever knows it may end the reservation. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Waits; no longer than until the network is there again. */
export function pause(millis) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      resolve();
    };
    const timer = setTimeout(end, millis);
    addEventListener('online', end);
  });
}

/** What Retry-After says, in milliseconds; otherwise if it says nothing, or a date. */
export function retryAfter(response, otherwise) {
  const told = response?.headers.get('Retry-After') ?? '';
  return /^\d{1,6}$/.test(told) ? 1000 * Number(told) : otherwise;
}

/** What the server says about its no, with the type in short; null if it is not the server's. */
export async function problemOf(response) {
  try {
    const { type, retryAfterMillis } = await response.json();
    const [, short] = type.match(/^urn:spike:problem:(.*)$/);
    return { type: short, retryAfterMillis };
  } catch (notJson) {
    return null;
  }
}

/** What it comes to when a proxy says no. */
function typeOf(status) {
  if (status === 425 || status === 429) {
    return 'unavailable';
  }
  return status === 408 || status >= 500 ? 'unknown' : 'bad-request';
}

function waitMillis(response, problem, attempt) {
  const wait = problem?.retryAfterMillis ?? retryAfter(response, 500 * 2 ** attempt);
  return Math.min(wait, MOST_MILLIS) * (1 + Math.random() / 4);
}

/**
 * Asks, and repeats what may be repeated: everything here is either idempotent or carries a key.
 *
 * @param unsure whether it may have been done already, by an earlier ask
 * @param onAgain is called before each repeat
 * @throws Refused if the server said no, or certainly did nothing
 * @throws Unsure if nobody knows
 */
export async function ask(method, path, options) {
  const { headers = {}, body, onAgain } = options;
  const end = performance.now() + MOST_MILLIS;
  let { unsure } = options;
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    let response = null;
    let problem = null;
    let type = 'unknown';
    try {
      response = await fetch(path, {
        method, headers, body, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MILLIS),
      });
      if (response.ok) {
        return await response.json();
      }
      problem = await problemOf(response);
      type = problem?.type ?? typeOf(response.status);
    } catch (cut) {
      // It may have been done, as with any answer that does not tell.
    }
    const isFinal = response?.status < 500 && type !== 'unavailable' && type !== 'unknown';
    // A proxy knows nothing of what became of an earlier try.
    if (isFinal && (problem || !unsure)) {
      throw new Refused(type);
    }
    unsure ||= type !== 'unavailable';
    const wait = waitMillis(response, problem, attempt);
    if (performance.now() + wait > end) {
      break;
    }
    await pause(wait);
    onAgain();
  }
  throw unsure ? new Unsure() : new Refused('unavailable');
}

/** Looks, once, how a reservation is; null if there is no answer, or it is not the server's. */
export async function lookUp(path) {
  try {
    const response = await fetch(path, {
      cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MILLIS),
    });
    if (response.ok) {
      return await response.json();
    }
    return (await problemOf(response))?.type === 'not-found' ? { status: 'lost' } : null;
  } catch (cut) {
    return null;
  }
}
