import { compileUrl, loadWith } from './src/load.js';

export { Core } from './src/abi.js';
export { SessionClient } from './src/client.js';
export { SessionError, ToolError } from './src/errors.js';
export { loadSync } from './src/load.js';
export { SessionServer } from './src/server.js';

/** @param {{ module?: WebAssembly.Module, url?: string | URL, entropy?: (bytes: Uint8Array) => void }} [options] */
export function load(options = {}) {
  return loadWith(options, () => compileUrl(options.url ?? new URL('./core.wasm', import.meta.url)));
}
