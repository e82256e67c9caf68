// How a purchase looks: what became of it, the time that is left, and what can be done.

import { element, set } from './elements.js';
import { storeNow } from './stream.js';
import { number, word } from './words.js';

const SAY_AT_SECONDS = [60, 30, 10];
const FINAL = ['confirmed', 'cancelled', 'expired', 'lost'];

function clockTime(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
}

/** NaN as long as it is not known. */
function secondsLeft({ expiresAt }) {
  return Math.ceil((Date.parse(expiresAt) - storeNow()) / 1000);
}

/** Whether nothing can become of a purchase any more. */
export function isFinal({ status }) {
  return FINAL.includes(status);
}

/** The name of what is said about a purchase. */
export function shownStatus(purchase) {
  if (purchase.status === 'asking') {
    return 'unsure';
  }
  const isLate = purchase.status === 'reserved' && secondsLeft(purchase) <= 0;
  return isLate ? 'checking' : purchase.status;
}

export class Ticket {
  /** What is shown now; null: nothing. */
  get shown() {
    return element('ticket').dataset.status ?? null;
  }

  hide() {
    element('ticket').hidden = true;
    delete element('ticket').dataset.status;
    set('said', '');
  }

  /**
   * @param purchase what is kept of it
   * @param busy what is under way, or null
   * @param pressed the button by which it began
   * @param isNews whether the buyer did nothing for it, and must be told of a change
   */
  show(purchase, { busy, pressed, isNews }) {
    const shown = shownStatus(purchase);
    const hasChanged = this.shown !== shown;
    element('ticket').hidden = false;
    if (hasChanged) {
      element('ticket').dataset.status = shown;
      this.saidAt = secondsLeft(purchase);
    }
    const title = word(`ticket.${shown}`);
    const text = word(`ticket.${shown}.text`);
    set('ticket-title', title);
    set('ticket-text', text);
    if (hasChanged) {
      set('said', isNews ? `${title}. ${text}` : '');
    }
    set('ticket-quantity', number(purchase.quantity));
    set('ticket-buyer', purchase.buyer);
    set('ticket-key', purchase.key);
    const { order } = purchase.status === 'confirmed' ? purchase : {};
    element('ticket-order').hidden = !order;
    set('ticket-order-state', order ? word(`order.${order}`) : '');
    this.showButtons(shown, busy, pressed);
    this.showTime(purchase);
  }

  showButtons(shown, busy, pressed) {
    const isHeld = shown === 'reserved' || shown === 'checking';
    const isUnsure = shown === 'unsure';
    const buttons = {
      confirm: [isHeld, 'buy.confirm'],
      extend: [isHeld, 'buy.extend'],
      cancel: [isHeld, 'buy.cancel'],
      again: [isUnsure, 'buy.ask-again'],
      done: [!isHeld, isUnsure ? 'buy.give-up' : 'buy.another'],
    };
    for (const [id, [isShown, name]] of Object.entries(buttons)) {
      const isPressed = Boolean(busy) && pressed === id;
      element(id).hidden = !isShown;
      element(id).setAttribute('aria-disabled', String(Boolean(busy) || shown === 'checking'));
      element(id).classList.toggle('busy', isPressed);
      set(id, word(isPressed && busy === 'asking-again' ? 'buy.asking-again' : name));
    }
  }

  /** Shows the time that is left, and says it when it becomes short, or longer. */
  showTime(purchase) {
    const left = secondsLeft(purchase);
    const isShown = this.shown === 'reserved' && left > 0;
    element('countdown').hidden = !isShown;
    if (!isShown) {
      return;
    }
    const part = (1000 * left) / Math.max(1000, purchase.heldMillis);
    set('time', clockTime(left));
    element('track').style.width = `${Math.min(100, 100 * part)}%`;
    element('countdown').dataset.short = String(left <= 30);
    const isShort = SAY_AT_SECONDS.some((at) => this.saidAt > at && left <= at);
    if (isShort || left > this.saidAt + 1) {
      set('said', word('say.time', { time: clockTime(left) }));
    }
    this.saidAt = left;
  }
}

/** Shows the other purchases of the sale, each as a button that goes on with it. */
export function showOthers(purchases, onChosen) {
  const texts = purchases.map((purchase) => [
    word(`ticket.${shownStatus(purchase)}`), number(purchase.quantity), purchase.buyer,
  ].join(' · '));
  element('tickets').hidden = purchases.length === 0;
  const list = element('tickets-list');
  purchases.forEach((purchase, i) => {
    const button = list.children[i]?.firstElementChild ?? newButton(list);
    button.onclick = () => onChosen(purchase);
    if (button.textContent !== texts[i]) {
      button.textContent = texts[i];
    }
  });
  while (list.children.length > purchases.length) {
    list.lastElementChild.remove();
  }
}

function newButton(list) {
  const item = list.appendChild(document.createElement('li'));
  const button = item.appendChild(document.createElement('button'));
  button.type = 'button';
  return button;
}
