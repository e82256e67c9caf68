// What the page asks of the server, again and again while it is not known whether it was done.

const MOST_TRIES = 8;
const MOST_MILLIS = 30_000;
const PATIENCE_MILLIS = 5_000;

/** The server said no: a problem of RFC 9457. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.type);
    this.type = problem.type.replace('urn:spike:problem:', '');
  }
}

/** No answer came; it may have been done. */
export class Unsure extends Error {}

/** A key that nobody can guess: whoever knows it may end the reservation. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    if (typeof problem.type === 'string') {
      return problem;
    }
  } catch (notJson) {
    // A proxy's, say.
  }
  return { type: response.status < 500 ? 'bad-request' : 'unknown' };
}

function waitMillis(response, problem, attempt) {
  const seconds = Number(response?.headers.get('Retry-After') ?? NaN);
  const told = problem?.retryAfterMillis ?? 1000 * seconds;
  const wait = Number.isFinite(told) ? told : 500 * 2 ** attempt;
  return Math.min(wait, MOST_MILLIS) * (1 + Math.random() / 4);
}

/**
 * Asks, and repeats what may be repeated: everything here is either idempotent or carries a key.
 *
 * @param onAgain is called before each repeat
 * @throws Refused if the server said no, or certainly did nothing
 * @throws Unsure if nobody knows
 */
export async function ask(method, path, { headers = {}, body, onAgain = () => {} } = {}) {
  const end = performance.now() + MOST_MILLIS;
  let unsure = false;
  let last = { type: 'unavailable' };
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    let response = null;
    let problem = null;
    try {
      response = await fetch(path, {
        method, headers, body, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MILLIS),
      });
      if (response.ok) {
        return await response.json();
      }
      problem = await problemOf(response);
      last = problem;
    } catch (cut) {
      unsure = true;
    }
    if (response && response.status < 500) {
      throw new Refused(problem);
    }
    unsure ||= !problem?.type.endsWith('unavailable');
    const wait = waitMillis(response, problem, attempt);
    if (performance.now() + wait > end) {
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    onAgain();
  }
  throw unsure ? new Unsure() : new Refused(last);
}
