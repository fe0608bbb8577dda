// The only file that knows the ABI (wasm/abi.h) and touches linear memory.
import { SessionError } from './errors.js';

const ABI_VERSION = 1;
const ABSENT = 0xffffffff;
const HEAD = 20;
const MAX_TIMER = 2 ** 31 - 1;

// wasm/abi.h, enum mcps_frame
export const ERROR = 0;
export const WOKEN = 1;
export const MESSAGE_ARRIVED = 2;
export const CHANNEL_CLOSED = 3;
export const SEND = 8;
export const HTTP_REQUESTED = 16;
export const EXCHANGE_CLOSED = 17;
export const CHANNEL_OPENED = 18;
export const TOOL_REPLIED = 19;
export const TOOL_FAILED = 20;
export const TOOL_PROGRESS = 21;
export const HTTP_RESPOND = 32;
export const HTTP_STREAM = 33;
export const HTTP_CHUNK = 34;
export const HTTP_END = 35;
export const TOOL_CALLED = 36;
export const TOOL_CANCELLED = 37;
export const OPEN = 48;
export const REQUEST = 49;
export const CANCEL = 50;
export const CLOSE = 51;
export const RESPONSE_STARTED = 52;
export const RESPONSE_BYTES = 53;
export const RESPONSE_ENDED = 54;
export const EXCHANGE_FAILED = 55;
export const REPLY = 56;
export const ROOTS_CHANGED = 57;
export const HTTP_SEND = 64;
export const HTTP_ABORT = 65;
export const OPENED = 66;
export const OPEN_FAILED = 67;
export const ANSWERED = 68;
export const FAILED = 69;
export const PROGRESSED = 70;
export const NOTIFIED = 71;
export const SESSION_LOST = 72;
export const CLOSED = 73;
export const ASKED = 74;
export const WITHDRAWN = 75;
export const STORE_CREATE = 80;
export const STORE_GET = 81;
export const STORE_PUT = 82;
export const STORE_TOUCH = 83;
export const STORE_REMOVE = 84;
export const STORE_REMOVE_OWNED = 85;
export const STORE_LIST = 86;
export const STORE_SAVE = 87;
export const STORE_RESTORE = 88;
export const STORE_RECORD = 96;
export const STORE_DONE = 97;
export const STORE_FAILED = 98;
export const STORE_SAVED = 99;

/** @import { Entropy, Fail, Host, InFrame, OutFrame } from './types.js' */
/** @import { ErrorCode } from '../index.js' */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** @param {Uint8Array | undefined} field */
export const text = (field) => decoder.decode(field);

/** @param {OutFrame} frame @param {number} index */
export const json = (frame, index) => {
  const field = frame.fields[index];
  return field && JSON.parse(text(field));
};

/** The headers in a frame's fields from `first` on. @param {OutFrame} frame @param {number} first */
export function headers(frame, first) {
  /** @type {[string, string][]} */
  const pairs = [];
  for (let i = first; i + 1 < frame.fields.length; i += 2) {
    pairs.push([text(frame.fields[i]), text(frame.fields[i + 1])]);
  }
  return pairs;
}

/** @param {OutFrame} frame */
export function failure({ fields }, options = {}) {
  const code = /** @type {ErrorCode} */ (text(fields[0]));
  const message = text(fields[1]);
  if (code === 'INVALID_ARGUMENT') return new TypeError(message);
  return new SessionError(code, message, options);
}

/** @param {DataView} view @param {number} at @param {number} id */
function setId(view, at, id) {
  view.setUint32(at, id >>> 0, true);
  view.setUint32(at + 4, Math.floor(id / 2 ** 32), true);
}

/** @param {InFrame} frame */
function encode({ kind, id = 0, number = 0, fields = [] }) {
  const parts = fields.map((field) => {
    if (typeof field === 'number') return new Uint8Array(new Float64Array([field]).buffer);
    return typeof field === 'string' ? encoder.encode(field) : field;
  });
  const size = parts.reduce((sum, part) => sum + 4 + (part?.length ?? 0), HEAD);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, kind, true);
  view.setInt32(4, number, true);
  setId(view, 8, id);
  view.setUint32(16, parts.length, true);
  let at = HEAD;
  for (const part of parts) {
    view.setUint32(at, part?.length ?? ABSENT, true);
    at += 4;
    if (part) bytes.set(part, at);
    at += part?.length ?? 0;
  }
  return bytes;
}

