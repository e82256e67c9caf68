// The page: shows each report of the stream, and lets the visitor buy.

import { Purchase } from './buy.js';
import { Chart } from './chart.js';
import { element, set } from './elements.js';
import { Rates } from './rates.js';
import { Stream } from './stream.js';
import {
  hasWord, moment, number, onLanguage, startLanguages, timeOfDay, word,
} from './words.js';

const SAY_EVERY_MILLIS = 10_000;
const SAY_AT_PARTS = [0.75, 0.5, 0.25, 0.1, 0.05, 0.01, 0];

const sale = new URLSearchParams(location.search).get('sale') ?? document.documentElement.dataset.sale;
let tick = null;
let connection = 'connecting';

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

function phaseText() {
  const name = `phase.${phase()}`;
  const time = tick?.opensAt ? moment(Date.parse(tick.opensAt)) : '';
  return hasWord(name) ? word(name, { time }) : '';
}

function showStatus() {
  element('connection').dataset.state = connection;
  set('connection', word(`connection.${connection}`));
  element('phase').dataset.phase = phase();
  set('phase', phaseText());
  set('note', note());
  element('note').hidden = note() === '';
  document.body.classList.toggle('old', connection === 'reconnecting' || Boolean(tick?.stale));
  // As long as nothing is heard, it may have opened, or there may be some again.
  purchase.saw(connection === 'reconnecting' ? 'unknown' : phase(), phaseText(), tick ?? {});
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
    part.hidden = parts[part.className] === 0;
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
const purchase = new Purchase(sale);
onLanguage(showLevels);

setInterval(() => {
  const known = ['live', 'slow', 'crowded'].includes(connection) ? tick : null;
  const now = known ? rates.now() : null;
  chart.add(known, now);
  set('arrivals', now ? number(now.arrivals) : '–');
  set('refusals', now ? number(now.refusals) : '–');
}, 250);

new Stream(sale, (next) => {
  const isBack = tick?.stale && !next.stale;
  announcer.saw(tick, next);
  tick = next;
  rates.saw(next);
  showLevels();
  if (isBack) {
    purchase.back();
  }
}, (state) => {
  if (state === connection) {
    return;
  }
  const isBack = state === 'live' && connection !== 'slow';
  connection = state;
  showLevels();
  if (isBack) {
    purchase.back();
  } else if (state !== 'slow' && state !== 'live') {
    rates.clear();
  }
}).run();
