// Which language the page speaks, and its sentences, numbers and times in it.

import { EN } from './english.js';
import { ZH } from './chinese.js';
import { keep, kept } from './kept.js';

const LANGUAGES = { en: EN, zh: ZH };
const PLACE = 'spike.language';
const listeners = [];
let language = chosen() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');

function chosen() {
  const value = kept(PLACE);
  return value in LANGUAGES ? value : null;
}

/** The sentence of a name, with {names} replaced by values. */
export function word(name, values = {}) {
  const text = LANGUAGES[language][name];
  if (text === undefined) {
    throw new Error(`no word ${name}`);
  }
  return text.replace(/\{(\w+)\}/g, (all, key) => values[key]);
}

/** Whether there is a sentence of this name. */
export function hasWord(name) {
  return name in EN;
}

export function number(n) {
  return new Intl.NumberFormat(language).format(n);
}

/** A time of day, with seconds. */
export function timeOfDay(millis) {
  return new Intl.DateTimeFormat(language, {
    hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  }).format(millis);
}

/** A time of day, and its day unless it is today. */
export function moment(millis) {
  return new Date(millis).toDateString() === new Date().toDateString()
      ? timeOfDay(millis)
      : new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(millis);
}

/** Calls it now, and each time that the language has changed. */
export function onLanguage(listener) {
  listeners.push(listener);
  listener();
}

function show() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-word]')) {
    element.textContent = word(element.dataset.word);
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', word(element.dataset.label));
  }
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === language));
  }
}

/** Lets the buttons of the page choose the language. */
export function startLanguages() {
  for (const button of document.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => {
      language = button.dataset.language;
      keep(PLACE, language);
      show();
      listeners.forEach((listener) => listener());
    });
  }
  show();
}
