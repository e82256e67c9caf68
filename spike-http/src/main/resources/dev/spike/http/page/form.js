// Who wants how many, and whether there is anything to be had.

import { element, set } from './elements.js';
import { keep, kept } from './kept.js';
import { newKey } from './requests.js';
import { number, word } from './words.js';

const BUYER = 'spike.buyer';
const MOST_BUYER_BYTES = 128;
const NOTHING_TO_BUY = ['not_yet_open', 'closed', 'sold-out', 'absent', 'stopped'];

export class Form {
  /**
   * @param onBuy is called when the buyer wants to buy
   * @param onEdit is called when the buyer has changed something
   */
  constructor(onBuy, onEdit) {
    this.onEdit = onEdit;
    this.phase = 'connecting';
    element('buyer').value = kept(BUYER) ?? `guest-${newKey().slice(0, 5)}`;
    element('form').addEventListener('submit', (event) => {
      event.preventDefault();
      onBuy();
    });
    element('form').addEventListener('input', onEdit);
    element('fewer').addEventListener('click', () => this.step(-1));
    element('more').addEventListener('click', () => this.step(1));
  }

  step(by) {
    const input = element('quantity');
    const most = Number(input.max) || 1;
    input.value = String(Math.min(most, Math.max(1, (Number(input.value) || 1) + by)));
    this.onEdit();
  }

  /** Whether there may be something to buy; the server has the last word. */
  get isOpen() {
    return !NOTHING_TO_BUY.includes(this.phase);
  }

  /**
   * What a report says about who may buy how many.
   *
   * @param phase of the sale
   * @param why the same in words
   * @param perBuyer how many one may have; 0, or not known: any number
   * @param total how many there are, as far as it is known
   */
  saw(phase, why, { perBuyer = 0, total = 1 } = {}) {
    this.phase = phase;
    element('quantity').max = String(perBuyer > 0 ? perBuyer : Math.max(1, total));
    const most = perBuyer > 0 ? word('buy.most', { n: number(perBuyer) }) : '';
    set('hint', this.isOpen ? word('buy.hint') + most : why);
  }

  /** What is wanted: buyer and quantity; null if they cannot be, with onMistake told why. */
  read(onMistake) {
    const buyer = element('buyer').value.trim();
    const quantity = Number(element('quantity').value);
    const bytes = new TextEncoder().encode(buyer).length;
    const isNamed = bytes >= 1 && bytes <= MOST_BUYER_BYTES;
    if (isNamed && Number.isInteger(quantity) && quantity >= 1) {
      keep(BUYER, buyer);
      return { buyer, quantity };
    }
    onMistake(isNamed ? 'quantity' : 'name');
    element(isNamed ? 'quantity' : 'buyer').focus();
    return null;
  }

  /**
   * @param isShown rather than a ticket
   * @param busy what is under way, or null
   * @param problem what is said to be wrong, or null
   */
  show(isShown, busy, problem) {
    element('form').hidden = !isShown;
    element('buyer').setAttribute('aria-invalid', String(problem === 'name'));
    element('quantity').setAttribute('aria-invalid', String(problem === 'quantity'));
    element('reserve').setAttribute('aria-disabled', String(Boolean(busy) || !this.isOpen));
    element('reserve').classList.toggle('busy', Boolean(busy));
    set('reserve', word(isShown && busy ? `buy.${busy}` : 'buy.reserve'));
  }
}
