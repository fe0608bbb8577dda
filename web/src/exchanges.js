import * as abi from './abi.js';

/** @import { McpClientOptions } from '../index.js' */
/** @import { InFrame, OutFrame } from './types.js' */

/** A client's HTTP: what the core wants sent, and what comes back. */
export class Exchanges {
  #fetch;
  #headers;
  #credentials;
  #handle;
  #log;
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  /** What went wrong last. @type {unknown} */
  trouble;
  /** Whether anybody reads the log. */
  traced = false;

  /**
   * @param {URL} url
   * @param {McpClientOptions} options
   * @param {(frame: InFrame) => void} handle
   * @param {(direction: 'in' | 'out', text: string, via?: string, status?: number) => void} log
   */
  constructor(url, { fetch, headers, credentials }, handle, log) {
    this.url = url;
    this.#fetch = fetch ?? ((/** @type {Request} */ request) => globalThis.fetch(request));
    this.#headers = headers;
    this.#credentials = credentials;
    this.#handle = handle;
    this.#log = log;
  }

  /** One request, with what the application adds to each. @param {URL} url @param {RequestInit} init */
  async ask(url, init) {
    const extra = typeof this.#headers === 'function' ? await this.#headers() : this.#headers;
    const headers = new Headers(extra);
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const settings = { ...init, headers, cache: /** @type {const} */ ('no-store'), credentials: this.#credentials };
    return this.#fetch(new Request(url, settings));
  }

  /** Does one HTTP exchange. @param {OutFrame} frame */
  async send(frame) {
    const { id, fields } = frame;
    const [method, body] = [abi.text(fields[0]), abi.text(fields[1])];
    const controller = new AbortController();
    const { signal } = controller;
    const via = `${method} ${this.url.pathname}`;
    this.#running.set(id, controller);
    this.#log('out', body, via);
    let answered = false;
    try {
      const response = await this.ask(this.url, {
        method,
        headers: abi.headers(frame, 2),
        body: body || undefined,
        // So that a page that goes away can still end its session.
        keepalive: method === 'DELETE',
        signal,
      });
      answered = true;
      await this.#receive(id, response, signal, via);
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = error;
      // Browsers do not say what was wrong; Node does.
      const opaque = !answered && error instanceof TypeError && error.cause === undefined;
      this.#handle({ kind: abi.EXCHANGE_FAILED, id, number: Number(opaque) });
    } finally {
      this.#running.delete(id);
    }
  }

  /** @param {number} id @param {Response} response @param {AbortSignal} signal @param {string} via */
  async #receive(id, { headers, status, body }, signal, via) {
    const fields = ['content-type', 'mcp-session-id'].map((name) => headers.get(name) ?? '');
    const streams = /^text\/event-stream/i.test(fields[0]);
    const decoder = new TextDecoder();
    let rest = '';
    this.#handle({ kind: abi.RESPONSE_STARTED, id, number: status, fields });
    const reader = body?.getReader();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (signal.aborted) throw signal.reason;
      if (this.traced) {
        rest += decoder.decode(value, { stream: !done });
        const events = streams ? rest.split(/\r\n\r\n|\n\n|\r\r/) : [rest];
        if (!done || streams) rest = events.pop() ?? '';
        for (const event of events) {
          const text = streams ? event.match(/^data:[^\r\n]+/m)?.[0].slice(5).trim() : event;
          if (text !== undefined) this.#log('in', text, via, status);
        }
      }
      if (done) break;
      this.#handle({ kind: abi.RESPONSE_BYTES, id, fields: [value] });
    }
    this.#handle({ kind: abi.RESPONSE_ENDED, id });
  }

  /** @param {number} [id] default: all */
  abort(id) {
    for (const [each, controller] of this.#running) {
      if (id === undefined || id === each) controller.abort();
    }
  }
}
