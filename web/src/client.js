import * as abi from './abi.js';
import { SessionError, SessionEvent } from './errors.js';
import { Link } from './port.js';
import { markedArguments, toolHeaders } from './tool_headers.js';

/** @import { Answers, JsonObject, LoggedMessage, McpClientOptions, RequestOptions, SavedSession } from '../index.js' */
/** @import { Call, OutFrame, Session, Wait, Waiter } from './types.js' */

const LOCAL = 'http://localhost/mcp';
const MAX_PAGES = 100;
const MAX_TIMEOUT = 2 ** 31 - 1;
// What only reads may be asked again when a connection broke.
const READS = /^(\w+(\/templates)?\/list|resources\/read|prompts\/get|completion\/complete|ping)$/;
// What a server may ask, and the capability that lets it.
export const QUESTIONS = {
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
  'sampling/createMessage': 'sampling',
};

/** @param {AbortSignal | undefined} signal */
const aborted = (signal) =>
  new SessionError('CANCELLED', 'the request was aborted', { cause: signal?.reason });

/** @type {Wait} */
const wait = (signal, begin, leave) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) throw aborted(signal);
    const onAbort = () => leave(waiter);
    /** @param {(value: any) => void} settle @returns {(value?: any) => void} */
    const last = (settle) => (value) => {
      signal?.removeEventListener('abort', onAbort);
      settle(value);
    };
    const waiter = { resolve: last(resolve), reject: last(reject) };
    signal?.addEventListener('abort', onAbort);
    begin(waiter);
  });

