// What the browser keeps for this page; nothing, where it keeps nothing.

const PURCHASE = 'spike.purchase.';

export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch (forbidden) {
    return null;
  }
}

/** Keeps a text; null: forgets it. */
export function keep(name, text) {
  try {
    if (text === null) {
      localStorage.removeItem(name);
    } else {
      localStorage.setItem(name, text);
    }
  } catch (forbidden) {
    // It lasts as long as the page, then.
  }
}

/** Each purchase has a place of its own, so that no tab writes over what another bought. */
export function keepPurchase(purchase) {
  keep(PURCHASE + purchase.key, JSON.stringify(purchase));
}

export function forgetPurchase({ key }) {
  keep(PURCHASE + key, null);
}

/** A purchase as it was kept; null if that is none. */
function purchaseOf(text) {
  try {
    const { sale, key, buyer, quantity, status } = JSON.parse(text);
    return sale && key && buyer && quantity && status ? JSON.parse(text) : null;
  } catch (notJson) {
    return null;
  }
}

/** All of a sale, the newest first. */
export function keptPurchases(sale) {
  let names = [];
  try {
    names = Object.keys(localStorage);
  } catch (forbidden) {
    // There are none.
  }
  return names.filter((name) => name.startsWith(PURCHASE))
      .map((name) => purchaseOf(kept(name)))
      .filter((purchase) => purchase?.sale === sale)
      .sort((one, other) => other.since - one.since);
}

/** Calls it with a key, and what another tab keeps under it from now on; null: nothing. */
export function onPurchaseElsewhere(listener) {
  addEventListener('storage', ({ key, newValue }) => {
    if (key?.startsWith(PURCHASE)) {
      listener(key.slice(PURCHASE.length), purchaseOf(newValue));
    }
  });
}
