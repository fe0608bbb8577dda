// The resources of the server, and its templates: a card for each that reads it.
import { Card } from './card.js';
import { completeFrom } from './completion.js';
import { contentsView, sizeInWords } from './content.js';
import { byId, make } from './dom.js';
import { Listing } from './listing.js';
import { sourceOf } from './result.js';
import { expand, variablesOf } from './uri_template.js';
import { canWatch, watch } from './watch.js';
import { explain, timeOfMessage } from './words.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */
/** @typedef {import('./mcp-session/index.js').RequestOptions} RequestOptions */
/**
 * @typedef {object} Resource
 * @property {string} uri
 * @property {string} name
 * @property {string} [title]
 * @property {string} [description]
 * @property {string} [mimeType]
 * @property {number} [size]
 */
/** @typedef {Omit<Resource, 'uri' | 'size'> & { uriTemplate: string }} Template */

export class ResourcesSection {
  #connection;
  #count = byId('resources-count', HTMLElement);
  #empty = byId('resources-empty', HTMLElement);
  #templatesTitle = byId('templates-title', HTMLElement);
  /** By their ids. @type {Map<string, Card>} */
  #cards = new Map();
  /** By their URIs. @type {Map<string, WatchButton>} */
  #watches = new Map();

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    const update = () => this.#update();
    this.resources = new Listing(
      byId('resource-list', HTMLElement), 'resources/list', 'resources', (one, i) => this.#resource(one, i), update,
    );
    this.templates = new Listing(
      byId('template-list', HTMLElement), 'resources/templates/list', 'resourceTemplates',
      (one, i) => this.#template(one, i), update,
    );
    connection.addEventListener('notification', (event) => {
      const { method, params } = /** @type {CustomEvent} */ (event).detail;
      if (method === 'notifications/resources/updated') this.#watches.get(params?.uri)?.changed();
      if (method === 'notifications/resources/list_changed' && connection.client) this.load(connection.client);
    });
  }

  /** @param {McpClient} client */
  async load(client) {
    if (!client.capabilities?.resources) return;
    await Promise.all([this.resources.load(client), this.templates.load(client)]);
  }

  clear() {
    for (const button of this.#watches.values()) button.stop();
    this.#watches.clear();
    this.#cards.clear();
    this.resources.clear();
    this.templates.clear();
  }

  /** @param {boolean} enabled whether there is a server to ask */
  enable(enabled) {
    for (const card of this.#cards.values()) card.enable(enabled);
    for (const button of this.#watches.values()) button.enable(enabled);
  }

  #update() {
    if (!this.templates) return;
    const all = this.resources.length + this.templates.length;
    this.#count.textContent = all ? `${all}${/\+/.test(this.resources.count + this.templates.count) ? '+' : ''}` : '';
    this.#empty.hidden = all > 0;
    this.#templatesTitle.hidden = !this.templates.length;
  }

  /** @param {string} uri @param {RequestOptions} options */
  async #read(uri, options) {
    const { client } = this.#connection;
    if (!client) throw new Error('there is no connection');
    const result = await client.request('resources/read', { uri }, options);
    const contents = Array.isArray(result.contents) ? result.contents : [];
    const parts = contents.flatMap((/** @type {any} */ one) => contentsView(Object(one)));
    if (!parts.length) parts.push(make('p', { class: 'text value-none' }, 'It is empty.'));
    return { parts: [...parts, sourceOf(result)] };
  }

  /** @param {Resource} resource @param {number} i */
  #resource({ uri, name, title, description, mimeType, size }, i) {
    const { client } = this.#connection;
    const button = client && canWatch(client) ? new WatchButton(this.#connection, uri) : undefined;
    const card = this.#card(
      {
        kind: 'resource',
        name: uri,
        title: title ?? name,
        badges: badges(mimeType, typeof size === 'number' ? sizeInWords(size) : undefined),
        description,
        verb: 'Read',
        actions: button ? [button.element, button.note] : [],
        run: (_, options) => this.#read(uri, options),
      },
      `resource-${i}`,
    );
    if (button) {
      this.#watches.get(uri)?.stop();
      this.#watches.set(uri, button);
      button.onchange = () => card.run();
    }
    return card.element;
  }

  /** @param {Template} template @param {number} i */
  #template({ uriTemplate, name, title, description, mimeType }, i) {
    const variables = variablesOf(uriTemplate);
    const card = this.#card(
      {
        kind: 'template',
        name: uriTemplate,
        title: title ?? name,
        badges: badges(mimeType),
        description,
        schema: {
          properties: Object.fromEntries(variables.map(({ name }) => [name, { type: 'string' }])),
          required: variables.flatMap(({ name, optional }) => (optional ? [] : [name])),
        },
        verb: 'Read',
        run: (values, options) => this.#read(expand(uriTemplate, values), options),
      },
      `template-${i}`,
    );
    completeFrom(card.form, { type: 'ref/resource', uri: uriTemplate }, () => this.#connection.client);
    return card.element;
  }

  /** @param {import('./card.js').Subject} subject @param {string} id */
  #card(subject, id) {
    const card = new Card(subject, id);
    card.enable(this.#connection.state === 'connected');
    this.#cards.set(id, card);
    return card;
  }
}

/** @param {...(string | undefined)} words */
function badges(...words) {
  return words.flatMap((word) => (word ? [make('span', { class: 'badge' }, word)] : []));
}

/** Watches a resource, or does not; and what there is to say about that. */
class WatchButton {
  #connection;
  #uri;
  /** @type {AbortController | undefined} */
  #watching;
  onchange = () => {};

  /** @param {Connection} connection @param {string} uri */
  constructor(connection, uri) {
    this.#connection = connection;
    this.#uri = uri;
    this.element = make('button', { type: 'button', class: 'button', 'aria-pressed': 'false' }, 'Watch');
    this.note = make('p', { class: 'quiet watch-note', role: 'status' });
    this.element.addEventListener('click', () => (this.#watching ? this.stop() : this.#start()));
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    // The session that was told of it is gone, or about to be.
    if (!enabled) this.stop();
    this.element.disabled = !enabled;
  }

  changed() {
    if (!this.#watching) return;
    this.note.textContent = `Changed at ${timeOfMessage(Date.now()).join('').slice(0, 8)}`;
    this.onchange();
  }

  stop() {
    this.#watching?.abort();
    this.#watching = undefined;
    this.#show('');
  }

  async #start() {
    const { client } = this.#connection;
    if (!client) return;
    const watching = (this.#watching = new AbortController());
    /** @param {unknown} error */
    const failed = (error) => {
      if (watching !== this.#watching) return;
      this.#watching = undefined;
      this.#show(explain(error).title);
    };
    this.#show('Waiting for changes');
    await watch(client, this.#uri, watching.signal, failed).catch(failed);
  }

  /** @param {string} note */
  #show(note) {
    this.note.textContent = note;
    this.element.setAttribute('aria-pressed', String(this.#watching !== undefined));
  }
}
