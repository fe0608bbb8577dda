// The state handles that answers have mentioned, so that forms can offer them.
//
// A handle names its kind: the argument `basket` takes what looks like `basket_Zk3vQe0m…`.

const HANDLE = /^([a-z][a-z0-9_]*?)_[A-Za-z0-9_-]{20,}$/;
const MAX_PER_KIND = 50;

export class HandleBook extends EventTarget {
  /** @type {Map<string, string[]>} The newest first. */
  #kinds = new Map();

  /** Those of a kind, the newest first. @param {string} kind */
  of(kind) {
    return this.#kinds.get(kind) ?? [];
  }

  /** Looks for handles anywhere in a value. @param {unknown} value */
  learn(value) {
    let found = false;
    /** @param {unknown} part */
    const look = (part) => {
      if (typeof part === 'string') found = this.#add(part) || found;
      else if (part && typeof part === 'object') Object.values(part).forEach(look);
    };
    look(value);
    if (found) this.dispatchEvent(new Event('change'));
  }

  /** The handle has ended. @param {unknown} handle */
  forget(handle) {
    for (const [kind, handles] of this.#kinds) {
      const left = handles.filter((other) => other !== handle);
      if (left.length === handles.length) continue;
      this.#kinds.set(kind, left);
      this.dispatchEvent(new Event('change'));
    }
  }

  clear() {
    this.#kinds.clear();
    this.dispatchEvent(new Event('change'));
  }

  /** @param {string} text */
  #add(text) {
    const kind = HANDLE.exec(text)?.[1];
    if (!kind) return false;
    const handles = this.of(kind);
    if (handles.includes(text)) return false;
    this.#kinds.set(kind, [text, ...handles].slice(0, MAX_PER_KIND));
    return true;
  }
}