export class McpClient extends EventTarget {
  #engine;
  #url;
  #fetch;
  #headers;
  #credentials;
  #port;
  #lastCall = 0;
  #traced = false;
  #usedAt = 0;
  /** @type {Link | undefined} */
  #link;
  /** @type {Session | undefined} */
  #session;
  /** @type {unknown} */
  #trouble;
  /** @type {Set<Waiter>} */
  #opening = new Set();
  #closing = false;
  /** @type {() => void} */
  #closed = () => {};
  /** @type {Promise<void>} */
  #end = new Promise((resolve) => {
    this.#closed = resolve;
  });
  /** @type {Map<number, Call>} */
  #calls = new Map();
  /** @type {Map<number, AbortController>} */
  #exchanges = new Map();
  /** @type {Answers} */
  #answers;
  /** @type {Map<number, AbortController>} */
  #questions = new Map();
  /** @type {Map<string, { repeatable: boolean, marked: [string[], string][] }>} */
  #tools = new Map();

  /** @param {abi.Core} core @param {McpClientOptions} options */
  constructor(core, options) {
    super();
    const { url, port, fetch, headers, credentials, clock, answers = {}, session, listen, ...rest } = options;
    if (port ? url !== undefined || fetch : url === undefined && !fetch) {
      throw new TypeError('a client needs a url, a port or a fetch');
    }
    this.#url = new URL(url ?? LOCAL, globalThis.location?.href);
    this.#fetch = fetch ?? ((/** @type {Request} */ request) => globalThis.fetch(request));
    this.#headers = headers;
    this.#credentials = credentials;
    this.#port = port;
    this.#answers = answers;
    const asked = Object.keys(answers).length > 0 || undefined;
    const declared = Object.fromEntries(
      Object.entries(QUESTIONS).flatMap(([method, name]) => (method in answers ? [[name, {}]] : [])),
    );
    const settings = {
      ...rest,
      asked,
      capabilities: asked ? { ...declared, ...rest.capabilities } : rest.capabilities,
      channel: port ? true : undefined,
      listen: (listen ?? asked) || undefined,
      session: session && JSON.stringify(session),
    };
    this.#engine = new abi.Engine(core, 'client', settings, {
      clock,
      apply: (frame) => this.#apply(frame),
      died: (error) => this.#cutOff(error),
      busy: () => this.#calls.size + this.#opening.size > 0,
    });
    if (port) {
      this.#link = new Link(
        port,
        (text) => {
          this.#log('in', text);
          this.#engine.handle({ kind: abi.MESSAGE_ARRIVED, fields: [text] });
        },
        () => {
          this.#engine.handle({ kind: abi.CHANNEL_CLOSED });
          this.#engine.close();
        },
      );
    }
  }

  get connected() {
    return this.#session !== undefined;
  }
  get era() {
    return this.#session?.era;
  }
  get protocolVersion() {
    return this.#session?.protocolVersion;
  }
  get sessionId() {
    return this.#session?.sessionId;
  }
  get serverInfo() {
    return this.#session?.server.serverInfo;
  }
  get capabilities() {
    return this.#session?.server.capabilities;
  }
  get instructions() {
    return this.#session?.server.instructions;
  }
  /** @returns {SavedSession | undefined} */
  get session() {
    if (!this.#session) return undefined;
    const { protocolVersion: revision, sessionId, server } = this.#session;
    return { form: 1, revision, sessionId, server };
  }
  get sessionTtl() {
    const meta = this.#session?.server._meta;
    const idle = meta?.['mcp-session/ttlMs'];
    const maxLife = meta?.['mcp-session/maxLifeMs'] ?? Infinity;
    if (!this.#session || typeof idle !== 'number') return undefined;
    const expiresAt = Math.min(this.#usedAt + idle, this.#session.openedAt + maxLife);
    return { idle, maxLife, expiresAt };
  }

  /** @param {{ signal?: AbortSignal }} [options] @returns {Promise<void>} */
  connect({ signal } = {}) {
    return wait(
      signal,
      (waiter) => {
        if (this.#session) return waiter.resolve();
        this.#opening.add(waiter);
        this.#engine.handle({ kind: abi.OPEN }, (error) => this.#settleOpening(error));
      },
      (waiter) => {
        this.#opening.delete(waiter);
        waiter.reject(aborted(signal));
        if (!this.#opening.size && !this.#calls.size) this.#engine.handle({ kind: abi.CLOSE });
      },
    );
  }

  /** @param {RequestOptions} [options] */
  async listTools(options) {
    const tools = [];
    /** @type {JsonObject | undefined} */
    let params;
    for (let page = 0; page < MAX_PAGES; ++page) {
      const result = await this.request('tools/list', params, options);
      if (!Array.isArray(result.tools)) throw new SessionError('PEER', 'the list of tools is none');
      tools.push(...result.tools);
      if (typeof result.nextCursor !== 'string') {
        return this.#learn(tools);
      }
      params = { cursor: result.nextCursor };
    }
    throw new SessionError('TOO_LARGE', 'the list of tools has too many pages');
  }

  /** @param {string} name @param {JsonObject} [args] @param {RequestOptions} [options] */
  callTool(name, args = {}, options) {
    const { repeatable = false } = this.#tools.get(name) ?? {};
    return this.request('tools/call', { name, arguments: args }, { repeatable, ...options });
  }

  /** What calls need to know; without the tools that no headers can follow. @param {any[]} tools */
  #learn(tools) {
    this.#tools.clear();
    return tools.filter(({ name, annotations: hints, inputSchema }) => {
      const headers = this.era === 'stateless' && !this.#port;
      const marked = headers ? markedArguments(inputSchema) : [];
      const repeatable = (hints?.readOnlyHint || hints?.idempotentHint) === true;
      if (marked) this.#tools.set(name, { repeatable, marked });
      return marked;
    });
  }

  /**
   * @param {string} method
   * @param {JsonObject} [params]
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async request(method, params, { signal, timeout = 0, onProgress, repeatable = READS.test(method) } = {}) {
    if (typeof method !== 'string') throw new TypeError('method must be a string');
    if (!(timeout >= 0)) throw new TypeError('timeout must be a number of milliseconds');
    const id = ++this.#lastCall;
    const number = Math.min(Math.ceil(timeout), MAX_TIMEOUT);
    const tool = method === 'tools/call' ? this.#tools.get(params?.name) : undefined;
    const fields = [
      method,
      JSON.stringify(params),
      onProgress && '',
      repeatable ? '' : undefined,
      ...toolHeaders(tool?.marked ?? [], params?.arguments ?? {}),
    ];
    return wait(
      signal,
      (waiter) => {
        this.#calls.set(id, { ...waiter, onProgress, signal });
        this.#engine.handle({ kind: abi.REQUEST, id, number, fields }, (error) =>
          this.#take(id)?.reject(error),
        );
      },
      () => this.#engine.handle({ kind: abi.CANCEL, id }),
    );
  }

  close({ keepSession = false } = {}) {
    this.#closing = true;
    if (keepSession) this.#engine.close();
    else this.#engine.handle({ kind: abi.CLOSE });
    return this.#end;
  }

  wake() {
    this.#engine.handle({ kind: abi.WOKEN });
  }

  /** @param {string} type @param {any} listener @param {any} [options] */
  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
    this.#traced ||= type === 'message';
  }

  /** @param {OutFrame} frame */
  #apply(frame) {
    const { kind, id, number, fields } = frame;
    switch (kind) {
      case abi.SEND:
        this.#log('out', abi.text(fields[0]));
        this.#link?.send(abi.text(fields[0]));
        break;
      case abi.HTTP_SEND:
        this.#send(frame);
        break;
      case abi.HTTP_ABORT:
        this.#exchanges.get(id)?.abort();
        break;
      case abi.OPENED:
        this.#usedAt = Date.now();
        this.#session = {
          era: number === 1 ? 'stateless' : 'handshake',
          protocolVersion: abi.text(fields[0]),
          sessionId: abi.text(fields[1]) || undefined,
          server: abi.json(frame, 2),
          openedAt: this.#usedAt,
        };
        this.#settleOpening();
        this.dispatchEvent(new Event('open'));
        break;
      case abi.OPEN_FAILED:
        this.#settleOpening(this.#failure(frame));
        break;
      case abi.ANSWERED:
        this.#take(id)?.resolve(abi.json(frame, 0));
        break;
      case abi.FAILED: {
        const call = this.#take(id);
        call?.reject(this.#failure(frame, call));
        break;
      }
      case abi.PROGRESSED: {
        const onProgress = this.#calls.get(id)?.onProgress;
        const params = abi.json(frame, 0);
        queueMicrotask(() => onProgress?.(params));
        break;
      }
      case abi.NOTIFIED: {
        const detail = { method: abi.text(fields[0]), params: abi.json(frame, 1) };
        this.dispatchEvent(new SessionEvent('notification', detail));
        break;
      }
      case abi.ASKED:
        this.#ask(frame);
        break;
      case abi.WITHDRAWN:
        this.#questions.get(id)?.abort();
        break;
      case abi.SESSION_LOST:
        this.#session = undefined;
        this.dispatchEvent(new Event('sessionlost'));
        break;
      case abi.CLOSED:
        this.#session = undefined;
        // Also what an aborted connect() asked for.
        if (this.#closing) this.#engine.close();
    }
  }

  /** @param {OutFrame} frame */
  async #ask(frame) {
    const { id } = frame;
    const controller = new AbortController();
    this.#questions.set(id, controller);
    let fields;
    try {
      const answer = /** @type {any} */ (this.#answers)[abi.text(frame.fields[0])];
      const result = await answer(abi.json(frame, 1) ?? {}, { signal: controller.signal });
      fields = [JSON.stringify(result ?? {})];
    } catch (error) {
      if (!controller.signal.aborted) console.error(error);
      fields = [undefined, 'the application did not answer'];
    }
    this.#questions.delete(id);
    this.#engine.handle({ kind: abi.REPLY, id, fields });
  }

  /** Does one HTTP exchange. @param {OutFrame} frame */
  async #send(frame) {
    const { id, fields } = frame;
    const [method, body] = [abi.text(fields[0]), abi.text(fields[1])];
    const controller = new AbortController();
    const { signal } = controller;
    const via = `${method} ${this.#url.pathname}`;
    this.#exchanges.set(id, controller);
    this.#usedAt = Date.now();
    this.#log('out', body, via);
    let answered = false;
    try {
      const extra = typeof this.#headers === 'function' ? await this.#headers() : this.#headers;
      const headers = new Headers(extra);
      for (const [name, value] of abi.headers(frame, 2)) headers.set(name, value);
      const response = await this.#fetch(
        new Request(this.#url, {
          method,
          headers,
          body: body || undefined,
          cache: 'no-store',
          credentials: this.#credentials,
          // So that a page that goes away can still end its session.
          keepalive: method === 'DELETE',
          signal,
        }),
      );
      answered = true;
      await this.#receive(id, response, signal, via);
    } catch (error) {
      if (signal.aborted) return;
      this.#trouble = error;
      // Browsers do not say what was wrong; Node does.
      const opaque = !answered && error instanceof TypeError && error.cause === undefined;
      this.#engine.handle({ kind: abi.EXCHANGE_FAILED, id, number: Number(opaque) });
    } finally {
      this.#exchanges.delete(id);
    }
  }

  /** @param {number} id @param {Response} response @param {AbortSignal} signal @param {string} via */
  async #receive(id, { headers, status, body }, signal, via) {
    const fields = ['content-type', 'mcp-session-id'].map((name) => headers.get(name) ?? '');
    const streams = /^text\/event-stream/i.test(fields[0]);
    const decoder = new TextDecoder();
    let rest = '';
    this.#engine.handle({ kind: abi.RESPONSE_STARTED, id, number: status, fields });
    const reader = body?.getReader();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (signal.aborted) throw signal.reason;
      if (this.#traced) {
        rest += decoder.decode(value, { stream: !done });
        const events = streams ? rest.split(/\r\n\r\n|\n\n|\r\r/) : [rest];
        if (!done || streams) rest = events.pop() ?? '';
        for (const event of events) {
          const text = streams ? event.match(/^data:[^\r\n]+/m)?.[0].slice(5).trim() : event;
          if (text !== undefined) this.#log('in', text, via, status);
        }
      }
      if (done) break;
      this.#engine.handle({ kind: abi.RESPONSE_BYTES, id, fields: [value] });
    }
    this.#engine.handle({ kind: abi.RESPONSE_ENDED, id });
  }

  /** @param {'in' | 'out'} direction @param {string} text @param {string} [via] @param {number} [status] */
  #log(direction, text, via, status) {
    if (!this.#traced) return;
    /** @type {LoggedMessage} */
    const detail = { direction, text, at: Date.now(), via, status };
    this.dispatchEvent(new SessionEvent('message', detail));
  }

  /** @param {number} id */
  #take(id) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  /** @param {OutFrame} frame @param {Call} [call] */
  #failure(frame, call) {
    const rpc = frame.kind === abi.FAILED ? abi.json(frame, 2) : undefined;
    const error = abi.failure(frame, { rpc });
    const code = 'code' in error && error.code;
    if (code === 'CANCELLED' && call?.signal?.aborted) return aborted(call.signal);
    if (code === 'TRANSPORT') error.cause = this.#trouble;
    return error;
  }

  /** @param {unknown} [error] */
  #settleOpening(error) {
    const waiters = [...this.#opening];
    this.#opening.clear();
    for (const waiter of waiters) error ? waiter.reject(error) : waiter.resolve(undefined);
  }

  /** @param {SessionError} error */
  #cutOff(error) {
    this.#session = undefined;
    this.#settleOpening(error);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    for (const controller of [...this.#exchanges.values(), ...this.#questions.values()]) {
      controller.abort();
    }
    this.#link?.close();
    if (globalThis.MessagePort && this.#port instanceof MessagePort) this.#port.close();
    this.#closed();
    this.dispatchEvent(new Event('close'));
  }
}

if (Symbol.asyncDispose) {
  /** @type {any} */ (McpClient.prototype)[Symbol.asyncDispose] = McpClient.prototype.close;
}
