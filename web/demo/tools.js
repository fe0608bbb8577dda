// The tools of the server: a card for each.
import { Card } from './card.js';
import { byId, make } from './dom.js';
import { resultView } from './result.js';
import { eventNumber } from './timeline.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./handles.js').HandleBook} HandleBook */
/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */
/** @typedef {import('./mcp-session/index.js').ToolInfo} ToolInfo */
/** @typedef {import('./mcp-session/index.js').RequestOptions} RequestOptions */

export class ToolsSection {
  #connection;
  #handles;
  #place = byId('tool-cards', HTMLElement);
  #count = byId('tools-count', HTMLElement);
  #empty = byId('tools-empty', HTMLElement);
  /** @type {Card[]} */
  #cards = [];
  /** What the cards were made from. @type {{ client?: McpClient, tools: string }} */
  #shown = { tools: '' };

  /** @param {Connection} connection @param {HandleBook} handles */
  constructor(connection, handles) {
    this.#connection = connection;
    this.#handles = handles;
    handles.addEventListener('change', () => this.#offerHandles());
  }

  get length() {
    return this.#cards.length;
  }

  /** Rejects if the server does not tell them. @param {McpClient} client */
  async load(client) {
    const tools = client.capabilities && !client.capabilities.tools ? [] : await client.listTools();
    if (client !== this.#connection.client) return;
    // A new session at the same server leaves what was typed where it is.
    const made = { client, tools: JSON.stringify(tools) };
    if (made.client === this.#shown.client && made.tools === this.#shown.tools) return;
    this.#shown = made;
    this.#cards = tools.map((tool, i) => this.#card(tool, `tool-${i}`));
    this.enable(this.#connection.state === 'connected');
    this.#place.replaceChildren(...this.#cards.map(({ element }) => element));
    this.#count.textContent = String(tools.length);
    this.#empty.hidden = tools.length > 0;
    this.#empty.textContent = 'This server offers no tools.';
    this.#offerHandles();
  }

  /** @param {boolean} enabled whether there is a server to call */
  enable(enabled) {
    for (const card of this.#cards) card.enable(enabled);
  }

  /** What became of the stream of a call. @param {import('./wire.js').WireNews} news */
  wire({ what, of, from = '' }) {
    const card = of && this.#cards.find(({ name }) => name === of.name);
    if (what === 'broken') card?.interrupt('Connection lost');
    else if (what === 'resuming') card?.interrupt(`Connection lost, resuming from event ${eventNumber(from)}`);
    else if (what === 'resumed') card?.goOn(`Going on from event ${eventNumber(from)}`);
  }

  #offerHandles() {
    for (const { form } of this.#cards) form.offer((kind) => this.#handles.of(kind));
  }

  /** @param {ToolInfo} tool @param {string} id */
  #card(tool, id) {
    const { name, title, description, inputSchema: schema, annotations: hints = {} } = tool;
    const badges = [];
    if (hints.readOnlyHint) badges.push(make('span', { class: 'badge' }, 'read-only'));
    else if (hints.destructiveHint) badges.push(make('span', { class: 'badge strong' }, 'destructive'));
    return new Card(
      {
        kind: 'tool',
        name,
        title: title ?? hints.title,
        badges,
        description,
        schema,
        verb: 'Call',
        run: async (args, options) => {
          const result = await this.#call(tool, args, options);
          return { parts: resultView(result), failure: result.isError ? 'The tool failed' : undefined };
        },
      },
      id,
    );
  }

  /** @param {ToolInfo} tool @param {Record<string, unknown>} args @param {RequestOptions} options */
  async #call({ name, annotations }, args, options) {
    const { client } = this.#connection;
    if (!client) throw new Error('there is no connection');
    const result = await client.callTool(name, args, options);
    if (result.isError) return result;
    const ended = annotations?.destructiveHint && result.structuredContent?.ended !== false;
    if (ended) Object.values(args).forEach((value) => this.#handles.forget(value));
    else this.#handles.learn(result.structuredContent);
    return result;
  }
}
