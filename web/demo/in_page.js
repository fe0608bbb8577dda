// The server in the page, from outside of its worker: a way in, and a look at its store.
import { SessionError } from './mcp-session/index.js';

/**
 * @typedef {object} ShownRecord what the worker tells of a record; its whole id stays there
 * @property {number} number by which it can be ended
 * @property {string} kind
 * @property {string} id the beginning of it
 * @property {number} size bytes
 * @property {number} left milliseconds
 * @property {number} [unused] milliseconds
 */

const PATIENCE = 20_000;

export class InPageServer {
  /** Kept from one connection to the next, as a server would be. @type {Worker | undefined} */
  #worker;

  get runs() {
    return this.#worker !== undefined;
  }

  /** A port to it; it is started if need be. @returns {Promise<MessagePort>} */
  async enter() {
    this.#worker ??= new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    const { port1, port2 } = new MessageChannel();
    await this.#ask('serve', [port2]);
    return port1;
  }

  /** @returns {Promise<ShownRecord[]>} */
  async records() {
    return this.#worker ? (await this.#ask('records')).records : [];
  }

  /** Ends a record, by its number. @param {number} number */
  async end(number) {
    await this.#ask({ end: number });
  }

  /** @param {unknown} message @param {MessagePort[]} [ports] @returns {Promise<any>} */
  #ask(message, ports = []) {
    const worker = this.#worker;
    if (!worker) return Promise.reject(new SessionError('TRANSPORT', 'the server in the page has ended'));
    return new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      const answered = new AbortController();
      const { signal } = answered;
      /** @param {string} why */
      const giveUp = (why) => {
        finish();
        if (message === 'serve') {
          worker.terminate();
          if (worker === this.#worker) this.#worker = undefined;
        }
        reject(new SessionError('TRANSPORT', `the server in the page does not answer: ${why}`));
      };
      const timer = setTimeout(() => giveUp('no answer'), PATIENCE);
      const finish = () => {
        answered.abort();
        clearTimeout(timer);
        port1.close();
      };
      worker.addEventListener('error', ({ message: why }) => giveUp(why || 'it cannot be loaded'), { signal });
      port1.addEventListener(
        'message',
        ({ data }) => {
          if (data.why) return giveUp(data.why);
          finish();
          resolve(data);
        },
        { signal },
      );
      port1.start();
      worker.postMessage(message, [port2, ...ports]);
    });
  }
}
