// What the browser keeps for this page; nothing, where it keeps nothing.

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
