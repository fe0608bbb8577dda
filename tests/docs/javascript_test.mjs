// javascript_test.mjs MCP_SESSION PACKAGE EVERYTHING_SERVER: the scripts of README.md and docs/ for
// authors of pages, with the npm package installed, and what the package's own README.md shows.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { blocksOf, read } from './markdown.mjs';
import { start } from './program.mjs';
import { makeFolder, run, runText } from './scripts.mjs';

const [program, packed, everything] = process.argv.slice(2).map((file) => path.resolve(file));
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

test('a server keeps state in the session and under a handle', async () => {
  const [count, cart, foreign, ended] = await run(folder, 'state.js');
  assert.deepEqual(count, { count: 2 });
  assert.deepEqual([...cart.items].sort(), ['honey', 'milk', 'tea']);
  assert.equal(foreign, true);
  assert.equal(ended, true);
});

test('a store of one\'s own', async () => {
  assert.deepEqual(await run(folder, 'store.js'), [{ text: 'Dear Bob' }, undefined]);
});

test('a client answers what a server asks', async () => {
  const server = await start(everything, []);
  const [asked, told] = await run(folder, 'answers.js', server.origin);
  assert.equal(asked, 'Who are you?');
  assert.match(told, /ada@example\.com/);
  await server.stop();
});

test('a model in a page calls tools', async () => {
  const server = await start(everything, []);
  const [asked, text, messages, progress] = await run(folder, 'chat.js', server.origin);
  assert.equal(asked, 'Who are you?');
  assert.equal(text, 'Done.');
  assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'tool', 'assistant', 'tool', 'tool', 'assistant']);
  assert.match(messages[4].content[0].text, /ada@example\.com/);
  assert.equal(messages[5].isError, true);
  assert.ok(progress.length > 1);
  await server.stop();
});

test('a client hears of changes', async () => {
  const server = await start(everything, []);
  assert.deepEqual(await run(folder, 'changes.js', server.origin), [
    'notifications/subscriptions/acknowledged', true, 'notifications/tools/list_changed', true,
  ]);
  await server.stop();
});

test('a server in a Service Worker', async () => {
  let onFetch;
  globalThis.addEventListener = (_, listener) => (onFetch = listener);
  await run(folder, 'service_worker.js');
  const { load, McpClient } = await import(pathToFileURL(path.join(installed, 'index.node.js')));
  const client = new McpClient(await load(), {
    name: 'test',
    version: '1.0',
    url: 'http://localhost/mcp',
    fetch: (request) => new Promise((respondWith) => onFetch({ request, respondWith })),
  });
  const { content } = await client.callTool('clock');
  assert.match(content[0].text, /^\d{4}-/);
  let answered = false;
  onFetch({ request: new Request('http://localhost/other'), respondWith: () => (answered = true) });
  assert.equal(answered, false);
  await client.close();
});

test('what the README.md of the package shows works', async () => {
  const blocks = blocksOf({ file: 'web/README.md', text: read('web/README.md') })
    .filter(({ language }) => language === 'js');
  assert.ok(blocks.length > 0);
  const server = await start(program, ['serve', '--port', '0']);
  globalThis.location = { href: `${server.origin}/index.html` };
  globalThis.request = new Request('http://localhost/mcp', { method: 'POST', body: '{}' });
  for (const [index, { lines }] of blocks.entries()) {
    await runText(folder, `package_${index}.js`, lines.join('\n'));
  }
  assert.equal(await server.stop(), 0);
});
