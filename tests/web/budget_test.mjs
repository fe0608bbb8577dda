// budget_test.mjs CORE.wasm index.js: what a page downloads.
//
// Measured as a page's author would build it: bundled and minified by esbuild, then gzip -9; the
// official clients the same way, in the same run. Raise the budget only in a change that says why.
import { buildSync } from 'esbuild';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

const BUDGET = 85_000;
const [wasm, index] = process.argv.slice(2).map((file) => path.resolve(file));
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** What a page loads that uses all of these modules, by gzip. */
function bundled(source) {
  const { outputFiles } = buildSync({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    logLevel: 'error',
    minify: true,
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  return gzipped(outputFiles[0].contents);
}

test('server, client and store together are smaller than the official client alone', () => {
  const core = readFileSync(wasm);
  const sizes = [gzipped(core), bundled(`export * from ${JSON.stringify(index)};`)];
  const ours = sizes[0] + sizes[1];
  console.log(`core.wasm: ${core.length} bytes, ${sizes[0]} by gzip; all JavaScript: ${sizes[1]} by gzip`);
  const official = {
    '2.x': bundled(`
      import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
      globalThis.sdk = [Client, StreamableHTTPClientTransport];`),
    '1.x': bundled(`
      import { Client } from '@modelcontextprotocol/sdk/client/index.js';
      import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
      globalThis.sdk = [Client, StreamableHTTPClientTransport];`),
  };
  for (const [name, size] of Object.entries(official)) {
    console.log(`the official client ${name}: ${size} by gzip; ours is ${(ours / size).toFixed(2)} of it`);
    assert.ok(ours < size, `${ours} bytes`);
  }
  assert.ok(ours <= BUDGET, `${ours} bytes`);
});
