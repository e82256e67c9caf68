// The elements of the page.

export function element(id) {
  return document.getElementById(id);
}

/** Changes a text only if it differs: what is selected stays so, and nothing is read out twice. */
export function set(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
}
