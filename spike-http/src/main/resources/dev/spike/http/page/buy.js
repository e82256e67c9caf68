// One purchase, from the button to its end. What is asked for is kept, with its key, before it is
// asked: a page that is loaded anew asks again under the same key and learns what became of it.

import { element, set } from './elements.js';
import { Form } from './form.js';
import { forgetPurchase, keepPurchase, keptPurchases, onPurchaseElsewhere } from './kept.js';
import { ask, lookUp, newKey, Refused, Unsure } from './requests.js';
import { storeNow } from './stream.js';
import { isFinal, showOthers, shownStatus, Ticket } from './ticket.js';
import { hasWord, onLanguage, word } from './words.js';

const LOOK_MILLIS = 5_000;
const SOON_MILLIS = 1_000;

/** Calls it when a button is pressed that is not disabled; disabled for real, it lost the focus. */
function onPress(id, action) {
  element(id).addEventListener('click', () => {
    if (element(id).getAttribute('aria-disabled') !== 'true') {
      action();
    }
  });
}

export class Purchase {
  /** @param sale its id */
  constructor(sale) {
    this.sale = sale;
    this.path = `v1/sales/${encodeURIComponent(sale)}/reservations`;
    this.ticket = new Ticket();
    this.form = new Form(() => this.reserve(), () => this.edited());
    this.busy = null;
    this.problem = null;
    /** Raised with whatever makes the answer to an earlier look old. */
    this.turn = 0;
    this.kept = null;
    onPress('confirm', () => this.settle('confirm', 'POST', '/confirm'));
    onPress('extend', () => this.settle('extend', 'POST', '/extend'));
    onPress('cancel', () => this.settle('cancel', 'DELETE', ''));
    onPress('again', () => this.askFor('again'));
    onPress('done', () => this.forget());
    onLanguage(() => this.show());
    onPurchaseElsewhere((key, purchase) => this.sawElsewhere(key, purchase));
    setInterval(() => this.countDown(), 250);
    const all = keptPurchases(sale);
    this.take(all.find((purchase) => !isFinal(purchase)) ?? all[0] ?? null);
  }

  /** What a report says about who may buy how many: see the form. */
  saw(phase, why, tick) {
    const isOther = phase !== this.form.phase;
    this.form.saw(phase, why, tick);
    if (isOther) {
      this.problem = this.kept ? this.problem : null;
      this.show();
    }
  }

  /** The server is there again: now it can tell what became of a purchase. */
  back() {
    if (this.kept?.status === 'unsure' && !this.busy) {
      this.askFor('again');
    }
  }

  edited() {
    if (this.problem) {
      this.problem = null;
      this.show();
    }
  }

  keep(changes) {
    if (changes.status && changes.status !== this.kept?.status) {
      this.problem = null;
    }
    this.kept = { ...this.kept, ...changes };
    keepPurchase(this.kept);
  }

  reserve() {
    if (this.busy || this.kept || !this.form.isOpen) {
      return;
    }
    const wanted = this.form.read((problem) => {
      this.problem = problem;
      this.show();
    });
    if (wanted) {
      this.keep({
        sale: this.sale, key: newKey(), ...wanted, status: 'asking', since: Date.now(),
      });
      this.askFor('reserve', { unsure: false });
    }
  }

  /** Under the key that is kept; unless it is new, it may have been bought already. */
  async askFor(pressed, { unsure = true } = {}) {
    const { key, buyer, quantity } = this.kept;
    await this.during('asking', pressed, async () => {
      this.got(await ask('POST', this.path, {
        headers: { 'Idempotency-Key': key, 'Content-Type': 'application/json' },
        body: JSON.stringify({ buyer, quantity }),
        unsure,
        onAgain: () => this.showBusy('asking-again'),
      }));
    });
  }

  async settle(pressed, method, step) {
    await this.during('settling', pressed, async () => {
      this.got(await ask(method, `${this.path}/${this.kept.id}${step}`, {
        unsure: false,
        onAgain: () => this.showBusy('asking-again'),
      }));
    });
  }

