// The page: shows each report of the stream, and lets the visitor buy.

import { Purchase } from './buy.js';
import { Chart } from './chart.js';
import { Stream } from './stream.js';
import { moment, number, onLanguage, startLanguages, timeOfDay, word } from './words.js';

const RATE_MILLIS = 1_000;
const SAY_EVERY_MILLIS = 10_000;
const SAY_AT_PARTS = [0.75, 0.5, 0.25, 0.1, 0.05, 0.01, 0];

const sale = new URLSearchParams(location.search).get('sale') ?? document.documentElement.dataset.sale;
let tick = null;
let connection = 'connecting';

function element(id) {
  return document.getElementById(id);
}

function set(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
}

/** Reads what is said to it, one sentence at a time and not too often; the newest counts. */
class Announcer {
  constructor() {
    this.saidAt = -Infinity;
  }

  say(text) {
    clearTimeout(this.next);
    const wait = Math.max(0, this.saidAt + SAY_EVERY_MILLIS - performance.now());
    this.next = setTimeout(() => {
      this.saidAt = performance.now();
      set('announcer', text);
    }, wait);
  }

  /** Says at once how much is left when it comes down to some part. */
  saw(before, now) {
    const part = (level) => level.available / Math.max(1, level.total);
    if (before && SAY_AT_PARTS.some((at) => part(before) > at && part(now) <= at)) {
      this.say(word('say.left', { n: number(now.available), total: number(now.total) }));
    }
  }
}

/** Arrivals and refusals a second, from counts that only grow. */
class Rates {
  constructor() {
    this.seen = [];
  }

  saw({ node, upMillis }) {
    if (!node) {
      this.seen = [];
      return;
    }
    if (this.seen.at(-1)?.upMillis > upMillis) {
      this.seen = [];
    }
    this.seen.push({ ...node, upMillis, at: performance.now() });
    while (this.seen.length > 2 && this.seen[1].upMillis <= upMillis - RATE_MILLIS) {
      this.seen.shift();
    }
  }

  now() {
    const first = this.seen[0];
    const last = this.seen.at(-1);
    if (!last) {
      return null;
    }
    // No report means that nobody has come since.
    const silent = performance.now() - last.at;
    const seconds = (last.upMillis - first.upMillis + (silent > 400 ? silent : 0)) / 1000;
    const rate = (name) => (seconds > 0 ? Math.round((last[name] - first[name]) / Math.max(1, seconds)) : 0);
    return silent > 2 * RATE_MILLIS
        ? { arrivals: 0, refusals: 0 }
        : { arrivals: rate('arrivals'), refusals: rate('refusals') };
  }
}

function phase() {
  if (connection === 'absent') {
    return 'absent';
  }
  if (!tick) {
    return 'connecting';
  }
  if (tick.phase === 'open' && tick.available === 0) {
    return tick.reserved > 0 ? 'all-reserved' : 'sold-out';
  }
  return tick.phase;
}

function note() {
  if (connection === 'crowded' || connection === 'reconnecting') {
    return word(`note.${connection}`);
  }
  return tick?.stale ? word('note.stale', { time: timeOfDay(Date.parse(tick.asOf)) }) : '';
}

function showStatus() {
  const state = connection === 'absent' ? 'live' : connection;
  element('connection').dataset.state = state;
  set('connection', word(`connection.${state}`));
  element('phase').dataset.phase = phase();
  set('phase', word(`phase.${phase()}`, {
    time: tick?.opensAt ? moment(Date.parse(tick.opensAt)) : '',
  }));
  set('note', note());
  element('note').hidden = note() === '';
  document.body.classList.toggle('old', connection === 'reconnecting' || Boolean(tick?.stale));
}

function showLevels() {
  showStatus();
  if (!tick) {
    return;
  }
  const { total, available, reserved, sold, others } = tick;
  const text = {
    total: number(total), available: number(available), reserved: number(reserved), sold: number(sold),
  };
  set('available', text.available);
  set('of', word('left.of', text));
  set('level-available', text.available);
  set('level-reserved', text.reserved);
  set('level-sold', text.sold);
  const parts = { available, reserved, sold };
  for (const part of element('bar').children) {
    part.style.flexGrow = String(parts[part.className] / Math.max(1, total));
  }
  element('bar').setAttribute('aria-label', word('bar', text));
  set('here', tick.node ? number(tick.node.reservations) : '–');
  set('others', others === null || others === undefined ? '–' : number(others));
  set('as-of', word('as-of', { time: timeOfDay(Date.parse(tick.asOf)) }));
  document.title = word('title', { sale, n: text.available });
}

startLanguages();
set('sale', sale);
const announcer = new Announcer();
const rates = new Rates();
const chart = new Chart();
const purchase = new Purchase(sale, (text) => announcer.say(text));
onLanguage(showLevels);

setInterval(() => {
  const known = connection === 'live' || connection === 'crowded' ? tick : null;
  const now = known ? rates.now() : null;
  chart.add(known, now);
  set('arrivals', now ? number(now.arrivals) : '–');
  set('refusals', now ? number(now.refusals) : '–');
}, 250);

new Stream(sale, (next) => {
  announcer.saw(tick, next);
  tick = next;
  rates.saw(next);
  purchase.saw(next);
  showLevels();
}, (state) => {
  if (state !== connection) {
    connection = state;
    showLevels();
  }
}).run();
