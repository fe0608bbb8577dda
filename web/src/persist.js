import { SessionError } from './errors.js';

/** @import { Saved } from './types.js' */

const DATABASE = 'mcp-session';
const ITEMS = 'items';

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransactionMode} mode @param {(items: IDBObjectStore) => IDBRequest} act */
async function within(mode, act) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(ITEMS);
  const database = await done(opening);
  try {
    const transaction = database.transaction(ITEMS, mode);
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    ended.catch(() => {}); // told by the request, if it failed
    const result = await done(act(transaction.objectStore(ITEMS)));
    await ended;
    return result;
  } finally {
    database.close();
  }
}

/** One thing kept in IndexedDB, by its name: bytes, and when they were saved. */
export class Item {
  #name;
  #encrypt;
  /** @type {Promise<CryptoKey> | undefined} */
  #key;

  /** @param {string} name @param {boolean} [encrypt] by a key that pages can use and not read */
  constructor(name, encrypt = false) {
    this.#name = name;
    this.#encrypt = encrypt;
  }

  /** @returns {Promise<Saved | undefined>} */
  async load() {
    const saved = await within('readonly', (items) => items.get(this.#name));
    if (!saved?.iv) return saved;
    const algorithm = { name: 'AES-GCM', iv: saved.iv };
    // Bytes that the key does not open are none of ours: as if there were none.
    try {
      const bytes = await crypto.subtle.decrypt(algorithm, await this.#getKey(), saved.bytes);
      return { bytes: new Uint8Array(bytes), at: saved.at };
    } catch {
      return undefined;
    }
  }

  /** @param {Uint8Array} bytes */
  async save(bytes) {
    /** @type {Saved} */
    const item = { bytes, at: Date.now() };
    if (this.#encrypt) {
      item.iv = crypto.getRandomValues(new Uint8Array(12));
      const algorithm = { name: 'AES-GCM', iv: item.iv };
      item.bytes = new Uint8Array(
        await crypto.subtle.encrypt(algorithm, await this.#getKey(), /** @type {any} */ (bytes)),
      );
    }
    await within('readwrite', (items) => items.put(item, this.#name));
  }

  async remove() {
    await within('readwrite', (items) => items.delete(this.#name));
  }

  #getKey() {
    return (this.#key ??= this.#makeKey());
  }

  /** @returns {Promise<CryptoKey>} */
  async #makeKey() {
    const name = `${this.#name} key`;
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]);
    // Whoever comes second uses the key of the first.
    await within('readwrite', (items) => {
      const there = items.getKey(name);
      there.addEventListener('success', () => there.result ?? items.put(made, name));
      return there;
    });
    return within('readonly', (items) => items.get(name));
  }
}

/**
 * Takes a Web Lock for as long as nobody calls what it answers, or the page lives.
 * @param {string} name @param {boolean} [ifAvailable] do not wait for it
 * @returns {Promise<() => void>}
 */
export function holdLock(name, ifAvailable = false) {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable }, (lock) => {
        if (!lock) throw new SessionError('LOCKED', 'another page or worker has it open');
        return new Promise((release) => resolve(() => release(undefined)));
      })
      .catch(reject);
  });
}