  /** Does one thing at a time, and shows what came of it; and looks whether it stays so. */
  async during(busy, pressed, action) {
    this.turn++;
    this.problem = null;
    this.pressed = pressed;
    this.showBusy(busy);
    try {
      await action();
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.busy = null;
      this.show();
      this.lookAfter(SOON_MILLIS);
    }
  }

  got(reservation) {
    const { expiresAt = this.kept.expiresAt, order } = reservation;
    const heldMillis = expiresAt === this.kept.expiresAt
        ? this.kept.heldMillis
        : Date.parse(expiresAt) - storeNow();
    this.keep({ ...reservation, order, heldMillis });
  }

  failed(failure) {
    if (failure instanceof Refused) {
      this.refused(failure.type);
      return;
    }
    this.keep(this.kept.id ? {} : { status: 'unsure' });
    this.problem = this.kept.id ? 'unknown' : null;
    if (!(failure instanceof Unsure)) {
      throw failure;
    }
  }

  refused(type) {
    const known = hasWord(`problem.${type}`) ? type : 'internal';
    if (type.startsWith('already-')) {
      this.keep({ status: type.slice('already-'.length) });
    } else if (!this.kept.id) {
      this.forget();
      this.problem = known;
    } else if (type === 'not-found') {
      this.keep({ status: 'lost' });
    } else {
      this.problem = type === 'unavailable' ? 'busy' : known;
    }
  }

  lookAfter(millis) {
    clearTimeout(this.nextLook);
    this.nextLook = setTimeout(() => this.look(), millis);
  }

  /** Asks how far it is; until it has ended and its order is written. */
  async look() {
    if (!this.kept?.id || this.busy) {
      return;
    }
    const turn = ++this.turn;
    const found = await lookUp(`${this.path}/${this.kept.id}`);
    if (turn !== this.turn) {
      return;
    }
    if (found) {
      this.got(found);
      this.show({ isNews: true });
    }
    const ended = isFinal(this.kept);
    if (!ended || this.kept.order === 'pending') {
      const isSoon = ended || !found || shownStatus(this.kept) === 'checking';
      this.lookAfter(isSoon ? SOON_MILLIS : LOOK_MILLIS);
    }
  }

  /** Takes the ticket away, and begins anew. */
  forget() {
    forgetPurchase(this.kept);
    this.take(null);
  }

  /** Goes on with a purchase, or with none. */
  take(purchase) {
    this.turn++;
    clearTimeout(this.nextLook);
    this.kept = purchase;
    this.problem = null;
    this.show();
    if (purchase?.id) {
      this.look();
    } else if (purchase) {
      this.askFor('again');
    }
  }

  /** Another tab went on with a purchase, or took it away. */
  sawElsewhere(key, purchase) {
    if (key !== this.kept?.key || this.busy) {
      this.showOthers();
    } else if (purchase) {
      this.turn++;
      this.problem = null;
      this.kept = purchase;
      this.show({ isNews: true });
      this.lookAfter(SOON_MILLIS);
    } else {
      this.take(null);
    }
  }

  showOthers() {
    const others = keptPurchases(this.sale).filter(({ key }) => key !== this.kept?.key);
    showOthers(others, (purchase) => !this.busy && this.take(purchase));
  }

  showBusy(busy) {
    this.busy = busy;
    this.show();
  }

  /** @param isNews whether the buyer did nothing for it */
  show({ isNews = false } = {}) {
    const had = document.activeElement;
    const isTicket = this.kept && this.kept.status !== 'asking';
    set('problem', this.problem ? word(`problem.${this.problem}`) : '');
    this.form.show(!isTicket, this.busy, this.problem);
    if (isTicket) {
      this.ticket.show(this.kept, { busy: this.busy, pressed: this.pressed, isNews });
    } else {
      this.ticket.hide();
    }
    this.showOthers();
    // What had the focus has gone: what has come in its place gets it.
    if (element('buy').contains(had) && had.closest('[hidden]')) {
      element(isTicket ? 'ticket-title' : 'reserve').focus();
    }
  }

  countDown() {
    if (this.kept?.status !== 'reserved') {
      return;
    }
    if (this.ticket.shown === shownStatus(this.kept)) {
      this.ticket.showTime(this.kept);
    } else {
      this.show({ isNews: true });
      this.lookAfter(0);
    }
  }
}
