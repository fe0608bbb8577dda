// A list that a server gives page by page: the first page at once, the others when they are asked for.
import { make } from './dom.js';
import { explain } from './words.js';

/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */

export class Listing {
  #place;
  #method;
  #member;
  #show;
  #changed;
  #rows = make('div', { class: 'cards' });
  #more = make('button', { type: 'button', class: 'button more' }, 'More');
  #problem = make('p', { class: 'problem', role: 'alert', hidden: true });
  /** @type {McpClient | undefined} */
  #client;
  /** @type {string | undefined} */
  #cursor;
  /** What the rows were made from. @type {unknown[]} */
  #items = [];

  /**
   * @param {HTMLElement} place
   * @param {string} method 'resources/list'
   * @param {string} member of its result, the list
   * @param {(item: any, i: number) => HTMLElement} show
   * @param {() => void} changed
   */
  constructor(place, method, member, show, changed) {
    this.#place = place;
    this.#method = method;
    this.#member = member;
    this.#show = show;
    this.#changed = changed;
    this.#more.addEventListener('click', () => this.#next());
    place.append(this.#rows, this.#problem, make('p', { class: 'center' }, this.#more));
    this.#update();
  }

  get length() {
    return this.#items.length;
  }

  /** "12", "100+". */
  get count() {
    return `${this.length}${this.#cursor === undefined ? '' : '+'}`;
  }

  /** The list from its beginning on. @param {McpClient} client */
  async load(client) {
    const same = client === this.#client;
    this.#client = client;
    try {
      const { items, cursor } = await this.#page(client);
      if (client !== this.#client) return;
      // What is as it was leaves what was typed where it is.
      if (same && JSON.stringify(items) === JSON.stringify(this.#items.slice(0, items.length))) return;
      this.#rows.replaceChildren();
      this.#items = [];
      this.#append(items, cursor);
    } catch (error) {
      this.#complain(client, error);
    }
  }

  clear() {
    this.#client = undefined;
    this.#cursor = undefined;
    this.#items = [];
    this.#rows.replaceChildren();
    this.#update();
  }

  async #next() {
    const client = this.#client;
    if (!client || this.#more.getAttribute('aria-disabled') === 'true') return;
    this.#more.setAttribute('aria-disabled', 'true');
    try {
      const { items, cursor } = await this.#page(client, this.#cursor);
      if (client !== this.#client) return;
      const first = this.#rows.childElementCount;
      this.#append(items, cursor);
      const heading = this.#rows.children[first]?.querySelector('h3');
      heading?.focus();
    } catch (error) {
      this.#complain(client, error);
    } finally {
      this.#more.removeAttribute('aria-disabled');
    }
  }

  /** @param {McpClient} client @param {string} [cursor] */
  async #page(client, cursor) {
    const result = await client.request(this.#method, cursor === undefined ? undefined : { cursor });
    const items = result?.[this.#member];
    return {
      items: Array.isArray(items) ? items : [],
      cursor: typeof result?.nextCursor === 'string' ? result.nextCursor : undefined,
    };
  }

  /** @param {unknown[]} items @param {string | undefined} cursor */
  #append(items, cursor) {
    const from = this.#items.length;
    this.#items.push(...items);
    this.#cursor = cursor;
    this.#rows.append(...items.map((item, i) => this.#show(Object(item), from + i)));
    this.#problem.hidden = true;
    this.#update();
  }

  /** @param {McpClient} client @param {unknown} error */
  #complain(client, error) {
    if (client !== this.#client || !client.connected) return;
    const { title, detail } = explain(error);
    this.#problem.textContent = detail ? `${title}: ${detail}` : title;
    this.#problem.hidden = false;
    this.#place.hidden = false;
  }

  #update() {
    this.#more.hidden = this.#cursor === undefined;
    this.#changed();
  }
}
