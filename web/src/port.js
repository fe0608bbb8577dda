/** @import { Port } from '../index.js' */

/** Whole messages over a port, in the form that the other end uses: strings until it posts objects. */
export class Link {
  #port;
  #receive;
  #ended;
  #objects = false;
  #heard = false;

  /**
   * @param {Port} port
   * @param {(text: string) => void} receive
   * @param {() => void} ended
   */
  constructor(port, receive, ended) {
    if (typeof port?.postMessage !== 'function' || typeof port.addEventListener !== 'function') {
      throw new TypeError('port must be a MessagePort, a Worker or the like');
    }
    this.#port = port;
    this.#receive = receive;
    this.#ended = ended;
    port.addEventListener('message', this.#onMessage);
    port.addEventListener('close', this.#onClose);
    port.addEventListener('error', this.#onError);
    port.start?.();
  }

  /** @param {{ data: any }} event */
  #onMessage = ({ data }) => {
    this.#heard = true;
    if (typeof data === 'string') return this.#receive(data);
    // A port may carry other things of its owner.
    if (data?.jsonrpc !== '2.0') return;
    this.#objects = true;
    this.#receive(JSON.stringify(data));
  };

  #onClose = () => this.#ended();

  // A worker that never ran. Later errors are the worker's own business.
  #onError = () => this.#heard || this.#ended();

  /** @param {string} text */
  send(text) {
    this.#port.postMessage(this.#objects ? JSON.parse(text) : text);
  }

  close() {
    this.#port.removeEventListener('message', this.#onMessage);
    this.#port.removeEventListener('close', this.#onClose);
    this.#port.removeEventListener('error', this.#onError);
  }
}