/** @param {Uint8Array} bytes */
function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  /** @type {OutFrame[]} */
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    const u32 = () => view.getUint32((at += 4) - 4, true);
    const kind = u32();
    const number = u32() | 0;
    const id = u32() + u32() * 2 ** 32;
    const fields = Array.from({ length: u32() }, () => {
      const length = u32();
      if (length === ABSENT) return undefined;
      return bytes.subarray(at, (at += length));
    });
    frames.push({ kind, id, number, fields });
  }
  return frames;
}

/** @param {unknown} value */
const encodeJson = (value) => encoder.encode(JSON.stringify(value));

/** @type {FinalizationRegistry<() => void>} */
const net = new FinalizationRegistry((release) => release());

export class Core {
  /** @type {any} */
  #wasm;
  /** @type {SessionError | undefined} */
  #death;
  /** @type {Set<WeakRef<Engine>>} */
  engines = new Set();

  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    const wasm = /** @type {any} */ (instance?.exports);
    if (wasm?.mcps_abi_version?.() !== ABI_VERSION) {
      throw new TypeError('not the core.wasm of this version');
    }
    this.#wasm = wasm;
    this.call('_initialize');
  }

  get dead() {
    return !!this.#death;
  }

  get memoryBytes() {
    return this.#wasm.memory.buffer.byteLength;
  }

  /** Anything thrown from inside leaves the core in no known state. @param {string} name @param {any[]} args */
  call(name, ...args) {
    if (this.#death) throw this.#death;
    try {
      return this.#wasm[name](...args);
    } catch (cause) {
      this.#death = new SessionError('CORE_DEAD', 'the core stopped; load a new one', { cause });
      for (const engine of this.engines) engine.deref()?.die(this.#death);
      throw this.#death;
    }
  }

  /**
   * Calls a function that takes input among its arguments: what it returned, and its output.
   * @param {string} name @param {Uint8Array} input @param {any[]} before @param {any[]} after
   */
  exchange(name, input, before = [], after = []) {
    const at = this.call('mcps_alloc', input.length) >>> 0;
    if (!at) throw new SessionError('CAPACITY', 'the core is out of memory');
    new Uint8Array(this.#wasm.memory.buffer, at, input.length).set(input);
    const returned = this.call(name, ...before, at, input.length, ...after);
    const output = this.call('mcps_output') >>> 0;
    const size = this.call('mcps_output_size') >>> 0;
    const bytes = new Uint8Array(this.#wasm.memory.buffer, output, size).slice();
    this.call('mcps_free', at);
    return { returned, frames: decode(bytes) };
  }
}

/** @type {Entropy} */
const webCrypto = (bytes) => {
  crypto.getRandomValues(bytes);
};

/** What a module imports, and where it finds its memory. @param {Entropy} entropy */
function imports(entropy) {
  /** @type {any} */
  const host = {};
  host.env = {
    /** @param {number} at @param {number} size */
    mcps_entropy(at, size) {
      const bytes = new Uint8Array(size);
      entropy(bytes);
      new Uint8Array(host.instance.exports.memory.buffer, at >>> 0, size).set(bytes);
    },
  };
  return host;
}

/** @param {unknown} module */
function check(module) {
  if (!(module instanceof WebAssembly.Module)) throw new TypeError('no WebAssembly.Module');
  return module;
}

/** @param {WebAssembly.Module} module @param {{ entropy?: Entropy }} [options] */
export function loadSync(module, { entropy = webCrypto } = {}) {
  const host = imports(entropy);
  host.instance = new WebAssembly.Instance(check(module), host);
  return new Core(host.instance);
}

/** @param {WebAssembly.Module} module @param {{ entropy?: Entropy }} [options] */
export async function start(module, { entropy = webCrypto } = {}) {
  const host = imports(entropy);
  host.instance = await WebAssembly.instantiate(check(module), host);
  return new Core(host.instance);
}

/**
 * One server or client of a core, with its clock and its timer. What comes out is applied in
 * order: what goes in meanwhile waits.
 */
export class Engine {
  #core;
  #kind;
  #clock;
  #apply;
  #died;
  #busyness;
  #handle;
  #release;
  /** @type {{ frame: InFrame, fail: Fail }[]} */
  #queue = [];
  #busy = false;
  /** @type {any} */
  #timer;
  #deadline = Infinity;
  /** @type {SessionError | undefined} */
  #end;

  /**
   * @param {Core} core @param {'server' | 'client' | 'store'} kind @param {unknown} options
   * @param {Host} host @param {Engine} [store] what a server stands on, if not its own
   */
  constructor(core, kind, options, { clock = () => performance.now(), apply, died, busy = () => false }, store) {
    if (!(core instanceof Core)) throw new TypeError('the first argument is the core from load()');
    if (typeof clock !== 'function') throw new TypeError('clock must be a function');
    this.#core = core;
    this.#kind = kind;
    this.#clock = clock;
    this.#apply = apply;
    this.#died = died;
    this.#busyness = busy;
    if (store && (store.#core !== core || store.#end)) {
      throw new TypeError('the store is closed, or of another core');
    }
    const beneath = store ? store.#handle : 0;
    const { returned, frames } =
      core.exchange(`mcps_${kind}_new`, encodeJson(options), [], [beneath]);
    if (!returned) throw failure(frames[0]);
    this.#handle = returned;
    const ref = new WeakRef(this);
    core.engines.add(ref);
    this.#release = () => {
      core.engines.delete(ref);
      if (!core.dead) core.call(`mcps_${kind}_delete`, returned);
    };
    net.register(this, this.#release, this);
  }

  /** @param {unknown} tool */
  addTool(tool) {
    if (this.#end) throw this.#end;
    const { returned, frames } =
      this.#core.exchange('mcps_server_tool', encodeJson(tool), [this.#handle]);
    if (returned) throw failure(frames[0]);
  }

  /** Of a store: how many changes there may have been. */
  changes() {
    return this.#end ? 0 : this.#core.call('mcps_store_changes', this.#handle);
  }

  /** Never throws: what fails is told to `fail`. @param {InFrame} frame @param {Fail} [fail] */
  handle(frame, fail = () => {}) {
    this.#queue.push({ frame, fail });
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        if (this.#end) throw this.#end;
        const { returned, frames } = this.#core.exchange(
          `mcps_${this.#kind}_handle`,
          encode(next.frame),
          [this.#handle],
          [this.#clock()],
        );
        if (returned) throw failure(frames[0]);
        for (const effect of frames) this.#apply(effect);
      } catch (error) {
        next.fail(error);
      }
    }
    this.#busy = false;
    this.#schedule();
  }

  #schedule() {
    if (this.#end) return;
    const deadline = this.#core.call(`mcps_${this.#kind}_deadline`, this.#handle);
    if (deadline === this.#deadline) return;
    this.#deadline = deadline;
    clearTimeout(this.#timer);
    if (deadline === Infinity) return;
    const delay = Math.min(Math.max(Math.ceil(deadline - this.#clock()), 0), MAX_TIMER);
    this.#timer = setTimeout(() => {
      this.#deadline = Infinity;
      this.handle({ kind: WOKEN });
    }, delay);
    // Nothing but somebody's waiting for it keeps Node running.
    if (!this.#busyness()) this.#timer.unref?.();
  }

  /** @param {SessionError} error */
  die(error) {
    if (this.#end) return;
    this.#end = error;
    clearTimeout(this.#timer);
    net.unregister(this);
    this.#release();
    this.#died(error);
  }

  close() {
    this.die(new SessionError('CANCELLED', `the ${this.#kind} is closed`));
  }
}
