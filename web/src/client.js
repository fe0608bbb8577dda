import * as abi from './abi.js';
import { Catalog } from './catalog.js';
import { changes } from './changes.js';
import { expectsHandshake, rememberEra } from './era_memory.js';
import { SessionEvent } from './errors.js';
import { Exchanges } from './exchanges.js';
import { openOldServer } from './old_server.js';
import { Link } from './port.js';
import { Questions } from './questions.js';
import { toolHeaders } from './tool_headers.js';
import { aborted, wait } from './wait.js';

/** @import { ChangesOptions, JsonObject, ListOptions, LoggedMessage, McpClientOptions, Port, RequestOptions, SavedSession, WantedChanges } from '../index.js' */
/** @import { SessionError } from './errors.js' */
/** @import { Call, OutFrame, Session, Waiter } from './types.js' */

const LOCAL = 'http://localhost/mcp';
const MAX_TIMEOUT = 2 ** 31 - 1;
const HEADER_MISMATCH = -32020;
// What only reads may be asked again when a connection broke.
const READS = /^(\w+(\/templates)?\/list|resources\/read|prompts\/get|completion\/complete|ping)$/;

export class McpClient extends EventTarget {
  #core;
  #clock;
  #settings;
  /** @type {abi.Engine} */
  #engine = /** @type {any} */ (undefined);
  #exchanges;
  #catalog;
  #questions;
  /** What the application gave, or to an old server. @type {Port | undefined} */
  #port;
  #http;
  #remembers;
  /** The engine has been, so that calls may be under way. */
  #everOpen = false;
  #lastCall = 0;
  /** Of changes. */
  #readers = 0;
  #usedAt = 0;
  /** @type {Link | undefined} */
  #link;
  /** @type {Session | undefined} */
  #session;
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

