// What the tests of the JavaScript package share. Their first argument is core.wasm.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

// By its path in the runfiles, not relative to this file: Node follows the runfiles' links.
export const mcp = await import(pathToFileURL(path.resolve('web/index.node.js')));

const wasm = path.resolve(process.argv[2]);
export const wasmUrl = pathToFileURL(wasm);
export const wasmModule = new WebAssembly.Module(readFileSync(wasm));

export const newCore = (options) => mcp.load({ module: wasmModule, ...options });

export const STATELESS = '2026-07-28';
export const HANDSHAKE = '2025-11-25';
const META = 'io.modelcontextprotocol/';

/** A POST as a well-behaved client makes it. `extra` may replace headers or, by null, remove them. */
export function post(message, extra = {}, options = {}) {
  const headers = new Headers({
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  });
  for (const [name, value] of Object.entries(extra)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return new Request('http://localhost/mcp', { method: 'POST', headers, body, ...options });
}

/** A request of the stateless era. */
export function stateless(method, params = {}, { meta = {}, ...options } = {}) {
  const _meta = {
    [`${META}protocolVersion`]: STATELESS,
    [`${META}clientCapabilities`]: {},
    ...meta,
  };
  const headers = { 'mcp-protocol-version': STATELESS, 'mcp-method': method };
  if (params.name) headers['mcp-name'] = params.name;
  return post({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }, headers, options);
}

/** A session of the handshake era: what its requests need. */
export async function handshake(server, options) {
  const params = {
    protocolVersion: HANDSHAKE,
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  };
  const response =
    await server.fetch(post({ jsonrpc: '2.0', id: 0, method: 'initialize', params }), options);
  if (response.status !== 200) throw new Error(`initialize: ${response.status}`);
  const headers = {
    'mcp-session-id': response.headers.get('mcp-session-id'),
    'mcp-protocol-version': HANDSHAKE,
  };
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
  await server.fetch(post(initialized, headers), options);
  let id = 0;
  const request = (method, params, more) =>
    post({ jsonrpc: '2.0', id: ++id, method, params }, headers, more);
  return { headers, request, result: (await response.json()).result };
}

/** The messages of an event stream. */
export async function* events(response) {
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const data = rest.slice(0, end).split('\n').filter((line) => line.startsWith('data:'));
      rest = rest.slice(end + 2);
      if (data.length > 0) yield JSON.parse(data.map((line) => line.slice(5).trim()).join('\n'));
    }
  }
}

/** A promise and what settles it. */
export function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** The next event of that type. */
export const happens = (target, type) =>
  new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
