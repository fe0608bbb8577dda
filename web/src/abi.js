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
export const TRACE = 56;
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
export const RECEIVED = 74;

/** @typedef {string | Uint8Array | number | undefined} Field - numbers are f64 */
/** @typedef {{ kind: number, id?: number, number?: number, fields?: Field[] }} InFrame */
/** @typedef {{ kind: number, id: number, number: number, fields: (Uint8Array | undefined)[] }} OutFrame */
/** @typedef {(bytes: Uint8Array) => void} Entropy */
/** @typedef {'server' | 'client'} Kind */

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

/** @param {OutFrame} frame - whose fields are [code, message, ...] */
export function failure({ fields }, options = {}) {
  const code = /** @type {import('../index.js').ErrorCode} */ (text(fields[0]));
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

/** @type {FinalizationRegistry<() => void>} */
const net = new FinalizationRegistry((release) => release());

export class Core {
  /** @type {any} */
  #wasm;
  /** @type {Set<WeakRef<Engine>>} */
  #engines = new Set();
  /** @type {SessionError | undefined} */
  #death;

  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    const wasm = /** @type {any} */ (instance?.exports);
    if (wasm?.mcps_abi_version?.() !== ABI_VERSION) {
      throw new TypeError('this is not the core.wasm of this version; use load() or loadSync()');
    }
    this.#wasm = wasm;
    this.#call('_initialize');
  }

  get dead() {
    return this.#death !== undefined;
  }

  get memoryBytes() {
    return this.#wasm.memory.buffer.byteLength;
  }

  /** Anything thrown from inside leaves the core in no known state. @param {string} name @param {any[]} args */
  #call(name, ...args) {
    if (this.#death) throw this.#death;
    try {
      return this.#wasm[name](...args);
    } catch (cause) {
      this.#death = new SessionError('CORE_DEAD', 'the core stopped; load a new one', { cause });
      for (const engine of this.#engines) engine.deref()?.die(this.#death);
      this.#engines.clear();
      throw this.#death;
    }
  }

  /**
   * Calls mcps_KIND_WHAT with input; what it returned and the frames of the output.
   * @param {string} what @param {Uint8Array} input @param {any[]} before @param {any[]} after
   */
  #exchange(what, input, before, after) {
    const at = this.#call('mcps_alloc', input.length) >>> 0;
    if (at === 0) throw new SessionError('CAPACITY', 'the core is out of memory');
    new Uint8Array(this.#wasm.memory.buffer, at, input.length).set(input);
    const returned = this.#call(what, ...before, at, input.length, ...after);
    const output = this.#call('mcps_output') >>> 0;
    const size = this.#call('mcps_output_size') >>> 0;
    const bytes = new Uint8Array(this.#wasm.memory.buffer, output, size).slice();
    this.#call('mcps_free', at);
    return { returned, frames: decode(bytes) };
  }

  /** @param {Kind} kind @param {unknown} options @returns {number} */
  make(kind, options) {
    const input = encoder.encode(JSON.stringify(options));
    const { returned, frames } = this.#exchange(`mcps_${kind}_new`, input, [], []);
    if (returned === 0) throw failure(frames[0]);
    return returned;
  }

  /** @param {number} server @param {unknown} tool */
  addTool(server, tool) {
    const input = encoder.encode(JSON.stringify(tool));
    const { returned, frames } = this.#exchange('mcps_server_tool', input, [server], []);
    if (returned !== 0) throw failure(frames[0]);
  }

  /** @param {Kind} kind @param {number} handle @param {InFrame} frame @param {number} now */
  handle(kind, handle, frame, now) {
    const { returned, frames } =
      this.#exchange(`mcps_${kind}_handle`, encode(frame), [handle], [now]);
    if (returned !== 0) throw failure(frames[0]);
    return frames;
  }

  /** @param {Kind} kind @param {number} handle @returns {number} */
  deadline(kind, handle) {
    return this.#call(`mcps_${kind}_deadline`, handle);
  }

  /** @param {Kind} kind @param {number} handle @param {WeakRef<Engine>} engine */
  release(kind, handle, engine) {
    if (this.#engines.delete(engine)) this.#call(`mcps_${kind}_delete`, handle);
  }

  /** @param {WeakRef<Engine>} engine */
  watch(engine) {
    this.#engines.add(engine);
  }
}

/** @param {Entropy} entropy */
function imports(entropy) {
  /** @type {{ instance?: WebAssembly.Instance }} */
  const host = {};
  const env = {
    /** @param {number} at @param {number} size */
    mcps_entropy(at, size) {
      const bytes = new Uint8Array(size);
      entropy(bytes);
      const memory = /** @type {WebAssembly.Memory} */ (host.instance?.exports.memory);
      new Uint8Array(memory.buffer, at >>> 0, size).set(bytes);
    },
  };
  return { host, imports: { env } };
}

/** @param {WebAssembly.Module} module @param {Entropy} entropy */
export async function start(module, entropy) {
  const made = imports(entropy);
  made.host.instance = await WebAssembly.instantiate(module, made.imports);
  return new Core(made.host.instance);
}

/** @param {WebAssembly.Module} module @param {Entropy} entropy */
export function startSync(module, entropy) {
  const made = imports(entropy);
  made.host.instance = new WebAssembly.Instance(module, made.imports);
  return new Core(made.host.instance);
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
  #handle;
  #ref;
  /** @type {{ frame: InFrame, fail: (error: unknown) => void }[]} */
  #queue = [];
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #deadline = Infinity;
  /** @type {SessionError | undefined} */
  #end;

  /**
   * @param {Core} core
   * @param {Kind} kind
   * @param {unknown} options
   * @param {{ clock?: () => number, apply: (frame: OutFrame) => void, died: (error: SessionError) => void }} host
   */
  constructor(core, kind, options, { clock, apply, died }) {
    if (!(core instanceof Core)) throw new TypeError('the first argument is the core from load()');
    if (clock !== undefined && typeof clock !== 'function') throw new TypeError('clock must be a function');
    this.#core = core;
    this.#kind = kind;
    this.#clock = clock ?? (() => performance.now());
    this.#apply = apply;
    this.#died = died;
    const handle = (this.#handle = core.make(kind, options));
    const ref = (this.#ref = new WeakRef(this));
    core.watch(ref);
    net.register(this, () => core.release(kind, handle, ref), this);
  }

  get closed() {
    return this.#end !== undefined;
  }

  /** @param {unknown} tool */
  addTool(tool) {
    if (this.#end) throw this.#end;
    this.#core.addTool(this.#handle, tool);
  }

  /** Never throws: what fails is told to `fail`. @param {InFrame} frame @param {(error: unknown) => void} [fail] */
  handle(frame, fail = () => {}) {
    this.#queue.push({ frame, fail });
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        if (this.#end) throw this.#end;
        const out = this.#core.handle(this.#kind, this.#handle, next.frame, this.#clock());
        for (const effect of out) this.#apply(effect);
      } catch (error) {
        next.fail(error);
      }
    }
    this.#busy = false;
    this.#schedule();
  }

  #schedule() {
    if (this.#end) return;
    const deadline = this.#core.deadline(this.#kind, this.#handle);
    if (deadline === this.#deadline) return;
    this.#deadline = deadline;
    clearTimeout(this.#timer);
    if (deadline === Infinity) return;
    const delay = Math.min(Math.max(Math.ceil(deadline - this.#clock()), 0), MAX_TIMER);
    this.#timer = setTimeout(() => {
      this.#deadline = Infinity;
      this.handle({ kind: WOKEN });
    }, delay);
    /** @type {any} */ (this.#timer).unref?.();
  }

  /** @param {SessionError} error */
  die(error) {
    if (this.#end) return;
    this.#end = error;
    clearTimeout(this.#timer);
    net.unregister(this);
    this.#died(error);
  }

  close() {
    if (this.#end) return;
    this.die(new SessionError('CANCELLED', `the ${this.#kind} is closed`));
    if (!this.#core.dead) this.#core.release(this.#kind, this.#handle, this.#ref);
  }
}
