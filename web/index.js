import { start } from './src/abi.js';
import { SessionError } from './src/errors.js';

export { Core, loadSync } from './src/abi.js';
export { McpClient } from './src/client.js';
export { SessionError, ToolError } from './src/errors.js';
export { createEventStore } from './src/event_store.js';
export { openClient } from './src/open_client.js';
export { SessionServer } from './src/server.js';
export { SessionStore, StoredRecord, createSessionStore } from './src/store.js';
export { ClientTransport } from './src/transport.js';

/** @param {string | URL} url */
async function compile(url) {
  const response = await fetch(url);
  if (!response.ok) throw new SessionError('TRANSPORT', `HTTP ${response.status}: ${response.url}`);
  // Not by streaming: servers that do not know the type application/wasm are common.
  return WebAssembly.compile(await response.arrayBuffer());
}

/** @param {Parameters<typeof import('./index.js').load>[0]} [options] */
export async function load({ module, url = new URL('./core.wasm', import.meta.url), ...rest } = {}) {
  return start(module ?? (await compile(url)), rest);
}
