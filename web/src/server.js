import * as abi from './abi.js';
import { SessionError, SessionEvent, ToolError } from './errors.js';
import { Link } from './port.js';
import { SessionStore } from './store.js';

/** @import { Port, SessionServerOptions, ToolDefinition, ToolHandler } from '../index.js' */
/** @import { Exchange, OutFrame } from './types.js' */

// Only these mean something to the core.
const KNOWN = /^(accept|content-type|host|last-event-id|origin|mcp-.*)$/;
const DEFAULT_MAX_BODY = 4 << 20;

/**
 * The body, or a little more than `limit` bytes of it: the core refuses what is too long.
 * @param {Request} request @param {number} limit
 */
async function readBody(request, limit) {
  // Not every browser has Request.body.
  if (!request.body) return new Uint8Array(await request.arrayBuffer());
  const reader = request.body.getReader();
  const chunks = [];
  let size = 0;
  while (size <= limit) {
    const { done, value } = await reader.read();
    if (done) break;
    const chunk = value.subarray(0, limit + 1 - size);
    chunks.push(chunk);
    size += chunk.length;
  }
  reader.cancel().catch(() => {});
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** @param {unknown} cause */
const cancelled = (cause) => new SessionError('CANCELLED', 'the request was aborted', { cause });

export class SessionServer extends EventTarget {
  #engine;
  #maxBody;
  #lastId = 0;
  /** @type {Map<string, ToolHandler>} */
  #tools = new Map();
  /** @type {Map<number, Exchange>} */
  #exchanges = new Map();
  /** @type {Map<number, Link>} */
  #links = new Map();
  /** @type {Map<number, AbortController>} */
  #runs = new Map();

  /** @param {abi.Core} core @param {SessionServerOptions} options */
  constructor(core, options) {
    super();
    const { clock, store, ...rest } = options;
    const shared = store instanceof SessionStore ? store : undefined;
    this.#maxBody = rest.maxMessageBytes ?? DEFAULT_MAX_BODY;
    const host = {
      clock,
      /** @param {OutFrame} frame */
      apply: (frame) => {
        this.#apply(frame);
        shared?.changed();
      },
      /** @param {SessionError} error */
      died: (error) => this.#cutOff(error),
    };
    const settings = shared ? rest : { ...rest, store };
    this.#engine = new abi.Engine(core, 'server', settings, host, shared?.engine);
  }

  /** @param {ToolDefinition} definition @param {ToolHandler} handler */
  tool(definition, handler) {
    if (typeof handler !== 'function') throw new TypeError('handler must be a function');
    this.#engine.addTool(definition);
    this.#tools.set(definition.name, handler);
    return this;
  }

  /** @param {Request} request @returns {Promise<Response>} */
  async fetch(request, { principal = '' } = {}) {
    if (typeof request?.headers?.get !== 'function') throw new TypeError('request must be a Request');
    const { signal } = request;
    const body = await readBody(request, this.#maxBody).catch((error) => {
      throw cancelled(error);
    });
    const fields = [request.method, principal, body];
    for (const [name, value] of request.headers) if (KNOWN.test(name)) fields.push(name, value);
    if (!request.headers.has('host')) fields.push('host', new URL(request.url).host);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const onAbort = () => this.#leave(id, cancelled(signal.reason));
      const forget = () => signal?.removeEventListener('abort', onAbort);
      this.#exchanges.set(id, { resolve, reject, forget });
      signal?.addEventListener('abort', onAbort);
      this.#engine.handle({ kind: abi.HTTP_REQUESTED, id, fields }, (error) => this.#drop(id, error));
      if (signal?.aborted) onAbort();
    });
  }

  /** @param {Port} port */
  connect(port, { principal = '' } = {}) {
    const id = ++this.#lastId;
    const close = () => {
      if (!this.#links.delete(id)) return;
      link.close();
      this.#engine.handle({ kind: abi.CHANNEL_CLOSED, id });
    };
    const link = new Link(
      port,
      (text) => this.#engine.handle({ kind: abi.MESSAGE_ARRIVED, id, fields: [text] }),
      close,
    );
    this.#links.set(id, link);
    this.#engine.handle({ kind: abi.CHANNEL_OPENED, id, fields: [principal] }, close);
    return { close };
  }

  wake() {
    this.#engine.handle({ kind: abi.WOKEN });
  }

  close() {
    this.#engine.close();
  }

  /** @param {OutFrame} frame */
  #apply(frame) {
    const { kind, id, number: status, fields } = frame;
    const exchange = this.#exchanges.get(id);
    switch (kind) {
      case abi.HTTP_RESPOND: {
        const body = fields[0]?.length ? fields[0].slice() : null;
        this.#exchanges.delete(id);
        exchange?.forget();
        exchange?.resolve(new Response(body, { status, headers: abi.headers(frame, 1) }));
        break;
      }
      case abi.HTTP_STREAM:
        exchange?.resolve(new Response(this.#stream(id, exchange), { status, headers: abi.headers(frame, 0) }));
        break;
      case abi.HTTP_CHUNK:
        if (!exchange?.body) break;
        exchange.body.enqueue(/** @type {Uint8Array} */ (fields[0]).slice());
        // A client that asks and does not read.
        if (Number(exchange.body.desiredSize) < 0) this.#leave(id, cancelled('the client does not read'));
        break;
      case abi.HTTP_END:
        this.#exchanges.delete(id);
        exchange?.forget();
        exchange?.body?.close();
        break;
      case abi.SEND:
        this.#links.get(id)?.send(abi.text(fields[0]));
        break;
      case abi.TOOL_CALLED:
        this.#run(frame);
        break;
      case abi.TOOL_CANCELLED:
        this.#runs.get(id)?.abort(new SessionError('CANCELLED', 'the client gave the call up'));
        this.#runs.delete(id);
        break;
      case abi.ERROR:
        this.#complain(abi.failure(frame));
    }
  }

  /** @param {number} id @param {Exchange} exchange */
  #stream(id, exchange) {
    return new ReadableStream(
      {
        start: (controller) => {
          exchange.body = controller;
        },
        cancel: (reason) => this.#leave(id, reason),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: DEFAULT_MAX_BODY }),
    );
  }

  /** @param {number} id @param {unknown} error */
  #drop(id, error) {
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    exchange?.forget();
    exchange?.reject(error);
    exchange?.body?.error(error);
    return exchange !== undefined;
  }

  /** @param {number} id @param {unknown} error */
  #leave(id, error) {
    if (this.#drop(id, error)) this.#engine.handle({ kind: abi.EXCHANGE_CLOSED, id });
  }

  /** @param {OutFrame} frame */
  async #run(frame) {
    const { id, number: era, fields } = frame;
    const controller = new AbortController();
    this.#runs.set(id, controller);
    const state = abi.json(frame, 2);
    const before = JSON.stringify(state);
    let ended = 0;
    const call = {
      state,
      handle: abi.text(fields[3]) || undefined,
      handles: abi.json(frame, 4),
      endHandle: () => {
        ended = 1;
      },
      /** @param {number} progress @param {{ total?: number, message?: string }} [options] */
      progress: (progress, { total, message } = {}) =>
        this.#engine.handle({
          kind: abi.TOOL_PROGRESS,
          id,
          fields: [Number(progress), total === undefined ? total : Number(total), message],
        }),
      signal: controller.signal,
      era: era === 1 ? /** @type {const} */ ('stateless') : /** @type {const} */ ('handshake'),
      principal: abi.text(fields[5]),
    };
    try {
      const handler = /** @type {ToolHandler} */ (this.#tools.get(abi.text(fields[0])));
      const result = JSON.stringify(await handler(abi.json(frame, 1), call));
      const after = JSON.stringify(call.state);
      const changed = after === before ? undefined : after;
      this.#engine.handle({ kind: abi.TOOL_REPLIED, id, number: ended, fields: [result, changed] });
    } catch (error) {
      const known = error instanceof ToolError;
      if (!known && !controller.signal.aborted) this.#complain(error);
      const message = known ? error.message : 'the tool failed';
      this.#engine.handle({ kind: abi.TOOL_FAILED, id, fields: [message] });
    }
    this.#runs.delete(id);
  }

  /** @param {unknown} error */
  #complain(error) {
    const event = new SessionEvent('error', error, { cancelable: true });
    if (this.dispatchEvent(event)) console.error(error);
  }

  /** @param {SessionError} error */
  #cutOff(error) {
    for (const id of [...this.#exchanges.keys()]) this.#drop(id, error);
    for (const link of this.#links.values()) link.close();
    for (const controller of this.#runs.values()) controller.abort(error);
    this.#links.clear();
    this.#runs.clear();
  }
}

if (Symbol.dispose) {
  /** @type {any} */ (SessionServer.prototype)[Symbol.dispose] = SessionServer.prototype.close;
}
