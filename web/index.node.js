import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as web from './index.js';

export * from './index.js';

// Node 18 has Web Crypto, but not as a global.
/** @type {any} */ (globalThis).crypto ??= webcrypto;

/** @param {Parameters<typeof web.load>[0]} [options] */
export async function load(options = {}) {
  const url = new URL(options.url ?? './core.wasm', import.meta.url);
  if (options.module || url.protocol !== 'file:') return web.load(options);
  return web.load({ ...options, module: await WebAssembly.compile(await readFile(url)) });
}
