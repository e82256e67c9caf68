// One purchase, from the button to its end. What is asked for is kept, with its key, before it is
// asked: a page that is loaded anew asks again under the same key and learns what became of it.

import { keep, kept } from './kept.js';
import { ask, newKey, Refused, Unsure } from './requests.js';
import { storeNow } from './stream.js';
import { hasWord, number, onLanguage, word } from './words.js';

const LOOK_MILLIS = 5_000;
const OVERDUE_LOOK_MILLIS = 1_000;
const SAY_AT_SECONDS = [60, 30, 10];
const BUYER = 'spike.buyer';
const FINAL = ['confirmed', 'cancelled', 'expired', 'lost'];

function element(id) {
  return document.getElementById(id);
}

function clockTime(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
}

export class Purchase {
  /**
   * @param sale its id
   * @param say announces a sentence
   */
  constructor(sale, say) {
    this.path = `v1/sales/${encodeURIComponent(sale)}/reservations`;
    this.place = `spike.purchase.${sale}`;
    this.say = say;
    this.buyable = true;
    this.busy = null;
    this.problem = null;
    this.kept = JSON.parse(kept(this.place) ?? 'null');
    element('buyer').value = kept(BUYER) ?? `guest-${newKey().slice(0, 5)}`;
    element('form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.reserve();
    });
    element('fewer').addEventListener('click', () => this.step(-1));
    element('more').addEventListener('click', () => this.step(1));
    element('confirm').addEventListener('click', () => this.settle('POST', '/confirm'));
    element('extend').addEventListener('click', () => this.settle('POST', '/extend'));
    element('cancel').addEventListener('click', () => this.settle('DELETE', ''));
    element('again').addEventListener('click', () => this.askAgain());
    element('done').addEventListener('click', () => this.forget());
    onLanguage(() => this.show());
    setInterval(() => this.countDown(), 250);
    if (this.kept && !this.kept.id) {
      this.askAgain();
    } else if (this.kept) {
      this.look();
    }
  }

  /** What a report says about who may buy how many. */
  saw(tick) {
    const most = tick.perBuyer > 0 ? tick.perBuyer : Math.max(1, tick.total);
    element('quantity').max = String(most);
    const soldOut = tick.available === 0 && tick.reserved === 0;
    const buyable = tick.phase === 'open' && !soldOut;
    if (buyable !== this.buyable) {
      this.buyable = buyable;
      this.show();
    }
  }

  step(by) {
    const input = element('quantity');
    const most = Number(input.max) || 1;
    input.value = String(Math.min(most, Math.max(1, (Number(input.value) || 1) + by)));
  }

  keep(changes) {
    this.kept = { ...this.kept, ...changes };
    keep(this.place, JSON.stringify(this.kept));
  }

  reserve() {
    const buyer = element('buyer').value.trim();
    const quantity = Number(element('quantity').value);
    if (this.busy || !this.buyable) {
      return;
    }
    if (!buyer || !Number.isInteger(quantity) || quantity < 1) {
      this.problem = 'bad-request';
      this.show();
      element(buyer ? 'quantity' : 'buyer').focus();
      return;
    }
    keep(BUYER, buyer);
    this.keep({ key: newKey(), buyer, quantity, status: 'asking' });
    this.askAgain();
  }

  /** Under the key that is kept, for the first time or again. */
  async askAgain() {
    const { key, buyer, quantity } = this.kept;
    await this.during('asking', async () => {
      this.got(await ask('POST', this.path, {
        headers: { 'Idempotency-Key': key, 'Content-Type': 'application/json' },
        body: JSON.stringify({ buyer, quantity }),
        onAgain: () => this.showBusy('asking-again'),
      }));
    });
    element(this.kept ? 'ticket-title' : 'reserve').focus();
  }

  async settle(method, step) {
    await this.during('settling', async () => {
      this.got(await ask(method, `${this.path}/${this.kept.id}${step}`));
    });
    element('ticket-title').focus();
  }

  /** Does one thing at a time, and shows what came of it. */
  async during(busy, action) {
    this.problem = null;
    this.showBusy(busy);
    try {
      await action();
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.busy = null;
      this.show();
    }
  }

  got(reservation) {
    const isNewTime = reservation.expiresAt !== this.kept.expiresAt;
    this.keep({
      ...reservation,
      order: reservation.order ?? this.kept.order,
      heldMillis: isNewTime ? Date.parse(reservation.expiresAt) - storeNow() : this.kept.heldMillis,
    });
    this.lookAfter(reservation.status === 'reserved' ? LOOK_MILLIS : OVERDUE_LOOK_MILLIS);
  }

  failed(failure) {
    if (failure instanceof Unsure) {
      this.problem = this.kept.id ? 'unknown' : null;
      this.keep(this.kept.id ? {} : { status: 'unsure' });
    } else if (failure instanceof Refused) {
      this.refused(failure.type);
    } else {
      throw failure;
    }
  }

  refused(type) {
    const ended = type.startsWith('already-') ? type.slice('already-'.length) : null;
    if (ended) {
      this.keep({ status: ended });
      this.lookAfter(OVERDUE_LOOK_MILLIS);
    } else if (type === 'not-found' && this.kept.id) {
      this.keep({ status: 'lost' });
    } else {
      this.problem = hasWord(`problem.${type}`) ? type : 'internal';
      if (!this.kept.id) {
        this.forget();
      }
    }
  }

  lookAfter(millis) {
    clearTimeout(this.nextLook);
    this.nextLook = setTimeout(() => this.look(), millis);
  }

  /** Asks how far it is; until it has ended and its order is written. */
  async look() {
    const { id } = this.kept ?? {};
    if (!id || this.busy) {
      return;
    }
    try {
      const response = await fetch(`${this.path}/${id}`, { cache: 'no-store' });
      if (this.kept?.id !== id || this.busy) {
        return;
      }
      if (response.ok) {
        const found = await response.json();
        this.keep({ ...found, order: found.order });
      } else if (response.status === 404) {
        this.keep({ status: 'lost' });
      }
    } catch (cut) {
      // The next look may see it.
    }
    const ended = FINAL.includes(this.kept.status);
    if (!ended || this.kept.order === 'pending') {
      const overdue = ended || storeNow() > Date.parse(this.kept.expiresAt);
      this.lookAfter(overdue ? OVERDUE_LOOK_MILLIS : LOOK_MILLIS);
    }
    this.show();
  }

  /** Takes the ticket away, and begins anew. */
  forget() {
    clearTimeout(this.nextLook);
    this.kept = null;
    keep(this.place, null);
    this.show();
    element('reserve').focus();
  }

  showBusy(busy) {
    this.busy = busy;
    this.show();
  }

  show() {
    const asking = this.busy?.startsWith('asking');
    const isTicket = this.kept && this.kept.status !== 'asking';
    element('form').hidden = Boolean(isTicket);
    element('ticket').hidden = !isTicket;
    element('problem').textContent = this.problem ? word(`problem.${this.problem}`) : '';
    const button = element('reserve');
    button.setAttribute('aria-disabled', String(Boolean(this.busy) || !this.buyable));
    button.firstElementChild.textContent = word(asking ? `buy.${this.busy}` : 'buy.reserve');
    button.classList.toggle('busy', Boolean(asking));
    if (isTicket) {
      this.showTicket();
    }
  }

  showTicket() {
    const { status, quantity, buyer, key, order } = this.kept;
    const left = this.secondsLeft();
    const shown = status === 'reserved' && left <= 0 ? 'checking' : status;
    const ticket = element('ticket');
    if (ticket.dataset.status !== shown) {
      ticket.dataset.status = shown;
      this.saidAt = left;
    }
    element('ticket-title').textContent = word(`ticket.${shown}`);
    element('ticket-text').textContent = word(`ticket.${shown}.text`);
    element('ticket-quantity').textContent = number(quantity);
    element('ticket-buyer').textContent = buyer;
    element('ticket-key').textContent = key;
    element('ticket-order').hidden = !order;
    element('ticket-order-state').textContent = order ? word(`order.${order}`) : '';
    const buttons = {
      confirm: status === 'reserved',
      extend: status === 'reserved',
      cancel: status === 'reserved',
      again: status === 'unsure',
      done: FINAL.includes(status) || status === 'unsure',
    };
    for (const [id, isShown] of Object.entries(buttons)) {
      element(id).hidden = !isShown;
      element(id).disabled = Boolean(this.busy) || (shown === 'checking' && id !== 'done');
    }
    element('done').textContent = word(status === 'unsure' ? 'buy.give-up' : 'buy.another');
    this.showTime(shown, left);
  }

  secondsLeft() {
    return Math.ceil((Date.parse(this.kept.expiresAt) - storeNow()) / 1000);
  }

  showTime(shown, left) {
    element('countdown').hidden = shown !== 'reserved';
    if (shown === 'reserved') {
      const part = (1000 * left) / Math.max(1000, this.kept.heldMillis);
      element('time').textContent = clockTime(left);
      element('track').style.width = `${Math.min(100, Math.max(0, 100 * part))}%`;
      element('countdown').dataset.short = String(left <= 30);
    }
  }

  countDown() {
    if (this.kept?.status !== 'reserved') {
      return;
    }
    const left = this.secondsLeft();
    const crossed = SAY_AT_SECONDS.find((at) => this.saidAt > at && left <= at && left > 0);
    if (crossed) {
      this.say(word('say.time', { time: clockTime(crossed) }));
    }
    this.saidAt = left;
    this.showTicket();
    if (left <= 0 && !this.overdue) {
      this.lookAfter(0);
    }
    this.overdue = left <= 0;
  }
}