  /** @param {abi.Core} core @param {McpClientOptions} options */
  constructor(core, options) {
    super();
    const { url, port, fetch, headers, credentials, clock, answers = {}, session, listen, ...rest } = options;
    if (port ? url !== undefined || fetch : url === undefined && !fetch) {
      throw new TypeError('a client needs a url, a port or a fetch');
    }
    this.#core = core;
    this.#clock = clock;
    this.#http = !port;
    this.#questions = new Questions(answers, (frame) => this.#engine.handle(frame));
    this.#exchanges = new Exchanges(
      new URL(url ?? LOCAL, globalThis.location?.href),
      options,
      (frame) => this.#engine.handle(frame),
      (direction, ...what) => {
        if (direction === 'out') this.#usedAt = Date.now();
        this.#log(direction, ...what);
      },
    );
    this.#catalog = new Catalog(
      clock ?? (() => performance.now()),
      (...what) => this.request(...what),
      () => this.era === 'stateless',
      !port,
    );
    const { declared } = this.#questions;
    const asked = declared && true;
    this.#settings = {
      ...rest,
      asked,
      capabilities: declared ? { ...declared, ...rest.capabilities } : rest.capabilities,
      listen: (listen ?? declared) ? true : undefined,
      session: session && JSON.stringify(session),
      // One in this program answers at once, and is no origin.
      expectsHandshake: (url !== undefined && expectsHandshake(this.#exchanges.url)) || undefined,
    };
    this.#remembers = url !== undefined;
    this.#start(port);
  }

  /** Begins, over HTTP or with a port. @param {Port | undefined} port */
  #start(port) {
    const older = port && this.#http;
    const settings = { ...this.#settings, ...(port && { channel: true }), ...(older && { era: 'handshake' }) };
    const before = this.#engine;
    const engine = new abi.Engine(this.#core, 'client', settings, {
      clock: this.#clock,
      apply: (frame) => this.#apply(frame),
      died: (error) => this.#engine === engine && this.#cutOff(error),
      busy: () => this.#calls.size + this.#opening.size + this.#readers > 0,
    });
    this.#engine = engine;
    this.#everOpen = false;
    before?.close();
    this.#port = port;
    this.#link = port && new Link(
      port,
      (text) => {
        this.#log('in', text);
        engine.handle({ kind: abi.MESSAGE_ARRIVED, fields: [text] });
      },
      () => {
        engine.handle({ kind: abi.CHANNEL_CLOSED });
        if (!older || this.#closing) return engine.close();
        this.#lose();
        this.#start(undefined);
      },
    );
  }

  /** No endpoint of a newer revision: maybe of the oldest. @param {unknown} error if not */
  async #fallBack(error) {
    const calls = [...this.#calls];
    this.#calls.clear();
    try {
      const { url } = this.#exchanges;
      const port = await openOldServer(url, (at, init) => this.#exchanges.ask(at, init));
      if (this.#closing) throw port.close();
      this.#start(port);
      for (const [id, call] of calls) {
        this.#calls.set(id, call);
        if (call.signal?.aborted) this.#take(id)?.reject(aborted(call.signal));
        else this.#engine.handle(call.frame);
      }
      this.#engine.handle({ kind: abi.OPEN });
    } catch {
      this.#settleOpening(error);
      for (const [, call] of calls) call.reject(error);
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
    // That of an old server is its stream.
    if (!this.#session || (this.#http && this.#link)) return undefined;
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

  /** @param {ListOptions} [options] */
  listTools(options) {
    return this.#catalog.listTools(options);
  }

  /** @param {ListOptions} [options] */
  listResources(options) {
    return this.#catalog.list('resources', options);
  }

  /** @param {ListOptions} [options] */
  listResourceTemplates(options) {
    return this.#catalog.list('resources/templates', options, 'resourceTemplates');
  }

  /** @param {ListOptions} [options] */
  listPrompts(options) {
    return this.#catalog.list('prompts', options);
  }

  /** @param {string} uri @param {ListOptions} [options] */
  readResource(uri, options) {
    return this.#catalog.read(uri, options);
  }

  /** @param {WantedChanges} wanted @param {ChangesOptions} [options] */
  async *changes(wanted, options = {}) {
    ++this.#readers;
    try {
      yield* changes(this, wanted, options, () => !!(this.#settings.listen || this.#link));
    } finally {
      --this.#readers;
    }
  }

  rootsChanged() {
    this.#engine.handle({ kind: abi.ROOTS_CHANGED });
  }

  /** @param {string} name @param {JsonObject} [args] @param {RequestOptions} [options] */
  callTool(name, args = {}, options) {
    const { repeatable = false } = this.#catalog.tool(name) ?? {};
    return this.request('tools/call', { name, arguments: args }, { repeatable, ...options });
  }

  /**
   * @param {string} method
   * @param {JsonObject} [params]
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async request(method, params, options) {
    try {
      return await this.#request(method, params, options);
    } catch (/** @type {any} */ error) {
      if (method !== 'tools/call' || error.rpc?.code !== HEADER_MISMATCH) throw error;
      // Nothing was done: the server wants headers that the list of tools tells of (spec S-40).
      await this.#catalog.refresh().catch(() => {
        throw error;
      });
      return this.#request(method, params, options);
    }
  }

  /** @param {string} method @param {JsonObject} [params] @param {RequestOptions} [options] */
  #request(method, params, { signal, timeout = 0, onProgress, repeatable = READS.test(method) } = {}) {
    if (typeof method !== 'string') throw new TypeError('method must be a string');
    if (!(timeout >= 0)) throw new TypeError('timeout must be a number of milliseconds');
    const id = ++this.#lastCall;
    const number = timeout === Infinity ? -1 : Math.min(Math.ceil(timeout), MAX_TIMEOUT);
    const tool = method === 'tools/call' ? this.#catalog.tool(params?.name) : undefined;
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
        const frame = { kind: abi.REQUEST, id, number, fields };
        this.#calls.set(id, { ...waiter, onProgress, signal, frame });
        this.#engine.handle(frame, (error) => this.#take(id)?.reject(error));
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
    this.#exchanges.traced ||= type === 'message';
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
        this.#exchanges.send(frame);
        break;
      case abi.HTTP_ABORT:
        this.#exchanges.abort(id);
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
        this.#everOpen = true;
        if (this.#remembers && !this.#port) rememberEra(this.#exchanges.url, this.#session.era);
        this.#settleOpening();
        this.dispatchEvent(new Event('open'));
        break;
      case abi.OPEN_FAILED: {
        const error = /** @type {any} */ (this.#failure(frame));
        const older = error.code === 'UNSUPPORTED_VERSION' && this.#settings.era !== 'stateless';
        if (older && !this.#port && !this.#everOpen) this.#fallBack(error);
        else this.#settleOpening(error);
        break;
      }
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
        this.#catalog.cache.hear(detail.method);
        this.dispatchEvent(new SessionEvent('notification', detail));
        break;
      }
      case abi.ASKED:
        // What comes of questions is not kept (spec M-11).
        ++this.#catalog.cache.changes;
        this.#questions.ask(frame);
        break;
      case abi.WITHDRAWN:
        this.#questions.withdraw(id);
        break;
      case abi.SESSION_LOST:
        this.#lose();
        break;
      case abi.CLOSED:
        this.#session = undefined;
        // Also what an aborted connect() asked for.
        if (this.#closing) this.#engine.close();
    }
  }

  #lose() {
    this.#session = undefined;
    this.#catalog.cache.forget();
    this.dispatchEvent(new Event('sessionlost'));
  }

  /** @param {'in' | 'out'} direction @param {string} text @param {string} [via] @param {number} [status] */
  #log(direction, text, via, status) {
    if (!this.#exchanges.traced) return;
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
    if (code === 'TRANSPORT') error.cause = this.#exchanges.trouble;
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
    this.#exchanges.abort();
    this.#questions.withdraw();
    this.#link?.close();
    const port = /** @type {any} */ (this.#port);
    if (this.#http || (globalThis.MessagePort && port instanceof MessagePort)) port?.close();
    this.#closed();
    this.dispatchEvent(new Event('close'));
  }
}

if (Symbol.asyncDispose) {
  /** @type {any} */ (McpClient.prototype)[Symbol.asyncDispose] = McpClient.prototype.close;
}
