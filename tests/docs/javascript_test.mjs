// javascript_test.mjs MCP_SESSION PACKAGE: the scripts of README.md for authors of pages, with the
// npm package installed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { start } from './program.mjs';
import { makeFolder, run } from './scripts.mjs';

const [program, packed] = process.argv.slice(2).map((file) => path.resolve(file));
const folder = makeFolder();
const installed = path.join(folder, 'node_modules/mcp-session');
mkdirSync(installed);
execFileSync('tar', ['-xzf', packed, '-C', installed, '--strip-components=1']);

test('a page keeps a basket at its server', async () => {
  const server = await start(program, ['serve', '--port', '0']);
  globalThis.location = { href: `${server.origin}/index.html` };
  const [filled, ...progress] = await run(folder, 'page.js');
  assert.deepEqual(filled.items, [{ item: 'apple', quantity: 1 }]);
  assert.deepEqual(progress, ['1 of 3', '2 of 3', '3 of 3']);
  assert.equal(await server.stop(), 0);
});

test('a page keeps a basket in its worker', async () => {
  const ports = [];
  globalThis.self = globalThis;
  await run(folder, 'worker.js');
  globalThis.Worker = class {
    postMessage(data, transferred) {
      ports.push(...transferred);
      globalThis.onmessage({ data, ports: transferred });
    }
  };
  const [basket] = await run(folder, 'in_page.js');
  assert.match(basket, /^basket_[\w-]{22}$/);
  for (const port of ports) port.close();
});
