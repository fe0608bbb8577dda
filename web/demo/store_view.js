// What is in the store beneath the server in the page: each record, and a button that ends it.
import { sizeInWords } from './content.js';
import { announce, byId, make } from './dom.js';
import { clock } from './words.js';

/** @typedef {import('./in_page.js').InPageServer} InPageServer */
/** @typedef {import('./in_page.js').ShownRecord} ShownRecord */

const TICK = 1_000;
const MAX_ROWS = 100;

export class StoreView {
  #server;
  #panel = byId('store', HTMLDetailsElement);
  #count = byId('store-count', HTMLElement);
  #empty = byId('store-empty', HTMLElement);
  #rows = byId('store-rows', HTMLElement);
  #looking = false;
  /** Of the rows, by the records' numbers: made once, so that a button keeps the focus. */
  /** @type {Map<number, { element: HTMLElement, about: HTMLElement }>} */
  #shown = new Map();

  /** @param {InPageServer} server */
  constructor(server) {
    this.#server = server;
    this.#panel.addEventListener('toggle', () => this.#look());
    setInterval(() => this.#look(), TICK);
  }

  /** @param {boolean} connected to the server in the page */
  update(connected) {
    this.#panel.hidden = !connected;
    this.#look();
  }

  async #look() {
    if (this.#panel.hidden || this.#looking || document.hidden) return;
    this.#looking = true;
    try {
      this.#show(await this.#server.records());
    } catch {
      // The connection tells of it.
    } finally {
      this.#looking = false;
    }
  }

  /** @param {ShownRecord[]} records */
  #show(records) {
    this.#count.textContent = String(records.length || '');
    if (!this.#panel.open) return;
    this.#empty.hidden = records.length > 0;
    const there = new Set(records.slice(0, MAX_ROWS).map(({ number }) => number));
    for (const [number, { element }] of this.#shown) {
      if (there.has(number)) continue;
      if (element.contains(document.activeElement)) this.#panel.querySelector('summary')?.focus();
      element.remove();
      this.#shown.delete(number);
    }
    for (const record of records.slice(0, MAX_ROWS)) {
      const row = this.#shown.get(record.number) ?? this.#add(record);
      const { size, unused, left } = record;
      const parts = [sizeInWords(size), `${clock(left)} left`];
      if (unused !== undefined) parts.push(`unused ${clock(unused)}`);
      row.about.replaceChildren(...parts.map((part) => make('span', {}, part)));
    }
  }

  /** @param {ShownRecord} record */
  #add({ number, kind, id }) {
    const button = make('button', { type: 'button', class: 'button small', 'aria-label': `End ${kind} ${id}` }, 'End');
    button.addEventListener('click', async () => {
      await this.#server.end(number);
      announce(`${kind} ${id} has ended`);
      this.#look();
    });
    const about = make('p', { class: 'quiet about-record' });
    const element = make(
      'li',
      { class: 'record' },
      make('div', {}, make('p', {}, make('b', {}, kind), ' ', make('code', {}, id)), about),
      button,
    );
    const row = { element, about };
    this.#shown.set(number, row);
    this.#rows.append(element);
    return row;
  }
}
