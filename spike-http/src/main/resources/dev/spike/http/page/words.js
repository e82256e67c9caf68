// Every sentence of the page, in both languages, and which of them is shown.

import { keep, kept } from './kept.js';

const EN = {
  'language': 'Language',
  'title': '{sale}: {n} left · Spike',
  'skip': 'Skip to buying',
  'time': 'Time',
  'available': 'Left',
  'reserved': 'Held',
  'sold': 'Sold',
  'left.of': 'of {total} left',
  'bar': '{available} left, {reserved} held, {sold} sold, of {total}',
  'as-of': 'As of {time}, by the clock of the store',

  'connection.connecting': 'Connecting',
  'connection.live': 'Live',
  'connection.reconnecting': 'Reconnecting',
  'connection.crowded': 'Every few seconds',
  'connection.paused': 'Paused',

  'phase.open': 'On sale',
  'phase.not_yet_open': 'Opens at {time}',
  'phase.closed': 'Closed',
  'phase.absent': 'There is no such sale',
  'phase.stopped': 'Not sold here',
  'phase.sold-out': 'Sold out',
  'phase.all-reserved': 'All held: some may come back',
  'phase.connecting': '',

  'note.crowded': 'Many are watching. These figures come every few seconds; buying is as fast as ever.',
  'note.reconnecting': 'The connection is lost. These figures are from before; trying again.',
  'note.stale': 'The store does not answer. These figures are those of {time}.',

  'chart.title': 'As you watch',
  'chart.label': 'In {seconds} seconds, units left went from {from} to {to}; {rate} arrivals a second now. The table below has the figures.',
  'chart.table': 'As a table',
  'traffic.title': 'The crowd at this node',
  'traffic.arrivals': 'Arrivals a second',
  'traffic.refusals': 'Refusals a second',
  'traffic.here': 'Reservations made here',
  'traffic.others': 'By other nodes, at least',

  'say.left': '{n} of {total} units left.',

  'buy.title': 'Get yours',
  'buy.name': 'Your name',
  'buy.name.short': 'Name',
  'buy.quantity': 'How many',
  'buy.quantity.short': 'Units',
  'buy.fewer': 'One fewer',
  'buy.more': 'One more',
  'buy.reserve': 'Buy',
  'buy.hint': 'It is then held for you for a while. This is a demonstration: paying costs nothing.',
  'buy.asking': 'Asking',
  'buy.asking-again': 'Asking again',
  'buy.confirm': 'Pay',
  'buy.extend': 'More time',
  'buy.cancel': 'Cancel',
  'buy.ask-again': 'Ask again',
  'buy.another': 'Buy another',
  'buy.give-up': 'Leave it',
  'buy.key': 'Key',
  'order': 'Order',
  'order.pending': 'being written',
  'order.written': 'written',

  'ticket.reserved': 'Held for you',
  'ticket.reserved.text': 'Pay before the time is up, or it goes back on sale.',
  'ticket.checking': 'Time is up',
  'ticket.checking.text': 'Asking whether it is still yours.',
  'ticket.confirmed': 'Yours',
  'ticket.confirmed.text': 'Paid. Nobody can take it from you.',
  'ticket.cancelled': 'Cancelled',
  'ticket.cancelled.text': 'It is back on sale.',
  'ticket.expired': 'Expired',
  'ticket.expired.text': 'The time ran out, and it went back on sale.',
  'ticket.unsure': 'Not known yet',
  'ticket.unsure.text': 'No answer came. You may have it or not: ask again, and you will be told. It never counts twice.',
  'ticket.lost': 'Not found',
  'ticket.lost.text': 'The store does not know this reservation.',
  'ticket.left': 'left to pay',
  'say.time': '{time} left to pay.',

  'problem.sold-out': 'There are not so many left.',
  'problem.all-reserved': 'All are held by others just now. Some may come back: try again soon.',
  'problem.limit-reached': 'That is more than one buyer may have.',
  'problem.not-open': 'The sale is not open yet.',
  'problem.closed': 'The sale is closed.',
  'problem.already-confirmed': 'It was paid before.',
  'problem.already-cancelled': 'It was cancelled before.',
  'problem.already-expired': 'Its time ran out before.',
  'problem.hold-too-long': 'It cannot be held any longer. Pay or let it go.',
  'problem.key-reused': 'This key was used for another purchase. Buy again.',
  'problem.key-missing': 'The request was not complete. Buy again.',
  'problem.bad-request': 'Please check your name (1 to 128 bytes) and the number of units.',
  'problem.too-large': 'That was too long. Please shorten your name.',
  'problem.unsupported-media-type': 'The server did not understand the request.',
  'problem.not-found': 'The server does not know it.',
  'problem.method-not-allowed': 'The server does not allow this.',
  'problem.unauthorized': 'The server does not allow you to do this.',
  'problem.other-rules': 'The sale has other rules.',
  'problem.operation-reused': 'This was done before, in another way.',
  'problem.internal': 'The server failed. Please try again later.',
  'problem.unavailable': 'The server is too busy. Nothing was bought: try again.',
  'problem.unknown': 'No answer came. Ask again: it never counts twice.',
};

