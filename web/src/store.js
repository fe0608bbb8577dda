import * as abi from './abi.js';
import { SessionError, SessionEvent } from './errors.js';
import { Item, holdLock } from './persist.js';

/** @import { RecordKey, RecordLife, StoreOptions } from '../index.js' */
/** @import { Field, OutFrame, StoreAnswer } from './types.js' */

const SAVE_DELAY = 200;
const PAGE = 100;
const TRIES = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class StoredRecord {
  /** @param {string} id @param {Uint8Array} data @param {number} version @param {number} expiresIn @param {number | undefined} maxLifeLeft */
  constructor(id, data, version, expiresIn, maxLifeLeft) {
    this.id = id;
    this.data = data;
    this.version = version;
    this.expiresIn = expiresIn;
    this.maxLifeLeft = maxLifeLeft;
  }
  text() {
    return decoder.decode(this.data);
  }
  json() {
    return JSON.parse(this.text());
  }
}

/** @param {Uint8Array | undefined} field */
const float = (field) =>
  field && new DataView(field.buffer, field.byteOffset).getFloat64(0, true);

/** @param {OutFrame} frame @param {string} id */
function toRecord({ fields }, id) {
  const [, data, version, expiresIn, maxLifeLeft] = fields;
  return new StoredRecord(
    abi.text(fields[0]) || id,
    /** @type {Uint8Array} */ (data).slice(),
    Number(float(version)),
    Number(float(expiresIn)),
    float(maxLifeLeft),
  );
}

/** @param {unknown} data */
function toBytes(data) {
  if (data instanceof Uint8Array) return data;
  return encoder.encode(typeof data === 'string' ? data : JSON.stringify(data));
}

/** @param {unknown} value */
const plain = (value) => {
  if (typeof value !== 'string') throw new TypeError('owner, kind and id are strings');
  return value;
};

/** @param {RecordKey} key */
const fieldsOf = ({ owner = '', kind, id }) => [owner, kind, id].map(plain);

export class SessionStore extends EventTarget {
  #engine;
  #lifetime;
  /** @type {OutFrame[]} */
  #out = [];
  /** @type {Item | undefined} */
  #item;
  #release = () => {};
  #saved = 0;
  /** @type {any} */
  #timer;
  #saving = Promise.resolve();

  /** @param {abi.Core} core @param {StoreOptions} options */
  constructor(core, { prefix, defaultTtl, persist, encrypt, clock, ...limits } = {}) {
    super();
    this.#lifetime = defaultTtl;
    this.#engine = new abi.Engine(core, 'store', limits, {
      clock,
      apply: (frame) => this.#out.push(frame),
      died: () => {
        clearTimeout(this.#timer);
        globalThis.removeEventListener?.('pagehide', this.#saveNow);
        this.#release();
      },
    });
    if (persist) this.#item = new Item(`store ${prefix ?? ''}`, encrypt);
  }

  /** For a server that stands on it. */
  get engine() {
    return this.#engine;
  }

  /** @param {() => void} release what lets another page have it */
  async restore(release) {
    this.#release = release;
    const saved = await this.#item?.load();
    if (saved) {
      const age = Math.max(0, Date.now() - saved.at);
      this.#run(abi.STORE_RESTORE, [saved.bytes, age]);
    }
    this.#saved = this.#engine.changes();
    globalThis.addEventListener?.('pagehide', this.#saveNow);
  }

  #saveNow = () => {
    this.save().catch((error) => this.#complain(error));
  };

  /** @param {RecordKey} key @param {unknown} data @param {RecordLife} [life] */
  async create(key, data, { ttl = this.#lifetime, maxLife, remember } = {}) {
    return this.#record(abi.STORE_CREATE, key, [toBytes(data), ttl, maxLife, remember]);
  }

  /** @param {RecordKey} key */
  async get(key) {
    return this.#record(abi.STORE_GET, key).catch((error) => {
      if (error.code === 'NOT_FOUND' || error.code === 'EXPIRED') return undefined;
      throw error;
    });
  }

  /** @param {RecordKey} key @param {unknown} data @param {{ version?: number }} [options] */
  async put(key, data, { version } = {}) {
    return this.#record(abi.STORE_PUT, key, [toBytes(data), version]);
  }

