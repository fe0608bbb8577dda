// The page's one connection: the core, the client on it, and the server in the page if that is
// chosen. Tells by events what becomes of it; shows nothing.
//
//   idle ─open→ connecting → connected ─close→ ended
//                   │            └─(the server forgot the session)→ connecting
//                   └─(it did not work)→ failed
import { InPageServer } from './in_page.js';
import { load, McpClient } from './mcp-session/index.js';
import { Wire } from './wire.js';

/** @typedef {import('./mcp-session/index.js').Core} Core */
/** @typedef {{ target: 'server' | 'other', url: URL, token?: string } | { target: 'page' }} Place */
/** @typedef {'auto' | 'handshake' | 'stateless'} EraChoice */
/** @typedef {'idle' | 'connecting' | 'connected' | 'ended' | 'failed'} State */

const ABOUT = { name: 'mcp-session-page', version: '0.1.0' };
// Forms are what servers may ask anyway.
const CAPABILITIES = { elicitation: { form: {}, url: {} } };

export class Connection extends EventTarget {
  /** @type {State} */
  state = 'idle';
  /** Why it failed. @type {unknown} */
  error;
  /** @type {McpClient | undefined} */
  client;
  /** @type {Place} */
  place = { target: 'page' };
  /** Below the client, if it speaks HTTP. @type {Wire | undefined} */
  wire;
  inPage = new InPageServer();
  /** `Date.now()` when the session was opened. */
  openedAt = 0;
  /** The session is in the place of one that the server forgot. */
  renewed = false;

  /** @type {Core | undefined} */
  #core;
  /** Tells what was begun for an earlier connection. */
  #attempt = 0;

  #answers;

  /** @param {import('./mcp-session/index.js').Answers} answers to what servers ask */
  constructor(answers) {
    super();
    this.#answers = answers;
  }

  get isOpen() {
    return this.state === 'connecting' || this.state === 'connected';
  }

  /** @param {Place} place @param {EraChoice} era */
  async open(place, era) {
    const attempt = ++this.#attempt;
    this.place = place;
    this.wire = undefined;
    this.renewed = false;
    this.client = undefined;
    this.#become('connecting');
    try {
      if (!this.#core || this.#core.dead) this.#core = await load();
      const way = 'url' in place ? this.#overHttp(place) : { port: await this.inPage.enter() };
      if (attempt !== this.#attempt) return 'port' in way ? way.port.close() : undefined;
      const client = new McpClient(this.#core, {
        ...way,
        ...ABOUT,
        era,
        answers: this.#answers,
        capabilities: CAPABILITIES,
      });
      this.#follow(client);
      await client.connect();
      if (attempt === this.#attempt) this.#become('connected');
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  /** The token goes with each request, and nowhere else. @param {{ url: URL, token?: string }} place */
  #overHttp({ url, token }) {
    const wire = (this.wire = new Wire());
    wire.addEventListener('news', (event) => {
      if (wire !== this.wire) return;
      const { detail } = /** @type {CustomEvent} */ (event);
      this.dispatchEvent(new CustomEvent('wire', { detail }));
    });
    const headers = token ? { authorization: `Bearer ${token}` } : undefined;
    return { url, headers, fetch: wire.fetch };
  }

  /** The client opens a new session at the same server. */
  async #renew() {
    const attempt = ++this.#attempt;
    this.renewed = true;
    this.#become('connecting');
    try {
      await this.client?.connect();
      if (attempt === this.#attempt) this.#become('connected');
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  /** Ends the session, or what is on its way to one. */
  async close() {
    ++this.#attempt;
    const { client } = this;
    const hadSession = this.state !== 'connecting';
    await client?.close();
    if (client === this.client) this.#become(hadSession ? 'ended' : 'idle');
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.error = undefined;
    if (state === 'connected') this.openedAt = Date.now();
    this.dispatchEvent(new Event('change'));
  }

  /** @param {unknown} error */
  #fail(error) {
    this.client?.close();
    this.client = undefined;
    this.state = 'failed';
    this.error = error;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {McpClient} client */
  #follow(client) {
    this.client = client;
    const mine = () => client === this.client;
    client.addEventListener('message', ({ detail }) => {
      this.dispatchEvent(new CustomEvent('message', { detail }));
    });
    client.addEventListener('notification', ({ detail }) => {
      if (mine()) this.dispatchEvent(new CustomEvent('notification', { detail }));
    });
    client.addEventListener('sessionlost', () => {
      if (mine() && this.state === 'connected') this.#renew();
    });
    client.addEventListener('close', () => {
      if (mine() && this.state === 'connected') this.#become('ended');
    });
  }
}
