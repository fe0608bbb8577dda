// What a stateless server lets its clients keep for a while (spec F-11, F-12).

const A_DAY = 86_400_000;
const MAX_ENTRIES = 100;
const MAX_CHARACTERS = 4 << 20;
const STALE = /^notifications\/(\w+)\/(list_changed|updated|acknowledged)$/;

/** Results by what was asked for; of too many the oldest go. */
export class ResultCache {
  #now;
  /** @type {Map<string, { text: string, until: number }>} */
  #entries = new Map();
  #characters = 0;
  /** Counts what makes results stale: those that were asked for before are not to be kept. */
  changes = 0;

  /** @param {() => number} now */
  constructor(now) {
    this.#now = now;
  }

  /** @param {string} key @returns {any} */
  find(key) {
    const entry = this.#entries.get(key);
    return entry && this.#now() < entry.until ? JSON.parse(entry.text) : undefined;
  }

  /** @param {string} key @param {unknown} value @param {unknown} ttl @param {number} changes when it was asked for */
  keep(key, value, ttl, changes) {
    this.#drop(key);
    if (changes !== this.changes || typeof ttl !== 'number' || !(ttl > 0)) return;
    const text = JSON.stringify(value);
    this.#entries.set(key, { text, until: this.#now() + Math.min(ttl, A_DAY) });
    this.#characters += text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#characters <= MAX_CHARACTERS) break;
      this.#drop(oldest);
    }
  }

  /** A notification of the server. @param {string} method */
  hear(method) {
    const kind = STALE.exec(method)?.[1];
    // What was missed before a subscription is not known.
    if (kind) this.forget(kind === 'subscriptions' ? '' : `${kind}/`);
  }

  /** All whose key begins so. @param {string} [prefix] */
  forget(prefix = '') {
    ++this.changes;
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#drop(key);
  }

  /** @param {string} key */
  #drop(key) {
    this.#characters -= this.#entries.get(key)?.text.length ?? 0;
    this.#entries.delete(key);
  }
}