  /** @param {RecordKey} key @param {(record: StoredRecord) => unknown} change */
  async update(key, change) {
    let record = await this.#record(abi.STORE_GET, key);
    for (let tries = 1; ; ++tries) {
      const data = await change(record);
      if (data === undefined) return record;
      try {
        return await this.put(key, data, { version: record.version });
      } catch (/** @type {any} */ error) {
        if (error.code !== 'CONFLICT' || tries === TRIES) throw error;
        record = error.current;
      }
    }
  }

  /** @param {RecordKey} key */
  async touch(key) {
    this.#answer(abi.STORE_TOUCH, fieldsOf(key));
  }

  /** @param {RecordKey} key @param {{ version?: number }} [options] */
  async remove(key, { version } = {}) {
    return this.#answer(abi.STORE_REMOVE, [...fieldsOf(key), version], key.id).removed > 0;
  }

  /** @param {string} owner */
  async removeOwned(owner) {
    return this.#answer(abi.STORE_REMOVE_OWNED, [plain(owner)]).removed;
  }

  /** @param {{ owner: string, kind: string }} of */
  async *list({ owner, kind }) {
    let cursor = '';
    do {
      const page = this.#answer(abi.STORE_LIST, [owner, kind, cursor].map(plain), '', PAGE);
      yield* page.records;
      cursor = page.cursor;
    } while (cursor);
  }

  snapshot() {
    const [frame] = this.#run(abi.STORE_SAVE, []);
    return /** @type {Uint8Array} */ (frame.fields[0]).slice();
  }

  /** Soon, if anything changed. */
  changed() {
    if (!this.#item || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#saveNow();
    }, SAVE_DELAY);
  }

  /** @returns {Promise<void>} */
  save() {
    const save = async () => {
      const changes = this.#engine.changes();
      if (!this.#item || changes === this.#saved) return;
      await this.#item.save(this.snapshot());
      this.#saved = changes;
    };
    // One after the other, so that the last one is the newest.
    const saved = this.#saving.then(save);
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async close() {
    try {
      await this.save();
    } finally {
      this.#engine.close();
    }
  }

  /** @param {unknown} error */
  #complain(error) {
    const event = new SessionEvent('error', error, { cancelable: true });
    if (this.dispatchEvent(event)) console.error(error);
  }

  /** @param {number} kind @param {Field[]} fields @param {number} [number] */
  #run(kind, fields, number) {
    /** @type {unknown} */
    let failure;
    this.#out = [];
    this.#engine.handle({ kind, fields, number }, (error) => {
      failure = error;
    });
    if (failure) throw failure;
    return this.#out;
  }

  /** @param {number} kind @param {Field[]} fields @param {string} [id] @param {number} [number] @returns {StoreAnswer} */
  #answer(kind, fields, id = '', number) {
    const frames = this.#run(kind, fields, number);
    const last = /** @type {OutFrame} */ (frames.pop());
    const records = frames.map((frame) => toRecord(frame, id));
    if (last.kind === abi.STORE_FAILED) {
      const code = /** @type {any} */ (abi.text(last.fields[0]));
      if (code === 'INVALID_ARGUMENT') throw new TypeError('no such key, lifetime or version');
      const error = new SessionError(code, `the store says: ${code.toLowerCase().replace('_', ' ')}`);
      throw Object.assign(error, { current: records[0] });
    }
    if (kind !== abi.STORE_LIST) this.changed();
    return { records, removed: last.number, cursor: abi.text(last.fields[0]) };
  }

  /** @param {number} kind @param {RecordKey} key @param {Field[]} more @returns {Promise<StoredRecord>} */
  async #record(kind, key, more = []) {
    return this.#answer(kind, [...fieldsOf(key), ...more], key.id).records[0];
  }
}

if (Symbol.asyncDispose) {
  /** @type {any} */ (SessionStore.prototype)[Symbol.asyncDispose] = SessionStore.prototype.close;
}

/** @param {abi.Core} core @param {StoreOptions} [options] */
export async function createSessionStore(core, options = {}) {
  const store = new SessionStore(core, options);
  if (!options.persist) return store;
  try {
    await store.restore(await holdLock(`mcp-session store ${options.prefix ?? ''}`, true));
    return store;
  } catch (error) {
    store.engine.close();
    throw error;
  }
}
