// The last minutes as a picture, and the same as a table.

import { element } from './elements.js';
import { number, onLanguage, timeOfDay, word } from './words.js';

const WINDOW_SECONDS = 120;
const LEAST_SECONDS = 20;
const SAMPLES_A_SECOND = 4;
const ROW_SECONDS = 5;
const ROWS = 24;

const still = matchMedia('(prefers-reduced-motion: reduce)');
const dark = matchMedia('(prefers-color-scheme: dark)');

function compact(value) {
  return new Intl.NumberFormat(document.documentElement.lang, { notation: 'compact' }).format(value);
}

export class Chart {
  constructor() {
    /** Seconds, units left, units held, arrivals and refusals a second; null where not known. */
    this.columns = [[], [], [], [], []];
    this.rows = [];
    this.drawn = 0;
    this.redo = () => this.build();
    dark.addEventListener('change', this.redo);
    onLanguage(this.redo);
    new ResizeObserver(() => this.resize()).observe(element('chart'));
    element('table').addEventListener('toggle', () => this.showRows());
  }

  /**
   * Adds what is so now; four times a second.
   *
   * @param tick the last report; null while it is not known what is so
   * @param rates arrivals and refusals a second; null if not known
   */
  add(tick, rates) {
    const now = Date.now() / 1000;
    const values = tick
        ? [tick.available, tick.reserved, rates?.arrivals ?? null, rates?.refusals ?? null]
        : [null, null, null, null];
    this.columns[0].push(now);
    values.forEach((value, i) => this.columns[i + 1].push(value));
    if (this.columns[0].length > WINDOW_SECONDS * SAMPLES_A_SECOND) {
      this.columns.forEach((column) => column.shift());
    }
    if (tick && !(now - this.rows[0]?.at < ROW_SECONDS)) {
      this.rows.unshift({ at: now, tick, rates });
      this.rows.length = Math.min(this.rows.length, ROWS);
      this.showRows();
      this.describe();
    }
    if (now - this.drawn >= (still.matches ? 1 : 0.2)) {
      this.drawn = now;
      this.draw();
    }
  }

  build() {
    this.plots?.forEach((plot) => plot.destroy());
    const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const line = (name, fill) => ({
      stroke: color(name),
      fill: fill && color(fill),
      width: 2,
      // By more than its colour.
      dash: fill ? [] : [6, 4],
      points: { show: false },
    });
    const axis = {
      stroke: color('--soft'), font, ticks: { show: false }, grid: { stroke: color('--line'), width: 1 },
    };
    const plot = (id, height, series, isLast) => new uPlot({
      ...this.size(height),
      padding: [8, 28, isLast ? 0 : 10, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: () => this.range() },
        y: { range: (u, least, most) => [0, Math.max(most * 1.05, id === 'chart-units' ? 1 : 10)] },
      },
      axes: [
        {
          ...axis,
          show: isLast,
          grid: { show: false },
          space: 90,
          size: 28,
          values: (u, at) => at.map((seconds) => timeOfDay(seconds * 1000)),
        },
        { ...axis, size: 46, space: 34, values: (u, at) => at.map(compact) },
      ],
      series: [{}, ...series],
    }, this.data(id), element(id));
    this.plots = [
      plot('chart-units', 156, [
        line('--available', '--available-faint'), line('--reserved'),
      ], false),
      plot('chart-rates', 124, [
        line('--arrivals', '--arrivals-faint'), line('--refusals'),
      ], true),
    ];
    this.showRows();
    this.describe();
  }

  data(id) {
    const [time, left, held, arrivals, refusals] = this.columns;
    return id === 'chart-units' ? [time, left, held] : [time, arrivals, refusals];
  }

  range() {
    const [time] = this.columns;
    const last = time.at(-1) ?? Date.now() / 1000;
    const first = Math.max(time[0] ?? last, last - WINDOW_SECONDS);
    return [first, Math.max(last, first + LEAST_SECONDS)];
  }

  size(height) {
    return { width: Math.max(200, element('chart').clientWidth), height };
  }

  resize() {
    for (const plot of this.plots) {
      if (plot.width !== this.size(0).width) {
        plot.setSize(this.size(plot.height));
      }
    }
  }

  draw() {
    if (this.columns[0].length > 1) {
      this.plots[0].setData(this.data('chart-units'));
      this.plots[1].setData(this.data('chart-rates'));
    }
  }

  describe() {
    const last = this.rows[0];
    if (last) {
      const first = this.rows.at(-1);
      element('chart').setAttribute('aria-label', word('chart.label', {
        seconds: number(Math.round(last.at - first.at)),
        from: number(first.tick.available),
        to: number(last.tick.available),
        rate: last.rates ? number(last.rates.arrivals) : '–',
      }));
    }
  }

  showRows() {
    if (!element('table').open) {
      return;
    }
    element('rows').replaceChildren(...this.rows.map(({ at, tick, rates }) => {
      const row = document.createElement('tr');
      const cells = [
        timeOfDay(at * 1000),
        ...[tick.available, tick.reserved, tick.sold, rates?.arrivals, rates?.refusals]
            .map((value) => (value === undefined ? '–' : number(value))),
      ];
      row.append(...cells.map((text) => {
        const cell = document.createElement('td');
        cell.textContent = text;
        return cell;
      }));
      return row;
    }));
  }
}
