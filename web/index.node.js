import { readFile } from 'node:fs/promises';
import { compileUrl, loadWith } from './src/load.js';

export { Core } from './src/abi.js';
export { SessionClient } from './src/client.js';
export { SessionError, ToolError } from './src/errors.js';
export { loadSync } from './src/load.js';
export { SessionServer } from './src/server.js';

// Node 18 has Web Crypto, but not as a global.
if (!globalThis.crypto) {
  const { webcrypto } = await import('node:crypto');
  Object.defineProperty(globalThis, 'crypto', { value: webcrypto, configurable: true });
}

/** @param {URL} url */
async function compile(url) {
  return url.protocol === 'file:' ? WebAssembly.compile(await readFile(url)) : compileUrl(url);
}

/** @param {{ module?: WebAssembly.Module, url?: string | URL, entropy?: (bytes: Uint8Array) => void }} [options] */
export function load(options = {}) {
  return loadWith(options, () => compile(new URL(options.url ?? './core.wasm', import.meta.url)));
}
