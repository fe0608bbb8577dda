// The prompts of the server: a card for each, with a form for its arguments.
import { Card } from './card.js';
import { completeFrom } from './completion.js';
import { blockView } from './content.js';
import { byId, make } from './dom.js';
import { Listing } from './listing.js';
import { sourceOf } from './result.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./mcp-session/index.js').ContentBlock} ContentBlock */
/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */
/** @typedef {{ name: string, title?: string, description?: string, required?: boolean }} Argument */
/** @typedef {{ name: string, title?: string, description?: string, arguments?: Argument[] }} Prompt */
/** @typedef {{ role: string, content: ContentBlock | ContentBlock[] }} Message */

export class PromptsSection {
  #connection;
  #count = byId('prompts-count', HTMLElement);
  #empty = byId('prompts-empty', HTMLElement);
  /** By their ids. @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {Listing | undefined} */
  #listing;

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.#listing = new Listing(
      byId('prompt-list', HTMLElement), 'prompts/list', 'prompts', (one, i) => this.#prompt(one, i),
      () => this.#update(),
    );
    connection.addEventListener('notification', (event) => {
      const { method } = /** @type {CustomEvent} */ (event).detail;
      if (method === 'notifications/prompts/list_changed' && connection.client) this.load(connection.client);
    });
  }

  /** @param {McpClient} client */
  async load(client) {
    if (client.capabilities?.prompts) await this.#listing?.load(client);
  }

  clear() {
    this.#cards.clear();
    this.#listing?.clear();
  }

  /** @param {boolean} enabled whether there is a server to ask */
  enable(enabled) {
    for (const card of this.#cards.values()) card.enable(enabled);
  }

  #update() {
    if (!this.#listing) return;
    this.#count.textContent = this.#listing.length ? this.#listing.count : '';
    this.#empty.hidden = this.#listing.length > 0;
  }

  /** @param {Prompt} prompt @param {number} i */
  #prompt({ name, title, description, arguments: parameters = [] }, i) {
    const properties = parameters.map(({ name, title, description }) => [name, { type: 'string', title, description }]);
    const required = parameters.flatMap(({ name, required }) => (required ? [name] : []));
    const id = `prompt-${i}`;
    const card = new Card(
      {
        kind: 'prompt',
        name,
        title,
        description,
        schema: { properties: Object.fromEntries(properties), required },
        verb: 'Get',
        run: async (args, options) => {
          const { client } = this.#connection;
          if (!client) throw new Error('there is no connection');
          const result = await client.request('prompts/get', { name, arguments: args }, options);
          return { parts: [...messagesView(result.messages), sourceOf(result)] };
        },
      },
      id,
    );
    completeFrom(card.form, { type: 'ref/prompt', name }, () => this.#connection.client);
    card.enable(this.#connection.state === 'connected');
    this.#cards.set(id, card);
    return card.element;
  }
}

/** A conversation, as prompts and questions for a model have it. @param {Message[]} messages @returns {Node[]} */
export function messagesView(messages) {
  if (!Array.isArray(messages) || !messages.length) {
    return [make('p', { class: 'text value-none' }, 'No messages.')];
  }
  return messages.map(({ role, content }) =>
    make(
      'div',
      { class: 'message' },
      make('p', { class: 'role' }, role === 'assistant' ? 'Assistant' : 'User'),
      ...[content].flat().flatMap((block) => blockView(Object(block))),
    ),
  );
}