const ZH = {
  'language': '语言',
  'title': '{sale}：剩余 {n} · Spike',
  'skip': '跳到购买',
  'time': '时间',
  'available': '剩余',
  'reserved': '已锁定',
  'sold': '已售',
  'left.of': '件剩余，共 {total} 件',
  'bar': '共 {total} 件：剩余 {available}，已锁定 {reserved}，已售 {sold}',
  'as-of': '数据时间 {time}，以库存服务器的时钟为准',

  'connection.connecting': '连接中',
  'connection.live': '实时',
  'connection.reconnecting': '重新连接中',
  'connection.crowded': '每隔几秒更新',
  'connection.paused': '已暂停',

  'phase.open': '抢购中',
  'phase.not_yet_open': '{time} 开售',
  'phase.closed': '已结束',
  'phase.absent': '没有这个活动',
  'phase.stopped': '此节点已停售',
  'phase.sold-out': '已售罄',
  'phase.all-reserved': '已全部锁定，可能还会放出',
  'phase.connecting': '',

  'note.crowded': '观看人数较多，数据每隔几秒更新一次；购买不受影响。',
  'note.reconnecting': '连接已断开，以下为断开前的数据，正在重试。',
  'note.stale': '库存服务器没有应答，以下为 {time} 的数据。',

  'chart.title': '实时走势',
  'chart.label': '{seconds} 秒内，剩余从 {from} 变为 {to}；目前每秒 {rate} 次请求。数据见下表。',
  'chart.table': '以表格显示',
  'traffic.title': '本节点的人流',
  'traffic.arrivals': '每秒请求',
  'traffic.refusals': '每秒拒绝',
  'traffic.here': '本节点的预订',
  'traffic.others': '其他节点，至少',

  'say.left': '共 {total} 件，剩余 {n} 件。',

  'buy.title': '立即抢购',
  'buy.name': '您的姓名',
  'buy.name.short': '姓名',
  'buy.quantity': '数量',
  'buy.quantity.short': '数量',
  'buy.fewer': '减一',
  'buy.more': '加一',
  'buy.reserve': '抢购',
  'buy.hint': '抢到后会为您锁定一段时间。这是演示，支付不会产生费用。',
  'buy.asking': '正在请求',
  'buy.asking-again': '正在重试',
  'buy.confirm': '支付',
  'buy.extend': '延长时间',
  'buy.cancel': '取消',
  'buy.ask-again': '再问一次',
  'buy.another': '再买一次',
  'buy.give-up': '放弃',
  'buy.key': '请求号',
  'order': '订单',
  'order.pending': '写入中',
  'order.written': '已写入',

  'ticket.reserved': '已为您锁定',
  'ticket.reserved.text': '请在倒计时结束前支付，否则将重新开放购买。',
  'ticket.checking': '时间到',
  'ticket.checking.text': '正在确认是否仍为您保留。',
  'ticket.confirmed': '购买成功',
  'ticket.confirmed.text': '已支付，它属于您了。',
  'ticket.cancelled': '已取消',
  'ticket.cancelled.text': '已重新开放购买。',
  'ticket.expired': '已过期',
  'ticket.expired.text': '超时未支付，已重新开放购买。',
  'ticket.unsure': '结果未知',
  'ticket.unsure.text': '没有收到应答，可能已锁定，也可能没有。请再问一次即可得知，绝不会重复购买。',
  'ticket.lost': '未找到',
  'ticket.lost.text': '库存中没有这个预订。',
  'ticket.left': '支付剩余时间',
  'say.time': '支付剩余时间 {time}。',

  'problem.sold-out': '剩余数量不足。',
  'problem.all-reserved': '目前已全部被锁定，可能还会放出，请稍后再试。',
  'problem.limit-reached': '超过每人限购数量。',
  'problem.not-open': '尚未开售。',
  'problem.closed': '活动已结束。',
  'problem.already-confirmed': '此前已支付。',
  'problem.already-cancelled': '此前已取消。',
  'problem.already-expired': '此前已过期。',
  'problem.hold-too-long': '不能再延长了，请支付或放弃。',
  'problem.key-reused': '此请求号已用于另一次购买，请重新抢购。',
  'problem.key-missing': '请求不完整，请重新抢购。',
  'problem.bad-request': '请检查姓名（1 至 128 字节）和数量。',
  'problem.too-large': '内容过长，请缩短姓名。',
  'problem.unsupported-media-type': '服务器无法识别该请求。',
  'problem.not-found': '服务器上没有找到。',
  'problem.method-not-allowed': '服务器不允许此操作。',
  'problem.unauthorized': '您没有权限。',
  'problem.other-rules': '活动规则不同。',
  'problem.operation-reused': '此前已以其他方式执行过。',
  'problem.internal': '服务器出错，请稍后再试。',
  'problem.unavailable': '服务器繁忙，没有购买成功，请重试。',
  'problem.unknown': '没有收到应答，请再问一次，绝不会重复购买。',
};

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
