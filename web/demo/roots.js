// The roots: folders that servers are told of when they ask where they may work. Nobody looks into
// them here; they are names.
import { byId } from './dom.js';

/** @typedef {{ uri: string, name?: string }} Root */

const MAX_ROOTS = 100;

/** @param {string} line a path or a file URI @returns {Root | undefined} */
function rootFrom(line) {
  try {
    const url = new URL(line.startsWith('/') ? `file://${encodeURI(line).replace(/[?#]/g, encodeURIComponent)}` : line);
    if (url.protocol !== 'file:') return undefined;
    const name = decodeURIComponent(url.pathname.split('/').filter(Boolean).at(-1) ?? '');
    return name ? { uri: url.href, name } : { uri: url.href };
  } catch {
    return undefined;
  }
}

export class RootsPanel {
  #text = byId('roots-text', HTMLTextAreaElement);
  #count = byId('roots-count', HTMLElement);
  #problem = byId('roots-problem', HTMLElement);
  /** The user has written down others. */
  onchange = () => {};

  constructor() {
    this.#text.addEventListener('input', () => this.#update());
    this.#text.addEventListener('change', () => this.onchange());
  }

  /** Those that are well-formed. */
  list() {
    return this.#lines().flatMap((line) => rootFrom(line) ?? []).slice(0, MAX_ROOTS);
  }

  #lines() {
    return this.#text.value.split('\n').map((line) => line.trim()).filter(Boolean);
  }

  #update() {
    const wrong = this.#lines().find((line) => !rootFrom(line));
    this.#problem.hidden = wrong === undefined;
    this.#problem.textContent = wrong === undefined ? '' : `“${wrong}” is no folder: write /a/path or file:///a/path.`;
    if (wrong === undefined) this.#text.removeAttribute('aria-invalid');
    else this.#text.setAttribute('aria-invalid', 'true');
    this.#count.textContent = String(this.list().length || '');
  }
}
